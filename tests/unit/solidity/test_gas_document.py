"""What docs/GAS.md says about shapes is what forge has measured, and it is why k is what it is."""

import json
import re
from pathlib import Path

import pytest

from optimist.base.presets import PRESETS

REPOSITORY = Path(__file__).parents[3]
SNAPSHOT = REPOSITORY / "solidity" / "snapshots" / "shape-gas.json"
DOCUMENT = REPOSITORY / "docs" / "GAS.md"
MOST_FOR_A_DISSECTION = 100_000

_ROW = re.compile(
    r"^\| k = (\d+), heights (\d+) and (\d+) "
    r"\| ([\d,]+) \| ([\d,]+) \| (\d+) \| ([\d,]+) k \| ([\d,]+) k \|$",
    re.MULTILINE,
)


def read_rows() -> dict[tuple[int, int, int], list[int]]:
    rows = [[int(cell.replace(",", "")) for cell in row] for row in _ROW.findall(DOCUMENT.read_text())]
    return {(k, h1, h2): told for k, h1, h2, *told in rows}


def read_measured(k: int, h1: int, h2: int) -> tuple[int, int]:
    """The dearest dissection and the whole dispute."""
    measured = json.loads(SNAPSHOT.read_text())
    name = f"k = {k}, heights {h1} and {h2}: "
    return int(measured[name + "dearest dissection"]), int(measured[name + "whole dispute, toy machine"])


def test_every_shape_measured_is_in_the_document_with_its_figures() -> None:
    rows = read_rows()
    assert 2 * len(rows) == len(json.loads(SNAPSHOT.read_text()))
    for (k, h1, h2), told in rows.items():
        dissection, whole = read_measured(k, h1, h2)
        assert told == [k**h1, k**h2, h1 + h2 - 2, round(dissection / 1000), round(whole / 1000)]


def test_the_presets_have_the_cheapest_shape_whose_dissections_are_cheap_enough() -> None:
    allowed = {shape for shape in read_rows() if read_measured(*shape)[0] <= MOST_FOR_A_DISSECTION}
    best = min(allowed, key=lambda shape: read_measured(*shape)[1])
    assert {(preset.k, preset.h1, preset.h2) for preset in PRESETS.values()} == {best}


@pytest.mark.parametrize("shapes", [((8, 4, 8), (16, 3, 6))])
def test_at_exactly_equal_reach_eight_children_are_cheaper(
    shapes: tuple[tuple[int, int, int], tuple[int, int, int]],
) -> None:
    eight, sixteen = shapes
    assert [eight[0] ** h for h in eight[1:]] == [sixteen[0] ** h for h in sixteen[1:]]
    assert read_measured(*eight)[1] < read_measured(*sixteen)[1]
