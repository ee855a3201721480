"""Records: named rows of words, stored in the state or hashed as a struct.

`@record(table=3)` makes a class whose instances have one slot a field, keyword construction, equality by
value, and a fixed layout of words: fields in order, a `Vec` taking one word an element. A stored record (8
words or fewer) is written as 8 big-endian two's-complement words, padded with zeros; an all-zero record IS an
absent one.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar, cast, dataclass_transform, get_args, get_origin

from optimist.provable.widths import HASH_BYTES, Vec, b32, resolve_width
from optimist.vm.isa import HASH_WORDS, RECORD_WORDS, ROW_BITS

WORD_BYTES: Final = 32
RECORD_BYTES: Final = RECORD_WORDS * WORD_BYTES
TABLE_LIMIT: Final = 1 << 8
ROW_LIMIT: Final = 1 << ROW_BITS

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Field:
    """One field. `kind` is its Range, bool or b32; `length` counts the elements of a Vec, 0: no Vec."""

    name: str
    kind: Any
    offset: int
    length: int

    @property
    def words(self) -> int:
        """Words that the field takes."""
        return self.length or 1


@dataclass(frozen=True, slots=True)
class Layout:
    """The words of a record class. `table` is None for a struct that is only hashed."""

    name: str
    table: int | None
    fields: tuple[Field, ...]
    words: int


class Record:
    """What `@record` adds to a class. Not to be inherited from by hand."""

    __slots__ = ()
    record_layout: Layout
    record_base: int  # table << 40, or -1 without a table
    record_zero: "Record"  # the absent record, shared: never written to

    def record_copy(self) -> "Record":
        """An independent copy."""
        raise NotImplementedError

    def record_words(self) -> bytes:
        """The fields as words of 32 bytes, without padding."""
        raise NotImplementedError

    def record_bytes(self) -> bytes:
        """The 256 bytes under which a stored record is known to the state tree."""
        return self.record_words().ljust(RECORD_BYTES, b"\0")

    @classmethod
    def record_from_bytes(cls, data: bytes) -> "Record":
        """The record written as `data` (256 bytes)."""
        raise NotImplementedError


@dataclass_transform(kw_only_default=True)
def record(*, table: int | None = None) -> Callable[[type[T]], type[T]]:
    """Class decorator: a record stored in `table` (1..255), or without `table` a struct for hashing only.

    Raises TypeError when a field is no width, bool, b32 or vector of widths, or when the record is too long.
    """

    def decorate(plain: type[T]) -> type[T]:
        layout = _layout(plain, table)
        built = dataclass(kw_only=True, slots=True)(plain)
        namespace: dict[str, Any] = {
            "__slots__": (),
            "__qualname__": plain.__qualname__,
            "__module__": plain.__module__,
        }
        namespace |= {"__doc__": plain.__doc__, "__hash__": None}
        namespace |= _methods(layout)
        final = cast("Any", type(plain.__name__, (built, Record), namespace))
        final.record_layout = layout
        final.record_base = -1 if table is None else table << ROW_BITS
        final.record_zero = final.record_from_bytes(bytes(HASH_WORDS * WORD_BYTES))
        return cast("type[T]", final)

    return decorate


def _layout(plain: type, table: int | None) -> Layout:
    if table is not None and not 0 < table < TABLE_LIMIT:
        raise TypeError(f"table {table} of {plain.__name__} does not exist: tables are 1..255")
    fields: list[Field] = []
    offset = 0
    for name, annotation in inspect.get_annotations(plain).items():
        kind, length = _field_kind(f"{plain.__name__}.{name}", annotation)
        fields.append(Field(name, kind, offset, length))
        offset += length or 1
    limit = HASH_WORDS if table is None else RECORD_WORDS
    if not 0 < offset <= limit:
        raise TypeError(f"record {plain.__name__} has {offset} words: it must have 1 to {limit}")
    return Layout(plain.__name__, table, tuple(fields), offset)


def _field_kind(name: str, annotation: Any) -> tuple[Any, int]:
    if annotation is bool or annotation is b32:
        return annotation, 0
    if get_origin(annotation) is Annotated and get_origin(get_args(annotation)[0]) is Vec:
        vector, length = get_args(annotation)
        if not isinstance(length, int) or length < 1:
            raise TypeError(f"{name}: the length of a Vec is a positive integer, not {length!r}")
        return resolve_width(get_args(vector)[0]), length
    try:
        return resolve_width(annotation), 0
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None


def _methods(layout: Layout) -> dict[str, Any]:
    """The methods of one record class, written out field by field: a loop costs three times more."""
    copies, packs, unpacks = [], [], []
    for field in layout.fields:
        copies.append(f"twin.{field.name} = self.{field.name}" + (".copy()" if field.length else ""))
        packs.append(_pack(field))
        unpacks.append(f"made.{field.name} = {_unpack(field)}")
    source = "\n".join(
        [
            "def record_copy(self):",
            "    twin = new(self.__class__)",
            *(f"    {line}" for line in copies),
            "    return twin",
            "def record_words(self):",
            f"    return b''.join(({', '.join(packs)},))",
            "def record_from_bytes(cls, data):",
            "    made = new(cls)",
            *(f"    {line}" for line in unpacks),
            "    return made",
        ]
    )
    scope: dict[str, Any] = {"new": object.__new__, "number": int.from_bytes}
    exec(compile(source, f"<record {layout.name}>", "exec"), scope)  # noqa: S102 - built from checked names only
    return {
        "record_copy": scope["record_copy"],
        "record_words": scope["record_words"],
        "record_from_bytes": classmethod(scope["record_from_bytes"]),
    }


def _pack(field: Field) -> str:
    value = f"self.{field.name}"
    if field.kind is b32:
        return value
    if field.length:
        return f"*[x.to_bytes({WORD_BYTES}, 'big', signed=True) for x in {value}]"
    return f"{value}.to_bytes({WORD_BYTES}, 'big', signed=True)"


def _unpack(field: Field) -> str:
    start = field.offset * WORD_BYTES
    if field.length:
        end = start + field.length * WORD_BYTES
        steps = f"range({start}, {end}, {WORD_BYTES})"
        return f"[number(data[i:i + {WORD_BYTES}], 'big', signed=True) for i in {steps}]"
    word = f"data[{start}:{start + HASH_BYTES}]"
    if field.kind is b32:
        return f"bytes({word})"
    number = f"number({word}, 'big', signed=True)"
    return f"{number} != 0" if field.kind is bool else number
