"""What a name at the top of a module can stand for."""

import ast
from dataclasses import dataclass
from typing import Final

from optimist.provable.check.refusal import Location
from optimist.provable.check.tree import HASH, Opaque, RecordKind
from optimist.provable.widths import HASH_BYTES, WIDTHS, Range


@dataclass(frozen=True, slots=True)
class ConstantSymbol:
    """A folded constant: int, bool, or 32 bytes."""

    value: int | bool | bytes


@dataclass(frozen=True, slots=True)
class EnumSymbol:
    """A class of named integers."""

    name: str
    members: dict[str, int]


@dataclass(frozen=True, slots=True)
class WidthSymbol:
    """A width with a name."""

    width: Range


@dataclass(frozen=True, slots=True)
class VectorSymbol:
    """The type of a vector field."""

    element: Range
    length: int


@dataclass(frozen=True, slots=True)
class KindSymbol:
    """bool or b32."""

    kind: Opaque


@dataclass(frozen=True, slots=True)
class RecordSymbol:
    """A record class."""

    kind: RecordKind


@dataclass(frozen=True, slots=True, eq=False)
class FunctionSymbol:
    """A function of the law, not yet checked."""

    name: str
    module: str
    node: ast.FunctionDef
    is_inline: bool
    is_handler: bool


@dataclass(frozen=True, slots=True)
class WordSymbol:
    """A word of the language: an intrinsic, `min`, `range`, `Annotated`."""

    name: str


Symbol = (
    ConstantSymbol
    | EnumSymbol
    | WidthSymbol
    | VectorSymbol
    | KindSymbol
    | RecordSymbol
    | FunctionSymbol
    | WordSymbol
)

INTRINSICS: Final = (
    "bit_length",
    "ceil_div",
    "eip712_digest",
    "fit",
    "handler",
    "inline",
    "input_b32",
    "input_int",
    "input_length",
    "input_uint",
    "keccak_of",
    "keccak_text",
    "load",
    "mul_shift_right",
    "note",
    "peek",
    "record",
    "recover_signer",
    "reject",
    "require",
    "store",
    "zero",
)
BUILTINS: Final = ("abs", "bool", "int", "max", "min", "range", "tuple")

# Importable by module; every other import must be another module of the law.
FOREIGN: Final[dict[str, dict[str, Symbol]]] = {
    "typing": {name: WordSymbol(name) for name in ("Annotated", "Final")},
    "enum": {"IntEnum": WordSymbol("IntEnum")},
    "optimist.provable": {
        **{name: WordSymbol(name) for name in (*INTRINSICS, "Range", "Vec")},
        **{name: WidthSymbol(width) for name, width in WIDTHS.items()},
        "b32": KindSymbol(HASH),
    },
}

# No name of the law may hide one of these.
RESERVED: Final = frozenset(BUILTINS) | frozenset(name for table in FOREIGN.values() for name in table)


@dataclass(frozen=True, slots=True)
class Definition:
    """A name at the top of a module and the syntax behind it."""

    node: ast.stmt
    location: Location
    imported: tuple[str, str] | None = None  # (module, name there)


def signed_word(value: int | bool | bytes) -> int:
    """What the machine's word holds: a b32 is read as a two's complement number."""
    if isinstance(value, bytes):
        return int.from_bytes(value.rjust(HASH_BYTES, b"\0"), "big", signed=True)
    return int(value)
