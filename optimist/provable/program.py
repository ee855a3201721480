"""A law as source texts: run natively in a namespace of its own, or compiled. Presets and patched laws
are other texts.

Modules are looked up by name among `sources`, never among what is installed: a preset replaces one text,
and two laws live side by side in one process.
"""

import builtins
from collections.abc import Callable, Mapping
from functools import cached_property
from types import ModuleType
from typing import Any, Final

from optimist.provable.check.symbols import FOREIGN
from optimist.provable.compiled import MAX_STEPS, CompiledProgram, compile_program

Entry = Callable[[], None]


class Program:
    """The source texts of one law and the function that applies one input."""

    def __init__(
        self, sources: Mapping[str, str], entry: str, files: Mapping[str, str] | None = None
    ) -> None:
        """`sources`: module name -> text. `entry`: "package.module.function". `files`: paths for messages."""
        self.sources: Final = dict(sources)
        self.entry: Final = entry
        derived = {name: name.replace(".", "/") + ".py" for name in sources}
        self.files: Final = derived | dict(files or {})

    def compile(self, max_steps: int = MAX_STEPS) -> CompiledProgram:
        """The image and its bounds. Raises Refused when the law is not provable within `max_steps`."""
        return compile_program(self.sources, self.files, self.entry, max_steps)

    def native(self) -> Entry:
        """The entry as a Python function over the ambient input and state: see `State.apply`."""
        module, _, name = self.entry.rpartition(".")
        entry: Entry = getattr(self.modules.load(module), name)
        return entry

    @cached_property
    def modules(self) -> "LawModules":
        """The modules of the law, run natively."""
        return LawModules(self.sources, self.files)


class LawModules:
    """Runs the texts of a law as modules that only they can import."""

    def __init__(self, sources: Mapping[str, str], files: Mapping[str, str]) -> None:
        self._sources = sources
        self._files = files
        self._loaded: dict[str, ModuleType] = {}

    def load(self, name: str) -> ModuleType:
        """The module of that name. Raises ImportError when it is no module of the law."""
        if name not in self._loaded:
            if name not in self._sources:
                raise ImportError(f"{name} is no module of this law")
            module = ModuleType(name)
            self._loaded[name] = module
            module.__dict__["__builtins__"] = {**builtins.__dict__, "__import__": self._import}
            code = compile(self._sources[name], self._files[name], "exec", dont_inherit=True)
            exec(code, module.__dict__)  # noqa: S102 - running the law is what this is for
        return self._loaded[name]

    def _import(
        self,
        name: str,
        scope: Any = None,
        local: Any = None,
        wanted: Any = (),
        level: int = 0,
    ) -> ModuleType:
        if name in self._sources:
            return self.load(name)
        if name in FOREIGN:
            found: ModuleType = builtins.__import__(name, scope, local, wanted, level)
            return found
        raise ImportError(f"{name} is no module of this law, nor one of {', '.join(FOREIGN)}")
