"""A replica knows the way back over the last batches, and says so where it does not."""

import pytest

from optimist.base.merkle import ZERO
from optimist.node import replica
from optimist.node.replica import Replica
from optimist.stf.law import get_law
from tests.support.world import World

LAW = get_law("minimal")
MARKS = [bytes([number]) * 32 for number in range(1, 6)]  # accumulators


def test_way_back_is_as_long_as_the_undo_logs_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "KEPT_BATCHES", 2)
    world = World()
    for account in (1, 2, 3):
        world.deposit(account, 100_000)
    inputs = [[world.init.encode()], *([data] for data in world.inputs[-3:])]
    follower = Replica(LAW, keeps_receipts=False)
    executions = [
        follower.execute(before, after, data, 0)
        for before, after, data in zip([ZERO, *MARKS], MARKS, inputs, strict=False)
    ]
    assert all(executions)
    assert follower.execute(MARKS[0], MARKS[1], inputs[1], 0) is None, "three steps back, and two are known"
    assert follower.compute_root(MARKS[0], {}, ()) is None
    assert follower.execute(MARKS[1], MARKS[2], inputs[2], 0) == executions[2], "where it was before"
    assert follower.execute(MARKS[2], MARKS[3], inputs[3], 0) == executions[3]
