"""What a player does when an act of its ends in something that is no mood of L1."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

import challenger.player
from challenger.game.types import Parameters
from challenger.player import Conduct, Player
from challenger.strategy import acts
from challenger.strategy.modes import DEFEND
from challenger.strategy.order import Priority, Rank
from challenger.strategy.strategy import Plan, Proposal
from optimist.l1.contracts import Contract
from optimist.l1.types import BlockRef
from optimist.store.journal import JournalBroken

ID = b"\x22" * 32
CONTRACTS = {name: Contract.named(name, b"\x01" * 20) for name in ("Rollup", "Dispute")}
TIMEOUT = Proposal(acts.Timeout((ID, ID)), DEFEND.rules[0], Priority(Rank.RIVALS))
CLAIM = Proposal(acts.AssertState(ID, ID, 1, ID), DEFEND.rules[0], Priority(Rank.FIRST))


class Doomed:
    """A node that has nothing new; a sender and a gate whose disk has failed."""

    head = BlockRef(7, ID)
    address = b"\x05" * 20
    is_caught_up = True
    timestamp = 1
    events = ()
    ledger = SimpleNamespace(get_input_count=None)

    async def advance(self) -> bool:
        return False

    async def send(self, call: Any) -> Any:
        del call
        raise JournalBroken("failed before: open it again to learn what it holds")

    async def find_objection(self, wanted: acts.AssertState) -> Any:
        del wanted
        raise JournalBroken("failed before")


@pytest.mark.parametrize("proposal", [TIMEOUT, CLAIM], ids=["act", "gate"])
def test_what_a_broken_disk_ends_ends_the_player(monkeypatch: pytest.MonkeyPatch, proposal: Proposal) -> None:
    """Else it would plan for ever, and nothing that it wants would ever be sent."""
    doomed: Any = Doomed()
    monkeypatch.setattr(challenger.player, "compute_plan", lambda *_, **__: Plan([proposal]))

    async def inside() -> None:
        gate = doomed if proposal is CLAIM else None
        player = Player(doomed, doomed, CONTRACTS, doomed, Parameters(), doomed, Conduct(gate=gate))
        monkeypatch.setattr(player, "_genesis_time", 1)
        with pytest.raises(JournalBroken, match="failed before"):
            await asyncio.wait_for(player.play(0.001), 5)
        await player.close()

    asyncio.run(inside())
