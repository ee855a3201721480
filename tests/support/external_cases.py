"""Figures from the test suites of other exchanges, and who replays them.

They are not part of this repository. `DATA=<folder> make test-data` finds them in its `external_cases.json`:
a list of cases, each with an id, a system, inputs and expected figures, and its source.
"""

import json
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, TypeVar

PPM: Final = 10**6

# Whose perpetuals we replay; options and pure mathematics of other systems are for later parts of the law.
PERPETUALS: Final = ("StarkEx", "Extended", "dYdX v4", "Paradex", "Drift")

F = TypeVar("F", bound=Callable[..., object])

_replayed: dict[str, str] = {}


def replays(case_id: str) -> Callable[[F], F]:
    """Mark a test as the one that replays a case."""

    def mark(test: F) -> F:
        _replayed[case_id] = test.__name__
        return test

    return mark


def get_replayed() -> frozenset[str]:
    """Ids of the cases that some imported test replays."""
    return frozenset(_replayed)


def read_cases() -> list[dict[str, Any]]:
    """All cases of the folder that $DATA names. Raises KeyError without $DATA, OSError without the file."""
    path = Path(os.environ["DATA"]) / "external_cases.json"
    cases: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cases"]
    return cases


def is_perpetual(case: dict[str, Any]) -> bool:
    """True for a case that this law has to replay."""
    return str(case["system"]).startswith(PERPETUALS)


def exact(value: float) -> Fraction:
    """The decimal that was written in the file."""
    return Fraction(str(value))


def ppm(value: float) -> int:
    return int(exact(value) * PPM)
