"""Records and the state tree: key, leaf, words. What LDR and STR read and write.

A record is eight words, 256 bytes. Its key is table (8 bits) << 40 | row (40 bits). An all-zero record is
an absent record: its leaf is 0, so that a row which was never written and one which was deleted leave the
same tree. Mirrored by `solidity/src/lib/Records.sol`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from optimist.base.keccak import tagged
from optimist.base.merkle import ZERO, SparseTree
from optimist.base.tags import RECORD
from optimist.vm.isa import RECORD_WORDS, ROW_BITS, STATE_DEPTH
from optimist.vm.word import WORD_BYTES, from_bytes, to_bytes

RECORD_BYTES: Final = RECORD_WORDS * WORD_BYTES
ABSENT: Final = bytes(RECORD_BYTES)
TABLES: Final = 1 << (STATE_DEPTH - ROW_BITS)
ROWS: Final = 1 << ROW_BITS


def compute_record_key(table: int, row: int) -> int:
    """Index of a record in the state tree. Raises ValueError when table or row is out of range."""
    if not 0 <= table < TABLES:
        raise ValueError(f"table {table} is not in 0..{TABLES - 1}")
    if not 0 <= row < ROWS:
        raise ValueError(f"row {row} is not in 0..{ROWS - 1}")
    return table << ROW_BITS | row


def compute_record_leaf(record: bytes) -> bytes:
    """Leaf of a record of 256 bytes."""
    if len(record) != RECORD_BYTES:
        raise ValueError(f"a record has {RECORD_BYTES} bytes, not {len(record)}")
    return ZERO if record == ABSENT else tagged(RECORD, record)


def pack_record(words: Sequence[int]) -> bytes:
    """The bytes of a record's words; missing words at the end are zero."""
    return b"".join(map(to_bytes, words)).ljust(RECORD_BYTES, b"\0")


def unpack_record(record: bytes) -> list[int]:
    """The eight signed words of a record."""
    return [from_bytes(record[i : i + WORD_BYTES]) for i in range(0, RECORD_BYTES, WORD_BYTES)]


def build_state_tree(records: Mapping[int, bytes]) -> SparseTree:
    """State tree of records by key."""
    return SparseTree(STATE_DEPTH, {key: compute_record_leaf(record) for key, record in records.items()})
