"""docs/INVARIANTS.md is the truth about invariants: each once, with what checks it and what breaks it."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.lint.tree import REPOSITORY, find_files
from tests.support.frauds import FRAUDS

PAGE = REPOSITORY / "docs" / "INVARIANTS.md"
NUMBERS = [f"I{i}" for i in range(1, 23)]
NAMES = ["wind-down", "mark", "fees", "rules", "authority", "frame"]
LEAST_WORDS = 5  # of a reason why something does not apply
NOT_APPLICABLE = "Not applicable: "
PLAYS = (
    "tests/property/test_every_invariant_can_be_broken.py",
    "tests/scenarios/test_false_results.py",
)

_ROW = re.compile(r"\| (I\d+|[a-z-]+) \| ")
_NAMED = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Row:
    """One invariant."""

    name: str
    statement: str
    checks: list[str]  # module.function
    frauds: str
    others: list[str]  # path::name

    @property
    def applies(self) -> bool:
        return not self.statement.startswith(NOT_APPLICABLE)


@cache
def read_rows() -> list[Row]:
    rows = []
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
        if _ROW.match(line) and len(cells) == 5:
            name, statement, checks, frauds, others = cells
            rows.append(Row(name, statement, _NAMED.findall(checks), frauds, _NAMED.findall(others)))
    return rows


def find_functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """Functions of a module and methods of its classes."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from find_functions(node)
        elif isinstance(node, ast.FunctionDef):
            yield node


def find_judged(function: ast.FunctionDef) -> Iterator[str]:
    """What a function passes to `judging`, as a decorator or in a block."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "judging":
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


@cache
def read_checks() -> dict[str, set[str]]:
    """Name of an invariant -> the functions that check it."""
    found = defaultdict(set)
    for path in find_files("*.py", "tests/support"):
        for function in find_functions(ast.parse(path.read_text())):
            for name in find_judged(function):
                found[name].add(f"{path.stem}.{function.name}")
    return found


def test_every_invariant_has_one_row() -> None:
    assert [row.name for row in read_rows()] == NUMBERS + NAMES


def test_a_row_that_does_not_apply_says_why_and_claims_nothing() -> None:
    for row in read_rows():
        if not row.applies:
            reason = row.statement.removeprefix(NOT_APPLICABLE)
            assert len(reason.split()) >= LEAST_WORDS, f"{row.name}: why does it not apply?"
            assert (row.checks, row.frauds, row.others) == ([], "", []), row.name


def test_rows_name_all_that_checks_them_and_nothing_else() -> None:
    checks = read_checks()
    assert set(checks) == {row.name for row in read_rows() if row.applies}
    for row in read_rows():
        assert sorted(row.checks) == sorted(checks.get(row.name, ())), row.name


def test_rows_tell_the_frauds_that_break_them() -> None:
    for row in read_rows():
        told = "<br>".join(f"`{fraud}`: {fraud.story}" for fraud in FRAUDS if fraud.invariant == row.name)
        assert row.frauds == told, f"{row.name} should say: {told}"
        assert bool(told) == row.applies, f"{row.name}: nothing shows that its check can fail"


def test_every_fraud_is_told_by_the_auditor_and_proven_through_the_game() -> None:
    assert len({str(fraud) for fraud in FRAUDS}) == len(FRAUDS)
    for play in PLAYS:
        assert 'parametrize("fraud", FRAUDS, ids=str)' in (REPOSITORY / play).read_text()
        assert play in PAGE.read_text()


def test_other_tests_that_are_named_exist() -> None:
    for row in read_rows():
        for other in row.others:
            path, _, name = other.partition("::")
            file = REPOSITORY / path
            assert file.is_file(), f"{row.name}: there is no file {path}"
            keyword = "function" if path.endswith(".sol") else "def"
            pattern = rf"\b{keyword} {re.escape(name)}\("
            assert re.search(pattern, file.read_text()), f"{row.name}: there is no {other}"


def test_judges_say_where_their_names_come_from() -> None:
    for path in (Path("tests/support/judging.py"), Path("tests/support/audit.py")):
        assert PAGE.relative_to(REPOSITORY).as_posix() in (REPOSITORY / path).read_text()
