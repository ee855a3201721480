"""Rules of the house that no off-the-shelf linter knows. Each message says what to do."""

import ast
import re
from pathlib import Path

from tests.lint.tree import CODE, PACKAGES, find_files, name_of

MOST_LINES = 600
TABLES = {"tests/support/step_mutants.py"}  # data, one entry after the other
MOST_FUNCTION_LINES = 60  # the aim is 50; a docstring does not count
LONG_ON_PURPOSE = {
    ("optimist/vm/fast.py", "advance"),  # the machine's inner loop: a call per opcode would double its time
}

SOURCES = [*find_files("*.py", *CODE), *find_files("*.sol", "solidity/src", "solidity/test")]

# A suppression must name its rule and go on with words: `
_SUPPRESSION = re.compile(
    r"#\s*(?P<tool>noqa|type:\s*ignore|pragma:)"
    r"(?P<rule>:?\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*|\[[\w, -]+\])?(?P<reason>.*)"
)
_LEAST_REASON = 8  # characters: two words


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def count_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body from its first statement, docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_there_is_something_to_lint() -> None:
    assert len(SOURCES) > 100


def test_files_are_at_most_600_lines() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in SOURCES}
    long = {name: lines for name, lines in lengths.items() if lines > MOST_LINES and name not in TABLES}
    assert not long, f"a file does one job, split it: {long}"


def test_functions_are_short() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name} ({count_lines(node)} lines)"
        for path in find_files("*.py", *PACKAGES)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and count_lines(node) > MOST_FUNCTION_LINES
        and (name_of(path), node.name) not in LONG_ON_PURPOSE
    ]
    assert not long, "a function is at most 50 lines; name its parts:\n" + "\n".join(long)


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """Whether it takes any exception for good; cleaning up and raising again is fine."""
    if isinstance(handler.body[-1], ast.Raise) and handler.body[-1].exc is None:
        return False
    caught = [] if handler.type is None else ast.walk(handler.type)
    names = {part.id for part in caught if isinstance(part, ast.Name)}
    return handler.type is None or bool(names & {"Exception", "BaseException"})


def test_nothing_catches_everything() -> None:
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in find_files("*.py", *PACKAGES)
        for node in ast.walk(parse(path))
        if isinstance(node, ast.ExceptHandler) and catches_everything(node)
    ]
    assert not found, f"name the exceptions that are expected; a bug must end the process: {found}"


def test_every_suppression_names_its_rule_and_a_reason() -> None:
    found = []
    for path in find_files("*.py", *CODE):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if path == Path(__file__) or not (match := _SUPPRESSION.search(line)):
                continue
            reason = match["reason"].lstrip(" #-—:")
            if match["rule"] is None or len(reason) < _LEAST_REASON:
                found.append(f"{name_of(path)}:{number}: {line.strip()}")
    for path in find_files("*.sol", "solidity/src", "solidity/test"):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines, 1):
            if "forge-lint: disable" not in line:
                continue
            above, below = lines[number - 2].strip(), lines[number]
            if not above.startswith("//") and "; //" not in below:
                found.append(f"{name_of(path)}:{number}: no reason above, nor beside the line it is for")
    assert not found, "say in words why the rule does not hold here:\n" + "\n".join(found)


def test_there_are_no_marks_of_unfinished_work() -> None:
    marked = [
        name_of(path)
        for path in SOURCES
        if path != Path(__file__) and re.search(r"\b(?:TODO|FIXME|XXX)\b", path.read_text())
    ]
    assert not marked, f"finish it, or say in docs/ what is not there yet: {marked}"
