"""The lies of the demo differ from the law in the very instructions that they are about."""

import pytest

from devnet.liar.patches import load_false_law
from optimist.prove.law import load_law


@pytest.mark.parametrize(
    ("name", "file"),
    [("skip-margin-check", "optimist/stf/margin.py"), ("liquidate-healthy", "optimist/stf/liquidation.py")],
)
@pytest.mark.parametrize("preset", ["minimal", "mainnet"])
def test_patched_program_is_the_true_one_but_for_the_patched_lines(name: str, file: str, preset: str) -> None:
    true, false = load_law(preset).compiled, load_false_law(preset, name).compiled
    assert true.image.memory == false.image.memory
    pairs = zip(true.instructions, false.instructions, true.source_map, strict=True)
    places = {(place.file, place.line) for ours, theirs, place in pairs if ours != theirs}
    assert {found for found, _ in places} == {file}
    assert len(places) <= 2
