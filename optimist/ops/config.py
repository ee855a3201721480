"""Settings of every program, with one precedence: flag > environment > file > default.

A program's settings are one class. Each field is at once

    a flag            --l1-rpc, --key.password-file      (nested sections are joined by a dot)
    an environment    OPTIMIST_L1_RPC, OPTIMIST_KEY_PASSWORD_FILE
    a line of TOML    l1_rpc = "..."; [key] password_file = "..."

A field that holds a secret has no flag: flags are visible to every user of the machine (`ps`).

    ConfigError       what was wrong, where it came from, what to do. Never shows the value.
"""

import types
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps
from pathlib import Path
from typing import Any, Literal, Self, Union, get_args, get_origin
from urllib.parse import urlsplit

import click
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

ENVIRONMENT_PREFIX = "OPTIMIST_"

_file_to_load: ContextVar[Path | None] = ContextVar("_file_to_load", default=None)


class ConfigError(click.UsageError):
    """The settings do not make sense. Ends the program with exit code 2 and one line a fault."""


class Section(BaseModel):
    """A named group of settings inside a `Settings` class: `--key.file` is field `file` of section `key`."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )


class Settings(BaseSettings):
    """Base of every program's settings. Immutable once loaded; the docstring of a field is its help text."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def load(cls, flags: Mapping[str, Any] | None = None, file: Path | None = None) -> Self:
        """Settings from flags (sections as nested mappings), the environment and a TOML file.

        Raises ConfigError.
        """
        if file is not None and not file.is_file():
            raise ConfigError(f"there is no configuration file {file}")
        token = _file_to_load.set(file)
        try:
            return cls(**(flags or {}))
        except ValidationError as error:
            raise ConfigError("\n".join(_explain(cls, error))) from None
        except (SettingsError, ValueError) as error:  # ValueError: the file is not TOML
            raise ConfigError(f"cannot read the settings: {error}") from None
        finally:
            _file_to_load.reset(token)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The precedence. No .env file and no secrets directory: two more places to look are two too many."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _file_to_load.get())

    def masked(self) -> dict[str, Any]:
        """The effective settings for people and logs: secrets hidden, URLs without path and credentials."""
        return {name: mask_setting(value) for name, value in self.model_dump().items()}


def settings_options(
    cls: type[Settings], *, keep_given: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator for a click command: adds a flag for every field of `cls` and `--config FILE`.

    The command receives one argument more, `settings`; with `keep_given` also `given`, the flags as nested
    mappings, and `config_file`. Other click options pass through untouched.
    """
    flags = list(_flags(cls))

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def run(*args: Any, config: Path | None, **options: Any) -> Any:
            given: dict[str, Any] = {}
            for _, parameter, path in flags:
                value = options.pop(parameter)
                if value is None or value == ():
                    continue  # not on the command line: the environment, the file or the default decides
                at = given
                for name in path[:-1]:
                    at = at.setdefault(name, {})
                at[path[-1]] = value
            if keep_given:
                options |= {"given": given, "config_file": config}
            return command(*args, settings=cls.load(given, config), **options)

        decorated: Callable[..., Any] = run
        for option, _, _ in reversed(flags):
            decorated = option(decorated)
        return click.option(
            "--config",
            type=click.Path(dir_okay=False, path_type=Path),
            envvar=f"{ENVIRONMENT_PREFIX}CONFIG",
            help="TOML file with settings; flags and environment win over it.",
        )(decorated)

    return decorate


def _flags(cls: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[Any, str, tuple[str, ...]]]:
    """(click option, its parameter name, path of the field) for every field that may be a flag."""
    for name, field in cls.model_fields.items():
        here = (*path, name)
        kind = _plain_type(field.annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _flags(kind, here)
        elif kind is not SecretStr:
            parameter = "_".join(here)
            yield _make_option(here, parameter, kind, field), parameter, here


def _make_option(path: tuple[str, ...], parameter: str, kind: Any, field: FieldInfo) -> Any:
    name = "--" + ".".join(path).replace("_", "-")
    environment = ENVIRONMENT_PREFIX + "_".join(path).upper()
    default = (
        "" if field.is_required() or field.default in (None, ()) else f" Default: {_show(field.default)}."
    )
    text = f"{(field.description or '').strip()}{default} [{environment}]"
    if kind is bool:
        return click.option(f"{name}/--no-{name[2:]}", parameter, default=None, help=text)
    multiple = get_origin(kind) is tuple
    element = get_args(kind)[0] if multiple else kind
    return click.option(name, parameter, type=_click_type(element), multiple=multiple, help=text)


def _click_type(kind: Any) -> Any:
    if get_origin(kind) is Literal:
        return click.Choice([str(choice) for choice in get_args(kind)])
    if kind is Path:
        return click.Path(path_type=Path)
    return kind if kind in (int, float) else str


def _plain_type(annotation: Any) -> Any:
    """The type without `| None`."""
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not types.NoneType]
        return kinds[0] if len(kinds) == 1 else str
    return annotation


def _show(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _explain(cls: type[BaseModel], error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_input=False, include_url=False):
        path = [str(part) for part in fault["loc"] if isinstance(part, str)]
        if not path:
            yield str(fault["msg"]).removeprefix("Value error, ")
            continue
        flag, environment = (
            "--" + ".".join(path).replace("_", "-"),
            ENVIRONMENT_PREFIX + "_".join(path).upper(),
        )
        places = environment if _is_secret(cls, path) else f"{flag}, {environment}"
        what = {"missing": "is missing", "extra_forbidden": "is no setting of this program"}.get(
            fault["type"], str(fault["msg"]).removeprefix("Value error, ")
        )
        yield f"{'.'.join(path)}: {what} ({places} or the file given with --config)"


def _is_secret(cls: type[BaseModel], path: list[str]) -> bool:
    field = cls.model_fields.get(path[0])
    kind = _plain_type(field.annotation) if field else None
    if len(path) > 1 and isinstance(kind, type) and issubclass(kind, BaseModel):
        return _is_secret(kind, path[1:])
    return kind is SecretStr


def mask_setting(value: Any) -> Any:
    """A value as it may be shown: secrets hidden, URLs without path and credentials."""
    if isinstance(value, dict):
        return {name: mask_setting(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [mask_setting(item) for item in value]
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, str) and "://" in value:
        return mask_url(value)
    return str(value) if isinstance(value, Path) else value


def mask_url(url: str) -> str:
    """`url` without what may be a credential: RPC providers put their keys into path, query or user."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    secret = parts.username or parts.query or parts.path.strip("/")
    return f"{parts.scheme}://{host}{port}{'/***' if secret else ''}"
