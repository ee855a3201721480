"""What is executed once more before a key signs for it: the same, not ours any more, or a fault."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest

from optimist.derive.batch import DerivationError
from optimist.derive.rows import encode_rows
from optimist.node.execution import ExecutionMismatch
from optimist.node.executors import LocalExecutor
from optimist.node.node import Node
from optimist.provable import State, reject
from optimist.sequencer.builder import SealedBatch
from optimist.sequencer.double_check import DoubleCheck
from optimist.stf.codes import Code
from optimist.stf.law import get_law
from tests.support.bench import DEPOSITS, GENESIS_ACCUMULATOR, Bench


@dataclass
class Item:
    input: bytes


class Before:
    """What the operator's node knows when batch 2 is next."""

    def __init__(self, bench: Bench, queue: Sequence[bytes] = DEPOSITS) -> None:
        self.ledger = self
        self.batch_count = 1
        self.accumulator = GENESIS_ACCUMULATOR
        self.state: State = bench.fresh_head().state
        self.queue = queue
        self.executor = LocalExecutor(get_law("minimal"))

    def get_accumulator(self) -> bytes:
        return self.accumulator

    def get_queue(self, start: int, count: int) -> list[Item]:
        return [Item(data) for data in self.queue[start : start + count]]


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.busy_day()
    return bench


@pytest.fixture
def sealed(bench: Bench) -> SealedBatch:
    _, sealed = bench.engine.seal()
    return sealed


def check(
    before: Before, sealed: SealedBatch, rows: bytes | None = None, law: Callable[[], None] | None = None
) -> bool:
    before.executor = LocalExecutor(law or get_law("minimal"))
    double_check = DoubleCheck(cast("Node", before))
    return asyncio.run(double_check.check(sealed, encode_rows(sealed.sequenced) if rows is None else rows))


def test_batch_whose_bytes_lead_to_what_was_acknowledged_may_be_signed(
    bench: Bench, sealed: SealedBatch
) -> None:
    before = Before(bench)
    untouched = dict(before.state.items())
    assert check(before, sealed)
    assert dict(before.state.items()) == untouched, "on a copy"


def test_bytes_of_anything_else_are_never_signed(bench: Bench, sealed: SealedBatch) -> None:
    swapped = (sealed.sequenced[1], sealed.sequenced[0], *sealed.sequenced[2:])
    for sequenced in (sealed.sequenced[:-1], swapped, (*sealed.sequenced, sealed.sequenced[0])):
        with pytest.raises(DerivationError, match="hashes to"):
            check(Before(bench), sealed, encode_rows(sequenced))


def test_effect_that_is_not_what_was_acknowledged_is_never_signed(bench: Bench, sealed: SealedBatch) -> None:
    with pytest.raises(ExecutionMismatch, match="leaves another state"):
        check(Before(bench), replace(sealed, effect=bytes(32)))


def test_input_that_the_law_rejects_is_never_signed(bench: Bench, sealed: SealedBatch) -> None:
    def stricter() -> None:
        reject(Code.PRICE_STALE)

    with pytest.raises(ExecutionMismatch, match="rejects input 0 with code"):
        check(Before(bench), sealed, law=stricter)


@pytest.mark.parametrize(
    "change",
    [
        {"batch_count": 0},
        {"batch_count": 2},
        {"accumulator": b"\x01" * 32},
        {"queue": DEPOSITS[:2]},
        {"queue": (DEPOSITS[1], DEPOSITS[0], DEPOSITS[2])},
    ],
    ids=str,
)
def test_batch_that_a_reorg_has_overtaken_is_left_to_the_sequencer(
    bench: Bench, sealed: SealedBatch, change: dict[str, Any]
) -> None:
    """A look that is half taken in, or a deposit that is gone: no fault, and no reason to end."""
    before = Before(bench)
    for name, value in change.items():
        setattr(before, name, value)
    assert not check(before, sealed)
