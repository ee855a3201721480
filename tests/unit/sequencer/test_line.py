"""Which batches the sequencer keeps: those that L1 may still take back, and none of the others."""

import pytest

from optimist.derive.rows import LENGTH_BYTES
from optimist.sequencer import line as line_module
from optimist.sequencer.builder import SealedBatch
from optimist.sequencer.line import Line
from tests.support.bench import Bench
from tests.unit.sequencer.test_recovery import L1


class Chain(L1):
    """An L1 that has the first `posted` of our batches, `final` of them for good."""

    def __init__(self, bench: Bench, closed: list[SealedBatch]) -> None:
        super().__init__(bench)
        self._closed = closed
        self.final = 0

    def post(self, posted: int, final: int) -> None:
        self._sealed, self.final = self._closed[:posted], final

    @property
    def final_batch(self) -> int:
        return 1 + self.final


def close_batches(count: int) -> tuple[Chain, Line, list[SealedBatch]]:
    bench = Bench()
    closed: list[SealedBatch] = []
    chain = Chain(bench, closed)
    line = Line(chain)
    for _ in range(count):
        closed.append(bench.engine.seal()[1])
        bench.engine.open(bench.world.second, ())
    return chain, line, closed


def test_what_is_final_is_forgotten_and_what_is_not_is_kept_for_a_reorg() -> None:
    chain, line, closed = close_batches(6)
    for batch in closed[:5]:
        line.append(batch)
    chain.post(posted=4, final=2)
    line.append(closed[5])
    assert line.unposted == closed[4:]
    chain.post(posted=2, final=2)  # a reorg has taken the others back
    assert line.unposted == closed[2:]
    assert line.find_break((), None, closed[-1].queue_from + closed[-1].queue_count) == ""
    chain.post(posted=1, final=1)
    assert "taken batch 3 back" in line.find_break((), None, 0)


def test_what_l1_has_had_for_long_is_forgotten_though_it_calls_nothing_final(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(line_module, "KEPT_BATCHES", 3)
    chain, line, closed = close_batches(6)
    chain.post(posted=5, final=-1)
    for batch in closed:
        line.append(batch)
    chain.post(posted=0, final=-1)
    assert line.unposted == closed[3:]


def test_nothing_is_forgotten_that_l1_does_not_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "KEPT_BATCHES", 2)
    _, line, closed = close_batches(5)
    for batch in closed:
        line.append(batch)
    assert line.unposted == closed
    inputs = [data for batch in closed for data in batch.sequenced]
    assert line.unposted_bytes == sum(LENGTH_BYTES + len(data) for data in inputs)
