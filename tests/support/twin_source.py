"""The contracts' twin as it is shipped, or with one planted bug: a patch of its source.

A patch quotes the source that it changes. When that text is gone, loading fails: a planted bug cannot rot.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from challenger.game import dispute, rollup

ROLLUP: Final = "rollup"
DISPUTE: Final = "dispute"
SOURCES: Final[dict[str, ModuleType]] = {ROLLUP: rollup, DISPUTE: dispute}


@dataclass(frozen=True, slots=True)
class Patch:
    """One replacement in the source of one module of `challenger/game`."""

    module: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Protocol:
    """The classes that judge: those of `challenger/game`, or patched copies of them."""

    rollup: Any  # type[Rollup]: a patched copy is a class of its own
    dispute: Any  # type[Dispute]


SHIPPED: Final = Protocol(rollup.Rollup, dispute.Dispute)


@cache
def load_protocol(patches: tuple[Patch, ...]) -> Protocol:
    """The protocol with these patches; raises ValueError when the source has no such text, or more of it."""
    modules = {name: _load(name, [p for p in patches if p.module == name]) for name in SOURCES}
    return Protocol(modules[ROLLUP].Rollup, modules[DISPUTE].Dispute)


def _load(name: str, patches: Sequence[Patch]) -> ModuleType:
    shipped = SOURCES[name]
    if not patches:
        return shipped
    text = Path(str(shipped.__file__)).read_text(encoding="utf-8")
    for patch in patches:
        if text.count(patch.old) != 1:
            raise ValueError(f"{text.count(patch.old)} places in {name}.py read {patch.old!r}, not one")
        text = text.replace(patch.old, patch.new)
    module = ModuleType(f"planted_{name}")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(compile(text, f"planted {name}.py", "exec"), module.__dict__)  # noqa: S102 - our own source, patched
    return module
