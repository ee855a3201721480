"""The law as a whole: its sources for a preset, as one program. Not part of the law itself.

In the sources of a law `optimist.stf.preset` is one of `presets/`. One `Program` runs natively and compiles,
so what runs and what is proven are one text. Every program has modules of its own: two presets, or a law and
an altered copy of it, live side by side in one process.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from optimist.provable.program import Program

PRESET_MODULE: Final = "optimist.stf.preset"
ENTRY: Final = "optimist.stf.transition.apply_input"

# Every module of the law, in the order in which a reader may want them.
MODULES: Final = (
    "optimist.stf.transition",
    "optimist.stf.inputs",
    "optimist.stf.records",
    "optimist.stf.notes",
    "optimist.stf.codes",
    "optimist.stf.constants",
    PRESET_MODULE,
    "optimist.stf.genesis",
    "optimist.stf.markets",
    "optimist.stf.timelock",
    "optimist.stf.header",
    "optimist.stf.clock",
    "optimist.stf.deposit",
    "optimist.stf.withdrawal",
    "optimist.stf.forced",
    "optimist.stf.oracle",
    "optimist.stf.freshness",
    "optimist.stf.funding",
    "optimist.stf.sides",
    "optimist.stf.group",
    "optimist.stf.signatures",
    "optimist.stf.session",
    "optimist.stf.cancel",
    "optimist.stf.transfer",
    "optimist.stf.fees",
    "optimist.stf.orders",
    "optimist.stf.trade",
    "optimist.stf.positions",
    "optimist.stf.mark",
    "optimist.stf.volatility",
    "optimist.stf.open_interest",
    "optimist.stf.tiers",
    "optimist.stf.margin",
    "optimist.stf.liquidation",
    "optimist.stf.reduce",
    "optimist.stf.settlement",
    "optimist.stf.wind_down",
)
PRESETS: Final = ("minimal", "mainnet")

Apply = Callable[[], None]


def get_file(module: str, preset: str) -> str:
    """File of a module of the law, from the root of the repository. Raises ValueError: unknown preset."""
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}; use one of: {', '.join(PRESETS)}")
    if module == PRESET_MODULE:
        module = f"optimist.stf.presets.{preset}"
    return module.replace(".", "/") + ".py"


def read_sources(preset: str) -> Mapping[str, str]:
    """Module name -> source text of the law for a preset. Raises ValueError for an unknown preset."""
    root = files("optimist.stf")
    paths = {module: get_file(module, preset).removeprefix("optimist/stf/") for module in MODULES}
    return {module: root.joinpath(path).read_text(encoding="utf-8") for module, path in paths.items()}


@cache
def get_program(preset: str) -> Program:
    """The law for a preset. Raises ValueError for an unknown preset."""
    return Program(read_sources(preset), ENTRY, {PRESET_MODULE: get_file(PRESET_MODULE, preset)})


@cache
def get_law(preset: str) -> Apply:
    """The law for a preset, running natively: to be given to `State.apply`."""
    return get_program(preset).native()
