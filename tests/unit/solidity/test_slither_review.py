"""A finding passes only if somebody has written down why it stays; the real review is whole."""

import json

import pytest

from tests.support.slither_review import REVIEW, compare, read_findings, read_review

FILE = {"type": "contract", "name": "Vault", "type_specific_fields": {}}
FUNCTION = {"type": "function", "name": "pay", "type_specific_fields": {"parent": FILE}}


def write_report(*findings: dict[str, object]) -> str:
    return json.dumps({"success": True, "results": {"detectors": list(findings)}})


def test_a_finding_is_named_by_detector_contract_and_function() -> None:
    report = write_report({"check": "assembly", "elements": [FUNCTION]})
    assert read_findings(report) == {("assembly", "Vault.pay")}


def test_a_new_finding_and_a_stale_review_are_both_differences() -> None:
    (new, stale) = compare({("assembly", "Vault.pay")}, {("assembly", "Vault.gone")})
    assert new == "nobody has reviewed assembly in Vault.pay"
    assert stale == "assembly in Vault.gone was reviewed but is gone: strike it"


def test_a_detector_can_be_reviewed_everywhere_but_only_while_it_finds_something() -> None:
    everywhere = {("naming-convention", "*")}
    assert compare({("naming-convention", "Vault.TOKEN")}, everywhere) == []
    assert compare(set(), everywhere) == ["naming-convention in * was reviewed but is gone: strike it"]


def test_a_run_that_failed_is_no_clean_run() -> None:
    with pytest.raises(ValueError, match="slither did not finish: no solc"):
        read_findings(json.dumps({"success": False, "error": "no solc", "results": {}}))


def test_a_review_without_a_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="say why the findings of assembly stay"):
        read_review('[[reviewed]]\ndetector = "assembly"\nwhy = "fine"\nwhere = ["Vault.pay"]')


def test_no_finding_of_weight_is_reviewed_everywhere() -> None:
    assert {detector for detector, place in read_review(REVIEW.read_text()) if place == "*"} == {
        "naming-convention"
    }
