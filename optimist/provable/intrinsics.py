"""The words of the language that are no Python of their own. The compiler gives each the same meaning.

None of these raises ZeroDivisionError except `ceil_div`: the boundary that maps it to a code relies on it.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, Final, NoReturn, TypeVar

from optimist.base.keccak import keccak
from optimist.base.signature import recover
from optimist.provable.context import CONTEXT
from optimist.provable.record import ROW_LIMIT
from optimist.provable.rejection import Rejected
from optimist.provable.widths import HASH_BYTES, Range, b32, resolve_width

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., object])

NUMBER_BYTES: Final = 31  # the most bytes of an input that make an integer; 32 make a b32
_RESOLVED: Final[dict[int, tuple[Any, Range]]] = {}  # every name that the law gives to a width: a few dozen
EIP712_PREFIX: Final = b"\x19\x01"


class UnprovenError(Exception):
    """An intrinsic got what the compiler refuses: a law that was never compiled, or a bug of the compiler."""


# ---------------------------------------------------------------------------------------------------- records


def load(kind: type[R], row: int) -> R:
    """A private copy of record `row` of the table of `kind`; all fields zero when absent."""
    wanted: Any = kind
    found: Any = CONTEXT.records.get(wanted.record_base + row)
    if found.__class__ is not wanted:  # not looked at yet, absent, or no such row
        found = _find(wanted, row)
    copy: R = found.record_copy()
    return copy


def peek(kind: type[R], row: int) -> R:
    """Record `row` of the table of `kind`, shared and read-only; all fields zero when absent."""
    wanted: Any = kind
    found: Any = CONTEXT.records.get(wanted.record_base + row)
    if found.__class__ is not wanted:  # not looked at yet, absent, or no such row
        found = _find(wanted, row)
    shared: R = found
    return shared


def store(row: int, value: object) -> None:
    """Write a copy of `value` as record `row` of its table. A record of zeros is an absent record."""
    kind: Any = value
    if kind.record_base < 0 or not 0 <= row < ROW_LIMIT:
        raise UnprovenError(f"{type(value).__name__} cannot be stored at row {row}")
    key = kind.record_base + row
    records = CONTEXT.records
    touched = CONTEXT.touched
    if key not in touched:
        touched[key] = records.get(key)
    records[key] = kind.record_copy()


def zero(kind: type[R]) -> R:
    """A new record of `kind` whose fields are all zero."""
    maker: Any = kind
    made: R = maker.record_zero.record_copy()
    return made


def note(value: object) -> None:
    """Add a copy of a record to the receipt of this input. The machine does nothing of the kind."""
    noted: Any = value
    CONTEXT.notes.append(noted.record_copy())


def _find(kind: Any, row: int) -> Any:
    if kind.record_base < 0 or not 0 <= row < ROW_LIMIT:
        raise UnprovenError(f"{kind.__name__} has no row {row}")
    key = kind.record_base + row
    found = CONTEXT.records.get(key)
    if found is None:
        return kind.record_zero
    if found.__class__ is bytes:
        found = CONTEXT.records[key] = kind.record_from_bytes(found)
    return found


# -------------------------------------------------------------------------------------------------- rejection


def require(condition: bool, code: IntEnum) -> None:
    """Reject the input with `code` unless `condition` holds."""
    if not condition:
        raise Rejected(code)


def reject(code: IntEnum) -> NoReturn:
    """Reject the input with `code`."""
    raise Rejected(code)


def fit(width: type[int] | Range, value: int, code: IntEnum) -> int:
    """`value`, when it lies in `width`; otherwise reject the input with `code`."""
    bounds = width if width.__class__ is Range else _resolve(width)
    if not bounds.low <= value <= bounds.high:
        raise Rejected(code)
    return value


# ------------------------------------------------------------------------------------------------- arithmetic


def ceil_div(dividend: int, divisor: int) -> int:
    """Quotient, rounded towards plus infinity. A divisor of 0 rejects the input, as `//` does."""
    return -(-dividend // divisor)


def bit_length(value: int) -> int:
    """Bits of abs(value); 0 for 0."""
    return value.bit_length()


def mul_shift_right(left: int, right: int, shift: int) -> int:
    """(left * right) >> shift, rounded towards minus infinity, in one step of the machine."""
    return (left * right) >> shift


# ------------------------------------------------------------------------------------------------------ input


def input_length() -> int:
    """Number of bytes of the input."""
    return len(CONTEXT.input)


def input_uint(offset: int, count: int) -> int:
    """The unsigned big-endian integer of `count` (1..31) bytes at `offset`. Past the end are zeros."""
    if offset < 0 or not 0 < count <= NUMBER_BYTES:
        raise UnprovenError(f"input_uint({offset}, {count})")
    data = CONTEXT.input[offset : offset + count]
    missing = count - len(data)
    number = int.from_bytes(data, "big")
    return number << 8 * missing if missing else number


def input_int(offset: int, count: int) -> int:
    """The two's complement integer of `count` (1..31) bytes at `offset`; past the end zero bytes are read."""
    number = input_uint(offset, count)
    return number - (1 << 8 * count) if number >> (8 * count - 1) else number


def input_b32(offset: int) -> b32:
    """The 32 bytes at `offset`; past the end zero bytes are read."""
    if offset < 0:
        raise UnprovenError(f"input_b32({offset})")
    return _opaque(CONTEXT.input[offset : offset + HASH_BYTES].ljust(HASH_BYTES, b"\0"))


# ---------------------------------------------------------------------------------------------- cryptography


def keccak_of(value: object) -> b32:
    """keccak256 of exactly the words of a record: EIP-712's hashStruct, with the typehash first."""
    words: Any = value
    return _opaque(keccak(words.record_words()))


def keccak_text(text: str) -> b32:
    """keccak256 of an ASCII text. Only in constants: the compiler folds it."""
    return _opaque(keccak(text.encode("ascii")))


def eip712_digest(domain: b32, struct_hash: b32) -> b32:
    """What a wallet signs: keccak256(0x19 0x01 | domain separator | struct hash)."""
    return _opaque(keccak(EIP712_PREFIX + domain + struct_hash))


def recover_signer(digest: b32, v: int, r: b32, s: b32) -> int:
    """Address that signed `digest`, a u160; 0 unless the signature is canonical (v 27..28, low s)."""
    known = CONTEXT.signatures.get((digest, v, r, s))
    if known is not None:
        return known
    return recover(digest, v, int.from_bytes(r, "big"), int.from_bytes(s, "big"))


def _resolve(width: Any) -> Range:
    found = _RESOLVED.get(id(width))
    if found is None:
        found = _RESOLVED[id(width)] = (width, resolve_width(width))  # held, so that its id stays its own
    return found[1]


def _opaque(data: bytes) -> b32:
    return data  # type: ignore[return-value]  # to a type checker b32 is a class of its own, at run time it is bytes


# ------------------------------------------------------------------------------------------------- decorators


def inline(function: F) -> F:
    """Compile a copy of this function into every call, with the intervals of that call's arguments."""
    return function


def handler(function: F) -> F:
    """Report this function's worst number of steps: it handles one kind of input."""
    return function
