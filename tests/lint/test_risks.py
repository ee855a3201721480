"""docs/RISKS.md claims nothing without something that makes it true: named functions and tests exist."""

import json
import re

from tests.lint.tree import REPOSITORY

TEXT = (REPOSITORY / "docs" / "RISKS.md").read_text()
CONTRACTS = ("Vault", "Inbox", "Rollup", "Dispute", "Step")
NO_TEST = {
    "Does it call itself a rollup?",
    "Is there a security council, and is it set up properly?",
    "Is there a trusted setup?",
    "Can anybody override the proof system?",
    "Exit window",
}


def test_named_tests_exist() -> None:
    named = re.findall(r"`((?:tests|solidity)/[\w/.]+)(?:::(\w+))?`", TEXT)
    assert len(named) > 30
    missing = []
    for path, test in named:
        file = REPOSITORY / path
        if not file.is_file() or (test and not re.search(rf"\b{test}\(", file.read_text())):
            missing.append(f"{path}::{test}")
    assert not missing, f"docs/RISKS.md names tests that do not exist: {missing}"


def test_named_functions_exist() -> None:
    named = set(re.findall(rf"`({'|'.join(CONTRACTS)})\.(\w+)`", TEXT))
    assert len(named) > 12
    functions = {
        (name, entry["name"])
        for name in CONTRACTS
        for entry in json.loads((REPOSITORY / f"optimist/l1/abi/{name}.json").read_text())
        if entry["type"] == "function"
    }
    files = {("Step", "sol")}
    assert named - functions - files == set()


def test_every_answer_that_can_be_tested_names_a_test() -> None:
    answers = re.findall(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert len(answers) > 15
    untested = {question for question, answer in answers if not re.search(r"`(tests|solidity)/", answer)}
    assert untested == NO_TEST
