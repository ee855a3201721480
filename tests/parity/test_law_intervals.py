"""Every interval proven for the law holds on random workloads; tree, machine and native law agree."""

import pytest

from optimist.provable import State
from optimist.prove.law import load_law
from tests.support.law_parity import Counts, compare_faces
from tests.support.workload import generate_workload


def _compare(seed: int, preset: str) -> Counts:
    law = load_law(preset)
    counts = Counts()
    inputs = list(generate_workload(seed, preset=preset).inputs)
    compare_faces(law.program, law.compiled, inputs, State(), counts)
    return counts


@pytest.mark.parametrize(("seed", "preset"), [(1, "minimal"), (2, "mainnet")])
def test_every_proven_interval_of_the_law_holds(seed: int, preset: str) -> None:
    counts = _compare(seed, preset)
    print(f"\n{counts}")
    assert counts.accepted > 50
    assert counts.rejected > 20


@pytest.mark.long
@pytest.mark.parametrize("preset", ["minimal", "mainnet"])
@pytest.mark.parametrize("seed", range(100, 120))
def test_every_proven_interval_of_the_law_holds_on_many_workloads(seed: int, preset: str) -> None:
    _compare(seed, preset)
