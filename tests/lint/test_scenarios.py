"""docs/SCENARIOS.md is the truth about the scenario tests: every number once, every test in its row."""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from tests.lint.tree import REPOSITORY

PAGE = REPOSITORY / "docs" / "SCENARIOS.md"
NUMBERS = [*(str(i) for i in range(1, 53)), *(f"V{i}" for i in range(1, 24))]
LAYERS = {"contract", "client", "law"}
LEAST_WORDS = 5  # of a reason why something does not apply

_TEST = re.compile(r"test_([sv])(\d\d)[a-c]?_")
_NAMED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    """One scenario."""

    number: str
    result: str
    layer: str
    tests: list[str]
    others: list[str]  # path::name


@cache
def read_rows() -> list[Row]:
    rows = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and re.fullmatch(r"V?\d+", cells[0]):
            number, _, result, layer, tests, others = cells
            rows.append(Row(number, result, layer, _NAMED.findall(tests), _NAMED.findall(others)))
    return rows


def read_tests() -> dict[str, str]:
    """Number by the name of every scenario test in the tree."""
    found = {}
    for path in sorted((REPOSITORY / "tests" / "scenarios").glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (match := _TEST.match(node.name)):
                assert node.name not in found, f"{node.name} stands in two files"
                found[node.name] = ("V" if match[1] == "v" else "") + str(int(match[2]))
    return found


def test_every_number_has_one_row() -> None:
    assert Counter(row.number for row in read_rows()) == Counter(NUMBERS)


def test_every_row_says_what_happens_and_what_stops_it() -> None:
    for row in read_rows():
        assert row.result, row.number
        layer, _, reason = row.layer.partition(": ")
        if layer == "not applicable":
            assert len(reason.split()) >= LEAST_WORDS, f"{row.number}: why does it not apply?"
        else:
            assert set(layer.split(" and ")) <= LAYERS, row.number


def test_rows_name_all_tests_of_their_number_and_no_others() -> None:
    tests = read_tests()
    for row in read_rows():
        assert row.tests, f"{row.number} has no test"
        assert sorted(row.tests) == sorted(name for name, number in tests.items() if number == row.number)
    assert set(tests.values()) <= set(NUMBERS)


def test_other_tests_that_are_named_exist() -> None:
    for row in read_rows():
        for other in row.others:
            path, _, name = other.partition("::")
            text = (REPOSITORY / path).read_text()
            keyword = "function" if path.endswith(".sol") else "def"
            assert re.search(rf"{keyword} {name}\b", text), f"{row.number}: there is no {other}"


def test_every_actor_plays_and_is_introduced() -> None:
    folder = REPOSITORY / "tests" / "actors"
    readme = (folder / "README.md").read_text()
    plays = (folder / "zoo.py").read_text()
    plays += "".join(path.read_text() for path in (REPOSITORY / "tests" / "scenarios").glob("test_*.py"))
    for path in folder.glob("*.py"):
        assert f"`{path.name}`" in readme
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and any(getattr(base, "id", "") != "" for base in node.bases):
                assert f"`{node.name}`" in readme, f"{node.name} is not in tests/actors/README.md"
                assert re.search(rf"\b{node.name}\b", plays), f"{node.name} never plays"
