"""The law natively and on the machine: same verdict, code and records, for every input of every workload."""

from collections import Counter
from collections.abc import Callable
from functools import cache

import pytest

from optimist.provable import State
from optimist.provable.compiled import CompiledProgram
from optimist.provable.program import Program
from optimist.stf.codes import Code
from optimist.stf.law import ENTRY, PRESETS, get_law, get_program, read_sources
from optimist.stf.records import ForcedOutcome
from optimist.vm.fast import run
from tests.support.edge_cases import build_edge_cases
from tests.support.workload import Workload, generate_workload

MINIMAL_SEEDS = tuple(range(24))
MAINNET_SEEDS = tuple(range(100, 106))
MORE_MAINNET_SEEDS = tuple(range(100, 160))  # enough to reach every line of a law of sixteen slots as well
ABSENT = bytes(256)


@cache
def compiled(preset: str) -> CompiledProgram:
    return get_program(preset).compile()


class Twins:
    """Applies inputs both ways and compares after each."""

    def __init__(self, preset: str, records: dict[int, bytes] | None = None) -> None:
        self.law = get_law(preset)
        self.image = compiled(preset).image
        self.state = State(records)
        self.records = dict(records or {})
        self.coverage = [0] * len(compiled(preset).instructions)
        self.codes: Counter[int] = Counter()

    def apply(self, data: bytes, where: str) -> None:
        native = self.state.apply(self.law, data)
        machine = run(self.image, self.records, data, coverage=self.coverage)
        assert (native.rejected, native.code) == (machine.rejected, machine.code), f"{where}: {data.hex()}"
        written = {key: self.state.get_bytes(key) or ABSENT for key in native.keys}
        assert written == machine.writes, f"{where}: {data.hex()}"
        for key, value in machine.writes.items():
            if value == ABSENT:
                self.records.pop(key, None)
            else:
                self.records[key] = value
        self.codes[native.code] += 1

    def outcomes(self) -> set[int]:
        """Codes that forced inputs ended with."""
        table = 11 << 40
        kind = ForcedOutcome
        return {
            kind.record_from_bytes(data).code  # type: ignore[attr-defined]  # the decorator adds it
            for key, data in self.records.items()
            if key >> 40 == table >> 40
        }


@cache
def replay(preset: str, seed: int) -> Twins:
    workload: Workload = generate_workload(seed, preset=preset)
    twins = Twins(preset)
    for number, data in enumerate(workload.inputs):
        twins.apply(data, f"input {number} of {workload}")
    assert dict(twins.state.items()) == twins.records
    return twins


@cache
def replay_edge_cases(preset: str) -> Twins:
    total = Twins(preset)
    for case in build_edge_cases(preset):
        twins = Twins(preset, dict(case.records))
        twins.apply(case.input, f"case {case}")
        assert twins.codes == {case.code: 1}
        total.codes += twins.codes
        total.coverage = [a + b for a, b in zip(total.coverage, twins.coverage, strict=True)]
    return total


ALL = [("minimal", seed) for seed in MINIMAL_SEEDS] + [("mainnet", seed) for seed in MAINNET_SEEDS]


@pytest.mark.parametrize(("preset", "seed"), ALL)
def test_native_law_and_machine_agree_on_a_workload(preset: str, seed: int) -> None:
    assert sum(replay(preset, seed).codes.values()) >= 200


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1_000, 1_100))
def test_native_law_and_machine_agree_on_long_workloads(seed: int) -> None:
    workload = generate_workload(seed, count=1_000)
    twins = Twins("minimal")
    for number, data in enumerate(workload.inputs):
        twins.apply(data, f"input {number} of {workload}")


@pytest.mark.parametrize("preset", PRESETS)
def test_native_law_and_machine_agree_on_edge_cases(preset: str) -> None:
    replay_edge_cases(preset)


def test_every_reject_code_is_met() -> None:
    """In workloads and edge cases together, as a rejection or as the outcome of a forced input."""
    met: set[int] = set()
    for preset, seed in ALL:
        met |= set(replay(preset, seed).codes) | replay(preset, seed).outcomes()
    for preset in PRESETS:
        met |= set(replay_edge_cases(preset).codes)
    assert {code.name for code in Code if code not in met} == set()


@pytest.mark.parametrize(
    ("preset", "seeds"),
    [("minimal", MINIMAL_SEEDS), pytest.param("mainnet", MORE_MAINNET_SEEDS, marks=pytest.mark.long)],
    ids=PRESETS,
)
def test_every_instruction_of_the_image_is_executed(
    preset: str, seeds: tuple[int, ...], record_property: Callable[[str, object], None]
) -> None:
    program = compiled(preset)
    total = replay_edge_cases(preset).coverage
    for seed in seeds:
        total = [a + b for a, b in zip(total, replay(preset, seed).coverage, strict=True)]
    missed = [
        f"{pc} {program.instructions[pc]} {program.source_map[pc]}"
        for pc, count in enumerate(total)
        if count == 0
    ]
    record_property("instructions executed", sum(total))
    assert missed == []


@pytest.mark.parametrize(
    ("module", "original", "altered"),
    [
        ("optimist.stf.margin", "ceil_div(notional * fraction_ppm, PPM)", "notional * fraction_ppm // PPM"),
        (
            "optimist.stf.margin",
            "return parts * price // ONE // divisor",
            "return ceil_div(parts * price // ONE, divisor)",
        ),
        (
            "optimist.stf.liquidation",
            "min(penalty, compute_surrender(before, after))",
            "compute_surrender(before, after)",
        ),
        ("optimist.stf.trade", "after, holdings.parts, parts)", "after, parts, holdings.parts)"),
    ],
)
def test_law_that_differs_in_one_word_does_not_agree(module: str, original: str, altered: str) -> None:
    """Parity is no tautology: an altered native law is told from the image."""
    sources = dict(read_sources("minimal"))
    assert sources[module].count(original) == 1
    sources[module] = sources[module].replace(original, altered)
    law = Program(sources, ENTRY).native()

    def compare() -> None:
        for seed in MINIMAL_SEEDS:
            twins = Twins("minimal")
            twins.law = law
            for data in generate_workload(seed).inputs:
                twins.apply(data, "")

    with pytest.raises(AssertionError):
        compare()
