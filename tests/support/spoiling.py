"""Twins from which a check was taken out. If nothing is lost without it, the check (or its test) is in vain.

A cut quotes the source that it changes, exactly; a quotation that no longer occurs once is an error.
"""

from dataclasses import dataclass
from pathlib import Path

from challenger.trace.alphabet import MACHINE_RULES
from tests.support.arena import Arena
from tests.support.twin_source import SOURCES, Patch, load_protocol


@dataclass(frozen=True, slots=True)
class Cut:
    """Replace `old` by `new` in the source of the twin, wherever in it `old` stands."""

    old: str
    new: str


def spoil(arena: Arena, *cuts: Cut) -> None:
    """Give the arena rules with these cuts, from the beginning."""
    protocol = load_protocol(tuple(Patch(find_module(cut), cut.old, cut.new) for cut in cuts))
    arena.rollup = protocol.rollup(arena.parameters, arena.state, arena.now)
    arena.dispute = protocol.dispute(arena.rollup, MACHINE_RULES)


def find_module(cut: Cut) -> str:
    """The module of the twin that a cut quotes. Raises ValueError when it is not exactly one."""
    holders = [name for name, module in SOURCES.items() if cut.old in Path(str(module.__file__)).read_text()]
    if len(holders) != 1:
        raise ValueError(f"the twin has to say this once: {cut.old!r}")
    return holders[0]
