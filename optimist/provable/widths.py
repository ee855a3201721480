"""What a value may be: integer ranges, the names for the common ones, hashes and fixed vectors.

At run time a width is a `Range`; to a type checker `u64` is `int`, `b32` is a kind of bytes of its own and
`Vec[i64]` is a sequence, so `mypy --strict` reads the law as ordinary Python.

`uN` is [0, 2^N - 1]. `iN` is symmetric, +-(2^(N-1) - 1): `-x` and `abs(x)` fit the width of `x`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeVar, get_origin

WORD_MAX: Final = (1 << 255) - 1  # no value of the law is further from zero than this
HASH_BYTES: Final = 32

T = TypeVar("T")


class WidthError(Exception):
    """A value left the range that the compiler proves for it: a bug, or a law never compiled."""


@dataclass(frozen=True, slots=True)
class Range:
    """The integers from `low` to `high`, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        """Raises ValueError for an empty range and for one that does not fit a word of the machine."""
        if self.low > self.high:
            raise ValueError(f"Range({self.low}, {self.high}) is empty: write the smaller bound first")
        if max(abs(self.low), abs(self.high)) > WORD_MAX:
            raise ValueError(f"Range({self.low}, {self.high}) reaches beyond +-(2**255 - 1)")

    def __call__(self, value: int) -> int:
        """`u64(x)`: x itself. The compiler proves that it fits, here it is checked. Raises WidthError."""
        if not self.low <= value <= self.high:
            raise WidthError(f"{value} is not in {self}: the compiler would have had to refuse this")
        return value

    def __contains__(self, value: int) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return _NAMES.get((self.low, self.high), f"Range({self.low}, {self.high})")


def _unsigned(bits: int) -> Range:
    return Range(0, (1 << bits) - 1)


def _signed(bits: int) -> Range:
    return Range(1 - (1 << (bits - 1)), (1 << (bits - 1)) - 1)


UNSIGNED_BITS: Final = (8, 16, 24, 32, 40, 48, 56, 60, 62, 64, 72, 80, 96, 112, 128, 160, 192, 224, 250)
SIGNED_BITS: Final = (16, 32, 40, 48, 62, 64, 72, 80, 96, 112, 128, 160, 192, 224, 250)

# Every width that has a name of its own. Other ranges: `Name = Annotated[int, Range(low, high)]`.
WIDTHS: Final[dict[str, Range]] = {f"u{bits}": _unsigned(bits) for bits in UNSIGNED_BITS} | {
    f"i{bits}": _signed(bits) for bits in SIGNED_BITS
}
_NAMES: Final = {(width.low, width.high): name for name, width in WIDTHS.items()}


class Vec(list[T]):
    """A fixed number of integers inside a record. Its type is written `Annotated[Vec[i64], 4]`."""

    __slots__ = ()


if TYPE_CHECKING:
    u8 = int
    u16 = int
    u24 = int
    u32 = int
    u40 = int
    u48 = int
    u56 = int
    u60 = int
    u62 = int
    u64 = int
    u72 = int
    u80 = int
    u96 = int
    u112 = int
    u128 = int
    u160 = int
    u192 = int
    u224 = int
    u250 = int
    i16 = int
    i32 = int
    i40 = int
    i48 = int
    i62 = int
    i64 = int
    i72 = int
    i80 = int
    i96 = int
    i112 = int
    i128 = int
    i160 = int
    i192 = int
    i224 = int
    i250 = int

    class b32(bytes):  # noqa: N801 - reads as a width, like u64
        """32 bytes without arithmetic: a hash, or half of a signature."""

        def __new__(cls, value: int) -> Self:
            """The 32 big-endian bytes of `value`."""

else:

    class b32(bytes):  # noqa: N801 - reads as a width, like u64
        """32 bytes without arithmetic: a hash, or half of a signature. `b32(0x12)` writes one down."""

        __slots__ = ()

        def __new__(cls, value):
            """The 32 big-endian bytes of `value`, as plain bytes. Raises OverflowError beyond 256 bits."""
            return value.to_bytes(HASH_BYTES, "big")

    globals().update(WIDTHS)


def resolve_width(annotation: Any) -> Range:
    """The range behind `u64`, `Range(0, 5)` or `Annotated[int, Range(0, 5)]`. Raises TypeError otherwise."""
    if isinstance(annotation, Range):
        return annotation
    if get_origin(annotation) is Annotated and isinstance(annotation.__metadata__[0], Range):
        width: Range = annotation.__metadata__[0]
        return width
    raise TypeError(f"{annotation!r} is no integer width: write u64, i64 or Annotated[int, Range(low, high)]")
