"""The law as a whole: its sources for a preset, and that law running natively. Not part of the law itself.

A law is a set of module sources, in which `optimist.stf.preset` is one of `presets/`. The compiler takes the
same set, so what runs natively and what is proven are one text. `load_native` gives each law modules of its
own: two presets, or a law and an altered copy of it, live side by side in one process.
"""

import builtins
import sys
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from types import ModuleType
from typing import Any, Final

PRESET_MODULE: Final = "optimist.stf.preset"
ENTRY_MODULE: Final = "optimist.stf.transition"
ENTRY_FUNCTION: Final = "apply_input"

# Every module of the law, in the order in which a reader may want them.
MODULES: Final = (
    ENTRY_MODULE,
    "optimist.stf.inputs",
    "optimist.stf.records",
    "optimist.stf.codes",
    "optimist.stf.constants",
    PRESET_MODULE,
    "optimist.stf.genesis",
    "optimist.stf.header",
    "optimist.stf.clock",
    "optimist.stf.deposit",
    "optimist.stf.withdrawal",
    "optimist.stf.forced",
    "optimist.stf.oracle",
    "optimist.stf.orders",
    "optimist.stf.trade",
    "optimist.stf.positions",
    "optimist.stf.margin",
    "optimist.stf.liquidation",
)
PRESETS: Final = ("minimal", "mainnet")

Apply = Callable[[], None]


def get_path(module: str, preset: str) -> str:
    """File of a module of the law, from the root of the repository. Raises ValueError: unknown preset."""
    if preset not in PRESETS:
        raise ValueError(f"unknown preset {preset!r}; use one of: {', '.join(PRESETS)}")
    if module == PRESET_MODULE:
        module = f"optimist.stf.presets.{preset}"
    return module.replace(".", "/") + ".py"


@cache
def read_sources(preset: str) -> Mapping[str, str]:
    """Module name -> source text of the law for a preset. Raises ValueError for an unknown preset."""
    root = files("optimist.stf")
    texts = {}
    for module in MODULES:
        path = root.joinpath(get_path(module, preset).removeprefix("optimist/stf/"))
        texts[module] = path.read_text(encoding="utf-8")
    return texts


@cache
def get_law(preset: str) -> Apply:
    """`apply_input` of the law for a preset, to be given to `State.apply`."""
    return load_native(read_sources(preset))


def load_native(sources: Mapping[str, str]) -> Apply:
    """Run the modules in `sources` apart from any others, and return their `apply_input`.

    Imports among them are resolved among them, all other imports as usual.
    """
    modules: dict[str, ModuleType] = {}

    def load(name: str) -> ModuleType:
        if name not in modules:
            module = modules[name] = ModuleType(name)
            module.__dict__["__builtins__"] = own_builtins
            # Tracebacks and the coverage of tests know the law by its files.
            origin = sys.modules["optimist.stf"].__path__[0] + "/" + name.rpartition(".")[2] + ".py"
            exec(compile(sources[name], origin, "exec"), module.__dict__)  # noqa: S102 - the law's own source
        return modules[name]

    def import_own(name: str, *arguments: Any, **options: Any) -> ModuleType:
        return load(name) if name in sources else builtins.__import__(name, *arguments, **options)

    own_builtins = {**vars(builtins), "__import__": import_own}
    entry: Apply = getattr(load(ENTRY_MODULE), ENTRY_FUNCTION)
    return entry
