"""How fast it is: what a trade and a dispute cost off chain. Prints figures (`make bench`)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from challenger.game.lists import History
from challenger.game.types import Parameters
from optimist.base.keccak import keccak
from optimist.base.merkle import SparseTree
from optimist.base.signature import recover, sign
from optimist.provable import State
from optimist.prove.law import load_law
from optimist.vm.fast import run
from optimist.vm.image import Image
from optimist.vm.isa import Op
from optimist.vm.records import build_state_tree
from optimist.vm.trace import Trace
from tests.support.dearest_inputs import build_times, measure_all
from tests.support.machine_programs import Assembler
from tests.support.world import World

pytestmark = pytest.mark.bench

PRESETS = ("minimal", "mainnet")
TRADES = 300
LONG_TRACE = 1 << 17  # steps
LIMIT = 2.0  # ms an input may keep a sequencer


@contextmanager
def measured(what: str, count: int, unit: str) -> Iterator[None]:
    """Print how long the block took, and the rate."""
    begun = time.perf_counter()
    yield
    seconds = time.perf_counter() - begun
    print(f"\n  {what}: {seconds:.3f} s, {count / seconds:,.0f} {unit}/s", end="", flush=True)


def build_trades(preset: str) -> tuple[dict[int, bytes], list[bytes]]:
    """A state with two funded accounts, and signed trades between them that all apply to it in turn."""
    world = World(preset)
    for account in (1, 2):
        assert world.deposit(account, 1_000_000) == 0
    assert world.price(0, 100) == 0
    before = dict(world.records)
    first = len(world.inputs)
    for number in range(TRADES):
        assert world.trade(1, 2, 10**6, 100, maker_buys=number % 2 == 0) == 0
    return before, world.inputs[first:]


def build_loop(steps: int) -> Image:
    """A program that runs `steps` steps of arithmetic, copies, stores and jumps before it halts."""
    p = Assembler()
    assert p.block("table", 512) == 0
    p.word("one", 1)
    p.word("turns", steps // 6)
    p.word("mask", 511)
    p.label("entry")
    p.op(Op.ADD, "i", "i", "one")
    p.op(Op.MUL, "square", "i", "i")
    p.op(Op.AND, "at", "square", "mask")
    p.op(Op.STX, "square", "at", imm=0)  # all over the table, so that every hash on the way is new
    p.op(Op.XOR, "sum", "sum", "square")
    p.op(Op.BLT, a="i", b="turns", imm="entry")
    p.op(Op.HALT)
    return p.assemble("entry")


def test_speed_of_hashes_and_signatures() -> None:
    digest = keccak(b"digest")
    with measured("keccak256 of 64 bytes", 100_000, "hashes"):
        for _ in range(100_000):
            keccak(bytes(64))
    signature = sign(digest, b"\1" * 32)
    with measured("recovering a signer", 2_000, "signatures"):
        for _ in range(2_000):
            recover.__wrapped__(digest, *signature)  # not remembered


@pytest.mark.parametrize("preset", PRESETS)
def test_speed_of_trades(preset: str) -> None:
    before, trades = build_trades(preset)
    law = load_law(preset)
    state = State(before)
    recover.cache_clear()
    with measured(f"{preset}: native trades, signatures recovered", TRADES, "trades"):
        codes = [state.apply(law.native, data).code for data in trades]
    assert codes == [0] * TRADES
    image = law.image
    with measured(f"{preset}: one trade on the machine", 1, "trades"):
        steps = run(image, before, trades[0]).steps
    with measured(f"{preset}: trace of one trade ({steps} steps)", steps, "steps"):
        Trace(image, build_state_tree(before), before, trades[0])


def test_speed_of_the_trace_commitment_of_a_long_input() -> None:
    image = build_loop(LONG_TRACE)
    with measured(f"running {LONG_TRACE} steps", LONG_TRACE, "steps"):
        run(image, {}, b"\5")
    with measured(f"trace of {LONG_TRACE} steps", LONG_TRACE, "steps"):
        trace = Trace(image, SparseTree(48), {}, b"\5")
    assert len(trace) > LONG_TRACE - 10
    parameters = Parameters()
    with measured(f"commitment to {LONG_TRACE} steps", LONG_TRACE, "steps"):
        History(parameters.arity, parameters.step_height, trace.hashes)
    with measured("proof of its last step", 1, "proofs"):
        trace.proof(len(trace) - 1)


def test_no_kind_of_input_takes_two_milliseconds() -> None:
    """Natively, in a full world, with the signatures known, as a sequencer has them from its workers."""
    times = measure_all()
    print("\n" + build_times(times), end="", flush=True)
    assert max(times.values()) < LIMIT
