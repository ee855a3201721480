"""Part 1 of docs/OPERATING.md, typed line by line into a shell, and what it prints."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from tests.support.alert_rules import load_rules
from tests.support.guide import REPOSITORY, Block, open_shell, read_blocks, walk

GUIDE = REPOSITORY / "docs" / "OPERATING.md"
PORTS = ("8545", "8645", "8646", "8647", "8648")


def read_walk() -> list[Block]:
    return read_blocks(GUIDE.read_text().partition("# Part 2")[0])


def find_secrets(directory: Path) -> Iterator[str]:
    """What nobody may read outside of the files it is kept in."""
    for keystore in (directory / "keys").glob("*.json"):
        password = keystore.with_suffix(".password").read_text().strip()
        yield password
        yield bytes(Account.decrypt(json.loads(keystore.read_text()), password)).hex()
    yield (directory / "sequencer" / "admin-token").read_text().strip()


def check_nothing_leaked(directory: Path) -> None:
    """No key, password or token is in any output, nor in any file that is not made for it."""
    said = {
        path.name: path.read_bytes().hex() + path.read_text(errors="replace").lower()
        for path in (*directory.rglob("*"), *directory.parent.glob("*-shell.log"))
        if path.is_file() and path.parent.name != "keys" and path.name != "admin-token"
    }
    programs = {f"{name}.log" for name in ("sequencer", "watcher", "challenger", "liar", "walk-shell")}
    assert programs <= set(said)
    secrets = list(find_secrets(directory))
    assert len(secrets) == 11, "five keys, five passwords, one token"
    for secret in secrets:
        assert [name for name, text in said.items() if secret in text] == []


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_new_operator_deploys_runs_watches_breaks_and_recovers(tmp_path: Path) -> None:
    directory = tmp_path / "walk"
    directory.mkdir()
    with open_shell(directory, PORTS) as shell:
        walk(shell, read_walk())
    check_nothing_leaked(directory)


def test_guide_has_all_that_was_promised() -> None:
    headings = {block.heading for block in read_walk()}
    assert len(headings) == 8
    assert {"## 3. Deploy", "## 6. Break something", "## 7. A lie"} <= headings
    assert all(block.commands.strip() for block in read_walk())


def test_every_alert_has_a_paragraph_and_every_paragraph_an_alert() -> None:
    part = GUIDE.read_text().partition("# Part 3")[2]
    told = dict(re.findall(r"^### (\w+)\n\*(page|ticket)\.\*", part, re.MULTILINE))
    assert told == {rule.name: rule.severity for rule in load_rules()}
