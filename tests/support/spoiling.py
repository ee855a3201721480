"""Twins from which a check was taken out. If nothing is lost without it, the check (or its test) is in vain.

A cut quotes the source that it changes, exactly; a quotation that no longer occurs once is an error.
"""

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import challenger.game.dispute
import challenger.game.rollup
from challenger.trace.alphabet import MACHINE_RULES
from tests.support.arena import Arena

_MODULES: Final = {"rollup": challenger.game.rollup, "dispute": challenger.game.dispute}


@dataclass(frozen=True, slots=True)
class Cut:
    """Replace `old` by `new` in the source of the twin."""

    old: str
    new: str


def spoil(arena: Arena, *cuts: Cut) -> None:
    """Give the arena rules with these cuts, from the beginning."""
    sources = {name: Path(str(module.__file__)).read_text() for name, module in _MODULES.items()}
    for cut in cuts:
        holders = [name for name, source in sources.items() if cut.old in source]
        if len(holders) != 1 or sources[holders[0]].count(cut.old) != 1:
            raise ValueError(f"the twin has to say this once: {cut.old!r}")
        sources[holders[0]] = sources[holders[0]].replace(cut.old, cut.new)
    rollup: Any = _load("rollup", sources["rollup"]).Rollup(arena.parameters, arena.state, arena.now)
    arena.rollup = rollup
    arena.dispute = _load("dispute", sources["dispute"]).Dispute(rollup, MACHINE_RULES)


def _load(name: str, source: str) -> Any:
    module = ModuleType(f"spoilt_{name}")
    exec(compile(source, module.__name__, "exec"), module.__dict__)  # noqa: S102 - the twin's own source
    return module
