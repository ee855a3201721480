"""Holds what slither has found against what was reviewed: `python -m tests.support.slither_review REPORT`.

REPORT is slither's JSON, the review `solidity/audit/findings.toml`. Exit code 1: a finding is not reviewed,
or a reviewed one is gone; each is named.
"""

import json
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

REVIEW: Final = Path(__file__).resolve().parents[2] / "solidity" / "audit" / "findings.toml"
ANYWHERE: Final = "*"
LEAST_REASON: Final = 40  # characters

Finding = tuple[str, str]  # detector, Contract.function


def read_findings(report: str) -> set[Finding]:
    """What slither reports, by detector and place. Raises ValueError when it did not finish."""
    answer = json.loads(report)
    if not answer.get("success"):
        raise ValueError(f"slither did not finish: {answer.get('error')}")
    return {
        (found["check"], _name_place(found["elements"][0]))
        for found in answer["results"].get("detectors", [])
    }


def read_review(text: str) -> set[Finding]:
    """What was reviewed. Raises ValueError for an entry without a reason worth the name."""
    reviewed = set()
    for entry in tomllib.loads(text)["reviewed"]:
        if len(entry["why"]) < LEAST_REASON:
            raise ValueError(f"say why the findings of {entry['detector']} stay, not {entry['why']!r}")
        reviewed |= {(entry["detector"], place) for place in entry["where"]}
    return reviewed


def compare(found: set[Finding], reviewed: set[Finding]) -> list[str]:
    """One line for each difference."""
    everywhere = {detector for detector, place in reviewed if place == ANYWHERE}
    new = {finding for finding in found - reviewed if finding[0] not in everywhere}
    gone = {finding for finding in reviewed - found if finding[1] != ANYWHERE}
    gone |= {(detector, ANYWHERE) for detector in everywhere - {detector for detector, _ in found}}
    return [f"nobody has reviewed {detector} in {place}" for detector, place in sorted(new)] + [
        f"{detector} in {place} was reviewed but is gone: strike it" for detector, place in sorted(gone)
    ]


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 when all findings, and nothing else, have been reviewed."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    found, reviewed = read_findings(Path(arguments[0]).read_text()), read_review(REVIEW.read_text())
    differences = compare(found, reviewed)
    sys.stdout.write("".join(f"slither: {line}\n" for line in differences))
    sys.stdout.write(f"slither: {len(found)} places, {len(differences)} not as in {REVIEW.name}\n")
    return 1 if differences else 0


def _name_place(element: dict[str, Any]) -> str:
    parent = element.get("type_specific_fields", {}).get("parent")
    return f"{_name_place(parent)}.{element['name']}" if parent and parent["name"] else str(element["name"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
