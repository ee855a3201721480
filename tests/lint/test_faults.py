"""docs/FAULTS.md is the truth about faults: every number once, in its section, with tests that exist."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

from tests.lint.tree import REPOSITORY

PAGE = REPOSITORY / "docs" / "FAULTS.md"
LAST = 98
LEAST_WORDS = 5  # of a reason why something does not apply
NOT_APPLICABLE = "Not applicable: "

_HEADING = re.compile(r"## .*: F(\d+)\N{EN DASH}F(\d+)")
_NAMED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    """One fault, and the numbers that its section holds."""

    number: int
    section: range
    fault: str
    result: str
    tests: list[str]  # path::name
    evidence: str


@cache
def read_rows() -> list[Row]:
    rows, section = [], range(0)
    for line in PAGE.read_text().splitlines():
        if heading := _HEADING.fullmatch(line):
            section = range(int(heading[1]), int(heading[2]) + 1)
        elif re.match(r"\| *F\d", line):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            assert len(cells) == 5, f"five cells a row, not {len(cells)}: {line[:80]}"
            number, fault, result, tests, evidence = cells
            rows.append(Row(int(number[1:]), section, fault, result, _NAMED.findall(tests), evidence))
    return rows


def test_sections_hold_every_number_once() -> None:
    sections = [_HEADING.fullmatch(line) for line in PAGE.read_text().splitlines()]
    numbers = [i for found in sections if found for i in range(int(found[1]), int(found[2]) + 1)]
    assert numbers == list(range(1, LAST + 1))


def test_rows_stand_in_their_section_in_order_and_once() -> None:
    numbers = [row.number for row in read_rows()]
    assert numbers == sorted(numbers)
    assert max(Counter(numbers).values()) == 1
    for row in read_rows():
        assert row.number in row.section, f"F{row.number} stands in the wrong section"


def test_every_fault_has_its_row() -> None:
    assert {row.number for row in read_rows()} == set(range(1, LAST + 1))


def test_every_row_says_what_happens_and_how_that_is_known() -> None:
    for row in read_rows():
        assert all((row.fault, row.result, row.evidence)), f"F{row.number} has an empty cell"
        if row.result.startswith(NOT_APPLICABLE):
            reason = row.result.removeprefix(NOT_APPLICABLE)
            assert len(reason.split()) >= LEAST_WORDS, f"F{row.number}: why does it not apply?"
        else:
            assert row.tests, f"F{row.number} has no test"


def test_tests_that_rows_name_exist() -> None:
    for row in read_rows():
        for test in row.tests:
            path, _, name = test.partition("::")
            file = REPOSITORY / path
            assert file.is_file(), f"F{row.number}: there is no file {path}"
            keyword = "function" if path.endswith(".sol") else "def"
            pattern = rf"\b{keyword} {re.escape(name)}\("
            assert re.search(pattern, file.read_text()), f"F{row.number}: there is no {test}"
