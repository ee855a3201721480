"""What README.md and docs/OPERATING.md tell people to type exists: commands, flags, settings, metrics."""

import re
from collections.abc import Iterator

import click
import pytest

from challenger.cli import main as challenger
from optimist.api.account_command import account
from optimist.cli import main as optimist
from optimist.exit.command import exit_command, force_command, seal_command
from optimist.operator.config_command import command as config
from optimist.operator.deploy_command import command as deploy
from optimist.operator.key_command import command as key
from optimist.sequencer.command import command as sequencer
from tests.lint.tree import PACKAGES, REPOSITORY, find_files

PAGES = ("README.md", "docs/OPERATING.md")
MANUAL = (REPOSITORY / "docs" / "OPERATING.md").read_text()
# Flags of other tools that these pages use, and the one that only the liar has.
OTHERS = {"--port", "--block-time", "--slots-in-an-epoch", "--silent", "--unlocked", "--from", "--fault"}


def find_options(command: click.Command) -> Iterator[str]:
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from find_options(each)
    for option in command.params:
        if isinstance(option, click.Option):
            yield from (*option.opts, *option.secondary_opts)


COMMANDS = (
    *(optimist, challenger, sequencer, deploy, config, key, account),
    *(exit_command, seal_command, force_command),
)
OPTIONS = {flag for command in COMMANDS for flag in find_options(command)}


@pytest.mark.parametrize("page", PAGES)
def test_named_commands_exist(page: str) -> None:
    ours = {"optimist": set(optimist.commands), "challenger": set(challenger.commands)}
    text = (REPOSITORY / page).read_text()
    named = set(re.findall(r"(?:^|[`(;&|]\s?|\"|while )(optimist|challenger) ([a-z-]+)", text, re.MULTILINE))
    assert len(named) >= 8, named
    assert {(program, name) for program, name in named if name not in ours[program]} == set()


@pytest.mark.parametrize("page", PAGES)
def test_named_flags_exist(page: str) -> None:
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9.-]*[a-z0-9])", (REPOSITORY / page).read_text()))
    assert len(named) > 8
    assert named - OPTIONS - OTHERS == set()


def test_settings_that_the_manual_names_exist() -> None:
    named = set(re.findall(r"`([a-z0-9]+\.(?!json`|toml`|yml`)[a-z0-9_]+)`", MANUAL))
    assert len(named) >= 2
    assert {name for name in named if f"--{name}".replace("_", "-") not in OPTIONS} == set()


def test_metrics_and_events_that_the_manual_names_exist() -> None:
    source = "\n".join(path.read_text() for path in find_files("*.py", *PACKAGES))
    named = set(re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+)`", MANUAL))
    assert len(named) > 5
    bare = {name: name.removeprefix("optimist_").removesuffix("_total") for name in named}
    assert {name for name, written in bare.items() if written not in source} == set()
