"""Fixed-width fields: unsigned big-endian integers and byte strings, with errors that name the field.

    EncodingError (ValueError)    a value does not fit its field
    DecodingError (ValueError)    bytes that are no such thing

Both are for programs that write or show inputs; the law meets neither.
"""


class EncodingError(ValueError):
    """A value does not fit the field that it is written to."""


class DecodingError(ValueError):
    """The bytes are too few, too many, or not what they were read as."""


def pack_uint(name: str, value: int, length: int) -> bytes:
    """`value` as `length` big-endian bytes. Raises EncodingError when it is negative or too large.

    Raises TypeError when it is no integer at all.
    """
    try:
        return value.to_bytes(length, "big")
    except OverflowError as error:
        raise EncodingError(f"{name} = {value} does not fit {length} unsigned bytes") from error
    except AttributeError as error:
        raise TypeError(f"{name} = {value!r} is no integer") from error


def pack_int(name: str, value: int, length: int) -> bytes:
    """`value` in two's complement, big-endian. Raises EncodingError when it does not fit."""
    half = 1 << 8 * length - 1
    if not -half <= value < half:
        raise EncodingError(f"{name} = {value} does not fit {length} signed bytes")
    return int(value).to_bytes(length, "big", signed=True)


def pack_bytes(name: str, value: bytes, length: int) -> bytes:
    """`value`, which must have `length` bytes. Raises EncodingError otherwise."""
    if len(value) != length:
        raise EncodingError(f"{name} has {len(value)} bytes instead of {length}")
    return bytes(value)


class Reader:
    """Takes fields off the front of `data`, one after the other."""

    __slots__ = ("_data", "_at")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def bytes(self, name: str, length: int) -> bytes:
        """The next `length` bytes. Raises DecodingError when there are not so many."""
        end = self._at + length
        if end > len(self._data):
            raise DecodingError(f"{len(self._data)} bytes end before {name} does, which needs {end}")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def uint(self, name: str, length: int) -> int:
        """The next `length` bytes as an unsigned integer. Raises DecodingError when there are not so many."""
        return int.from_bytes(self.bytes(name, length), "big")

    def signed(self, name: str, length: int) -> int:
        """The same in two's complement."""
        return int.from_bytes(self.bytes(name, length), "big", signed=True)

    def end(self) -> None:
        """Raises DecodingError when anything is left."""
        if self._at != len(self._data):
            raise DecodingError(f"{len(self._data) - self._at} bytes too many after {self._at}")
