"""Counts what was compared and prints it at the end; offers real traces to compare."""

from collections import Counter
from collections.abc import Callable

import pytest

from optimist.vm.walker import Walker
from tests.support.machine_programs import PROGRAMS

COUNTED = "steps compared"


@pytest.fixture
def count_steps(record_property: Callable[[str, object], None]) -> Callable[[str, int], None]:
    """Report a number of compared steps under a name; the sums are printed after the run."""

    def count(name: str, steps: int) -> None:
        record_property(COUNTED, [name, steps])

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many steps were equal in Python and in the EVM, by opcode or source."""
    counts: Counter[str] = Counter()
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == COUNTED:
                counts[value[0]] += value[1]
    if counts:
        terminalreporter.section("machine steps equal in fast.py, step.py and Step.sol")
        for name in sorted(counts):
            terminalreporter.line(f"{name:40} {counts[name]:>9,}")
        terminalreporter.line(f"{'all':40} {sum(counts.values()):>9,}")


@pytest.fixture(params=sorted(PROGRAMS))
def traces(request: pytest.FixtureRequest) -> Callable[[int], list[Walker]]:
    """Machines about to execute real inputs, by seed: one source of programs at a time."""
    source: Callable[[int], list[Walker]] = PROGRAMS[request.param]
    return source
