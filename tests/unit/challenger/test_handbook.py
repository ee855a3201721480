"""docs/CHALLENGING.md quotes what the programs say, and names what they take."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from challenger import exits
from challenger.cli import main

REPOSITORY = Path(__file__).parents[3]
TEXT = (REPOSITORY / "docs" / "CHALLENGING.md").read_text()


def find_sentences(source: Path) -> Iterator[str]:
    """Every string of a module; what is put into it at run time becomes an ellipsis."""
    for node in ast.walk(ast.parse(source.read_text())):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "…" for part in node.values]
            yield "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


SENTENCES = [text for path in (REPOSITORY / "challenger").rglob("*.py") for text in find_sentences(path)]


@pytest.mark.parametrize("quoted", re.findall(r"^\| alarm: \*(.+?)\* \|", TEXT, re.MULTILINE))
def test_every_quoted_alarm_is_one_that_the_player_can_raise(quoted: str) -> None:
    pattern = ".*".join(re.escape(part.strip()) for part in quoted.split("…"))
    assert any(re.search(pattern, sentence) for sentence in SENTENCES), quoted


def test_every_exit_code_is_explained() -> None:
    rows = set(map(int, re.findall(r"^\| (\d) \|", TEXT, re.MULTILINE)))
    assert rows == {0} | {value for name, value in vars(exits).items() if name.startswith("EXIT_")}


def test_every_command_and_every_flag_that_is_named_exists() -> None:
    commands = set(re.findall(r"`?challenger (\w+)", TEXT))
    assert commands >= set(main.commands)
    every = {
        flag
        for command in main.commands.values()
        for option in command.params
        if isinstance(option, click.Option)
        for flag in (*option.opts, *option.secondary_opts)
    }
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9.-]*[a-z0-9])", TEXT))
    assert named <= every, sorted(named - every)
