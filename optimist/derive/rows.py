"""Rows: how inputs travel in calldata and events. `docs/PROTOCOL.md` §4 rule 4.

    rows = (length:2 | bytes)*        1 <= length <= 1,024

Strict in both directions: nothing is truncated or left over, so a list of inputs has exactly one encoding.
"""

from collections.abc import Iterable
from typing import Final

from optimist.derive.octets import DecodingError, EncodingError, Reader, pack_uint

MAX_INPUT_BYTES: Final = 1_024
LENGTH_BYTES: Final = 2


def encode_rows(inputs: Iterable[bytes]) -> bytes:
    """The rows of `inputs`, in order. Raises EncodingError when one is empty or longer than 1,024 bytes."""
    rows = []
    for index, data in enumerate(inputs):
        if not 1 <= len(data) <= MAX_INPUT_BYTES:
            raise EncodingError(f"input {index} has {len(data)} bytes; 1 to {MAX_INPUT_BYTES} are allowed")
        rows.append(pack_uint("length", len(data), LENGTH_BYTES) + data)
    return b"".join(rows)


def decode_rows(rows: bytes) -> list[bytes]:
    """The inputs in `rows`. Raises DecodingError on a bad length, and on bytes too few or too many."""
    reader = Reader(rows)
    inputs: list[bytes] = []
    at = 0
    while at < len(rows):
        length = reader.uint(f"the length of input {len(inputs)}", LENGTH_BYTES)
        if not 1 <= length <= MAX_INPUT_BYTES:
            raise DecodingError(
                f"input {len(inputs)} says it has {length} bytes; 1 to {MAX_INPUT_BYTES} are allowed"
            )
        inputs.append(reader.bytes(f"input {len(inputs)}", length))
        at += LENGTH_BYTES + length
    reader.end()
    return inputs
