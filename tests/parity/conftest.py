"""Counts what was compared and prints it at the end; offers real traces to compare."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from optimist.vm.isa import Op
from optimist.vm.walker import Walker
from tests.support.machine_cases import Cell
from tests.support.machine_programs import PROGRAMS
from tests.support.real_steps import KINDS

COUNTED = "steps compared"
SHARED = "steps compared by origin"
REASONED = "causes out of reach"


@pytest.fixture
def count_steps(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Report a number of compared steps under a name; the sums are printed after the run."""

    def count(name: str, steps: int) -> None:
        record_property(COUNTED, [name, steps])

    return count


@pytest.fixture
def count_shares(
    record_property: Callable[[str, object], None],
) -> Callable[[Cell, Counter[str], int], None]:
    """Report where the compared steps of an opcode and cause came from, and from how many instructions."""

    def count(cell: Cell, shares: Counter[str], instructions: int) -> None:
        record_property(SHARED, [int(cell[0]), cell[1], [shares[kind] for kind in KINDS], instructions])

    return count


@pytest.fixture
def record_reason(record_property: Callable[[str, object], None]) -> Callable[[Cell, str], None]:
    """Report why no compiled program rejects for a cause."""

    def record(cell: Cell, reason: str) -> None:
        record_property(REASONED, [int(cell[0]), cell[1], reason])

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many steps were equal in Python and in the EVM, by opcode, cause and source."""
    print_counts(terminalreporter)
    print_shares(terminalreporter)
    print_reasons(terminalreporter)


def find_values(terminalreporter: pytest.TerminalReporter, name: str) -> Iterator[list[Any]]:
    """What the tests that passed have recorded under a name."""
    for report in terminalreporter.getreports("passed"):
        yield from (value for key, value in report.user_properties if key == name)


def print_counts(terminalreporter: pytest.TerminalReporter) -> None:
    """Sums by name."""
    counts: Counter[str] = Counter()
    for name, steps in find_values(terminalreporter, COUNTED):
        counts[name] += steps
    if counts:
        terminalreporter.section("machine steps equal in fast.py, step.py and Step.sol")
        for name in sorted(counts):
            terminalreporter.line(f"{name:40} {counts[name]:>9,}")
        terminalreporter.line(f"{'all':40} {sum(counts.values()):>9,}")


def print_shares(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each opcode and cause, sorted by cause."""
    rows = sorted(
        find_values(terminalreporter, SHARED), key=lambda row: (row[1] != "ordinary", row[1], row[0])
    )
    if not rows:
        return
    terminalreporter.section("the same by opcode and cause: where the states come from")
    titles = ("all", *KINDS, "traced instructions")
    terminalreporter.line(f"{'':42}" + "".join(f"  {title:>7}" for title in titles))

    def print_row(name: str, numbers: list[int]) -> None:
        columns = (
            f"  {number:>{max(7, len(title))},}" for number, title in zip(numbers, titles, strict=False)
        )
        terminalreporter.line(f"{name:42}" + "".join(columns))

    for op, cause, shares, instructions in rows:
        print_row(f"{Op(op).name} {cause}", [sum(shares), *shares, instructions])
    sums = [sum(column) for column in zip(*(row[2] for row in rows), strict=True)]
    print_row("all", [sum(sums), *sums])


def print_reasons(terminalreporter: pytest.TerminalReporter) -> None:
    """Each reason once, with the opcodes that it is given for."""
    opcodes: dict[tuple[str, str], list[str]] = {}
    for op, cause, reason in find_values(terminalreporter, REASONED):
        opcodes.setdefault((cause, reason), []).append(Op(op).name)
    if opcodes:
        terminalreporter.section("causes that no compiled program rejects for, and why")
    for (cause, reason), names in opcodes.items():
        terminalreporter.line(f"{cause}, {' '.join(names)}: {reason}")


@pytest.fixture(params=sorted(PROGRAMS))
def traces(request: pytest.FixtureRequest) -> Callable[[int], list[Walker]]:
    """Machines about to execute real inputs, by seed: one source of programs at a time."""
    source: Callable[[int], list[Walker]] = PROGRAMS[request.param]
    return source
