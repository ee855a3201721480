"""Soundness by injection: lies at random places of real inputs, each rejected by a check that L1 makes.

Every lie is told by the best liar we can write (`devnet/liar`) and answered by the honest player, who is not
told where it is. The twin of the game judges, with the off-chain twin of `Step.sol` as its machine.

A lie that slips through is named by its fault; replay it with
`tell(town, parse_fault("step:12:40:memory.17:5"), liar_first=True)`.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest

from devnet.liar.faults import Fault, MachineEdit, Padding, PatchedLaw, StateEdit, WrongLeaf, format_fault
from devnet.liar.patches import PATCHES, load_false_law
from devnet.liar.provider import Liar
from optimist.vm.isa import Op
from optimist.vm.tamper import Edit
from tests.support.injection import PATIENCE, SlippedThroughError, Town, Verdict, draw_delta, fight
from tests.support.workload import generate_workload

SEED = 20_251_010
INPUTS = 70
STEP_LIES = 300
STATE_LIES = 100
LIES_PER_OPCODE = 5

Report = Callable[[str], None]


@pytest.fixture(scope="module")
def town() -> Town:
    return Town.under_the_law(generate_workload(seed=3, count=INPUTS).inputs)


@pytest.fixture(scope="module")
def museum() -> Town:
    return Town.under_the_museum()


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    def show(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}")

    return show


class NoLieError(ValueError):
    """What the fault leads to is the truth."""


def tell(town: Town, fault: Fault, *, liar_first: bool, insist: bool = False) -> Verdict:
    """Tell one lie. Raises NoLieError when it is none, AssertionError when it slips through."""
    own_law = load_false_law("minimal", fault.name) if isinstance(fault, PatchedLaw) else None
    liar = Liar(town.truth, fault, own_law=own_law, insist=insist, step_limit=PATIENCE)
    if liar.get_end_root(town.to) == town.truth.get_end_root(town.to):
        raise NoLieError(format_fault(fault))
    try:
        return fight(town, liar, liar_first=liar_first)
    except SlippedThroughError as error:
        raise AssertionError(f"{format_fault(fault)}, liar first: {liar_first}: {error}") from error


@dataclass
class Tally:
    """Lies inside inputs, by what was executed on L1 in the end."""

    opcodes: Counter[Op] = field(default_factory=Counter)
    natural: int = 0  # the edit alone led to a false end
    insisted: int = 0  # it did not; the liar claimed a false end all the same

    def tell(self, town: Town, faults: Iterable[MachineEdit]) -> None:
        """The disputed step must be the very one that was edited."""
        for fault in sorted(faults, key=lambda each: each.input):
            liar_first = bool((self.natural + self.insisted) % 2)
            try:
                verdict = tell(town, fault, liar_first=liar_first)
                self.natural += 1
            except NoLieError:
                verdict = tell(town, fault, liar_first=liar_first, insist=True)
                self.insisted += 1
            assert verdict.opcode is not None, f"{format_fault(fault)} ended without a step: {verdict}"
            assert verdict.step == fault.edit.step, format_fault(fault)
            self.opcodes[verdict.opcode] += 1


def draw_missing(town: Town, rng: random.Random, opcodes: Counter[Op], wanted: int) -> list[MachineEdit]:
    """Lies at steps of those opcodes that chance left out, as far as the town executes them."""
    faults = []
    for op in Op:
        for _ in range(wanted - opcodes[op]):
            place = town.draw_step_of(rng, op)
            if place is not None:
                faults.append(town.draw_machine_edit(rng, place))
    return faults


@pytest.mark.timeout(900)
def test_lies_at_random_steps_are_proven_and_every_opcode_is_disputed(
    town: Town, museum: Town, report: Report
) -> None:
    rng, tally = random.Random(SEED), Tally()
    tally.tell(town, [town.draw_machine_edit(rng) for _ in range(STEP_LIES)])
    effect, insisted = tally.natural, tally.insisted
    report(f"{STEP_LIES} lies at random steps proven: {effect} by their effect, {insisted} insisted on")
    tally.tell(town, draw_missing(town, rng, tally.opcodes, LIES_PER_OPCODE))
    tally.tell(museum, draw_missing(museum, rng, tally.opcodes, LIES_PER_OPCODE))
    counts = {op.name: tally.opcodes[op] for op in Op}
    report(f"with lies at rare opcodes, {tally.opcodes.total()} steps were disputed: {counts}")
    assert tally.natural + tally.insisted >= STEP_LIES
    assert min(counts.values()) >= LIES_PER_OPCODE, counts


@pytest.mark.timeout(600)
def test_random_state_edits_are_proven(town: Town, report: Report) -> None:
    rng, told, none = random.Random(SEED + 1), 0, 0
    opcodes = Counter[str]()
    while told < STATE_LIES:
        fault = town.draw_state_edit(rng)
        try:
            verdict = tell(town, fault, liar_first=bool(told % 2))
        except NoLieError:  # a later input overwrote it: the end is the true one
            none += 1
            continue
        assert verdict.opcode in (Op.HALT, Op.REJ), f"{format_fault(fault)}: {verdict}"
        opcodes[verdict.opcode.name] += 1
        told += 1
    report(
        f"{told} state edits proven at {dict(opcodes)}; {none} more left the end true, so they were no lies"
    )
    assert told >= STATE_LIES


@pytest.mark.parametrize("liar_first", [True, False])
def test_first_and_last_input_and_step(town: Town, liar_first: bool) -> None:
    rng, last = random.Random(SEED + 2), len(town.inputs) - 1
    for number in (0, 1, last - 1, last):
        for step in (0, 1, len(town.opcodes[number]) - 2, len(town.opcodes[number]) - 1):
            fault = town.draw_machine_edit(rng, (number, step))
            verdict = tell(town, fault, liar_first=liar_first, insist=True)
            assert (verdict.opcode, verdict.step) == (town.opcodes[number][step], step)


def test_lies_about_leaves_cannot_be_committed_to(town: Town, report: Report) -> None:
    rng, last = random.Random(SEED + 3), len(town.inputs) - 1
    numbers = [0, 1, last - 1, *(rng.randrange(last) for _ in range(9))]
    told = 0
    for number in numbers:
        for part in ("batch", "rest"):
            for liar_first in (True, False):
                verdict = tell(town, WrongLeaf(number, part, draw_delta(rng)), liar_first=liar_first)
                assert verdict.is_late, verdict
                assert set(verdict.refused) == {"WrongLeaf"}, verdict
                told += 1
    report(f"{told} leaves with another batch or chain: every commitment refused, every liar late")
    assert told == 48


def test_changes_past_the_last_input_need_no_machine(town: Town) -> None:
    limit = town.truth.parameters.max_inputs - len(town.inputs)
    for position in (0, 1, 7, 1000, limit - 1):
        for liar_first in (True, False):
            assert tell(town, Padding(position), liar_first=liar_first).is_padding


@pytest.mark.parametrize("name", sorted(PATCHES))
def test_a_patched_law_is_proven_wrong(name: str, report: Report) -> None:
    for seed in range(3, 40):
        town = Town.under_the_law(generate_workload(seed=seed, count=INPUTS).inputs)
        try:
            verdicts = [tell(town, PatchedLaw(name), liar_first=first) for first in (True, False)]
        except NoLieError:  # nobody in this workload has met the patched rule
            continue
        # Who moves first moves last, and so shows its last list: the step can be proven. Else the liar is on
        # turn; its own proofs are of its own program, L1 refuses them, and its clock runs out.
        proven, late = verdicts
        assert proven.opcode is not None
        assert late.is_late
        report(f"{name}: disputed at step {proven.step}, a {proven.opcode.name}")
        return
    raise AssertionError(f"no workload meets {name}")


def test_two_honest_players_are_no_fight(town: Town) -> None:
    """The harness can fail: a liar that claims the truth is none."""
    with pytest.raises(NoLieError):
        tell(town, MachineEdit(5, Edit(3, "input_hash", 1)), liar_first=True)
    with pytest.raises(ValueError, match="cannot be edited"):
        tell(town, MachineEdit(5, Edit(100_000, "pc", 1)), liar_first=True)


def test_state_edits_name_their_place() -> None:
    assert format_fault(StateEdit(3, 7, 1, 1, -5)) == "state:3:7:1:1:-5"
