"""What the packages import is what pyproject.toml declares, no less, no more, each at one exact version."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from typing import Any

from tests.lint.tree import PACKAGES, REPOSITORY, find_files

PROJECT: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]

PYTEST_PLUGIN = "pytest_plugin.py"  # whoever loads it has pytest


def normalize(name: str) -> str:
    """The spelling of a distribution's name that the package index compares by."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(lines: list[str]) -> dict[str, str]:
    """Version by distribution; a line that is not exactly pinned is an error."""
    pins = {}
    for line in lines:
        name, separator, version = line.partition("==")
        assert separator, f"{line}: pin it with =="
        pins[normalize(name)] = version
    return pins


def find_imported_distributions() -> set[str]:
    distributions = packages_distributions()
    imported: set[str] = set()
    for path in find_files("*.py", *PACKAGES):
        if path.name == PYTEST_PLUGIN:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported.update(alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - set(PACKAGES)
    return {normalize(distributions[module][0]) for module in foreign}


def test_what_is_imported_is_what_is_declared() -> None:
    declared = set(read_pins(PROJECT["dependencies"]))
    imported = find_imported_distributions()
    assert imported - declared == set(), "declare these in pyproject.toml: they only come along by accident"
    assert declared - imported == set(), "nothing imports these: take them out of pyproject.toml"


def test_constraints_hold_the_declared_versions() -> None:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    constraints = read_pins([line for line in lines if not line.startswith("#")])
    declared = read_pins(PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"])
    assert declared.items() <= constraints.items(), "run `make lock`"
