"""`config dump`: the settings that a program would run with, and where each value comes from.

Takes the very flags that the program takes. Secrets are hidden, and what may be a credential in a URL.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from optimist.ops.config import ENVIRONMENT_PREFIX, Settings, mask_setting, settings_options


def make_config_command(programs: Mapping[str, type[Settings]]) -> click.Group:
    """The group `config` for programs by name."""

    @click.group()
    def config() -> None:
        """Look at settings."""

    @config.group()
    def dump() -> None:
        """Print every effective setting of a program, and its source: flag, environment, file or default."""

    for name, settings_class in programs.items():
        dump.add_command(_make_dump(name, settings_class))
    return config


def _make_dump(name: str, settings_class: type[Settings]) -> click.Command:
    @click.command(name, help=f"The settings that these flags, environment and file give `{name}`.")
    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
    @settings_options(settings_class, keep_given=True)
    def command(
        settings: Settings, as_json: bool, given: Mapping[str, Any], config_file: Path | None
    ) -> None:
        lines = list(describe(settings, given, config_file))
        if as_json:
            content = {key: {"value": value, "source": source} for key, value, source in lines}
            click.echo(json.dumps(content, indent=2))
            return
        for key, value, source in lines:
            click.echo(f"{key:<28s}{_show(value):<44s}{source}")

    return command


def describe(
    settings: Settings, given: Mapping[str, Any], file: Path | None
) -> Iterator[tuple[str, Any, str]]:
    """(name, masked value, source) of every setting, in the order of the help."""
    kind = type(settings)
    from_environment = EnvSettingsSource(kind)()
    from_file = TomlConfigSettingsSource(kind, file)() if file else {}
    for path, value in _walk(settings):
        environment = ENVIRONMENT_PREFIX + "_".join(path).upper()
        if _has(given, path):
            source = "--" + ".".join(path).replace("_", "-")
        elif _has(from_environment, path):
            source = environment
        elif _has(from_file, path):
            source = str(file)
        else:
            source = "default"
        yield ".".join(path), mask_setting(value), source


def _walk(section: BaseModel, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _walk(value, (*path, name))
        else:
            yield (*path, name), value


def _has(values: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    at: Any = values
    for name in path:
        if not isinstance(at, Mapping) or name not in at:
            return False
        at = at[name]
    return True


def _show(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or "-"
    return "-" if value is None else str(value)
