"""Arrows point down (the contracts stand in pyproject.toml), and every pure room is under contract."""

import tomllib
from typing import Any

from importlinter.cli import lint_imports

from tests.lint.tree import REPOSITORY

PURE_ROOMS = {
    "optimist.base",
    "optimist.derive",
    "optimist.provable",
    "optimist.prove",
    "optimist.stf",
    "optimist.vm",
    "challenger.game",
    "challenger.monitor",
    "challenger.strategy",
    "challenger.trace",
}


def read_contracts() -> list[dict[str, Any]]:
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    contracts: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return contracts


def test_import_contracts_are_kept() -> None:
    assert lint_imports(config_filename=str(REPOSITORY / "pyproject.toml"), no_cache=True) == 0


def test_every_pure_room_is_under_the_purity_contract() -> None:
    existing = {room for room in PURE_ROOMS if (REPOSITORY / room.replace(".", "/") / "__init__.py").exists()}
    (contract,) = [c for c in read_contracts() if c["name"].startswith("Pure rooms")]
    assert set(contract["source_modules"]) == existing
