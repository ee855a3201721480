"""The law of a preset as everybody needs it: running natively, compiled, and altered to test lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from optimist.provable.compiled import CompiledProgram
from optimist.provable.program import Entry, Program
from optimist.stf.law import get_program
from optimist.vm.image import Image


@dataclass(frozen=True)
class Patch:
    """Another text in one module of the law: `old` stands there exactly once."""

    module: str
    old: str
    new: str


@dataclass(frozen=True)
class Law:
    """One law. Running and compiling it are done once, when first asked for."""

    preset: str
    program: Program

    @cached_property
    def native(self) -> Entry:
        """The law as a function for `State.apply`."""
        return self.program.native()

    @cached_property
    def compiled(self) -> CompiledProgram:
        """The compiled law. Raises Refused when an altered law is not provable any more."""
        return self.program.compile()

    @property
    def image(self) -> Image:
        """What the machine runs; its root is the version of the law."""
        return self.compiled.image


def load_law(preset: str, patches: Sequence[Patch] = ()) -> Law:
    """The law of a preset, with `patches` applied in order.

    Raises ValueError for an unknown preset, and for a patch whose text does not stand in its module exactly
    once. The same arguments give the same object.
    """
    return _load(preset, tuple(patches))


@cache
def _load(preset: str, patches: tuple[Patch, ...]) -> Law:
    program = get_program(preset)
    if not patches:
        return Law(preset, program)
    sources = dict(program.sources)
    for patch in patches:
        found = sources.get(patch.module, "").count(patch.old)
        if found != 1:
            raise ValueError(
                f"the text to replace stands {found} times in {patch.module}, it must stand there once: "
                f"{patch.old!r}"
            )
        sources[patch.module] = sources[patch.module].replace(patch.old, patch.new)
    return Law(preset, Program(sources, program.entry, program.files))
