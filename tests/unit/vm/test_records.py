import pytest

from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO, SparseTree
from optimist.vm.isa import ROW_BITS
from optimist.vm.overlay import OverlayTree
from optimist.vm.records import (
    ABSENT,
    build_state_tree,
    compute_record_key,
    compute_record_leaf,
    pack_record,
    unpack_record,
)


def test_key_is_table_then_row() -> None:
    assert compute_record_key(7, 5) == 7 << 40 | 5
    assert compute_record_key(255, (1 << ROW_BITS) - 1) == (1 << 48) - 1


@pytest.mark.parametrize(("table", "row"), [(-1, 0), (256, 0), (0, -1), (0, 1 << ROW_BITS)])
def test_key_out_of_range_is_refused(table: int, row: int) -> None:
    with pytest.raises(ValueError, match="is not in 0"):
        compute_record_key(table, row)


def test_leaf_is_the_tagged_hash_and_zero_when_absent() -> None:
    record = pack_record([1, -1])
    assert compute_record_leaf(record) == keccak(b"\x04" + record)
    assert compute_record_leaf(ABSENT) == ZERO


def test_record_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="256 bytes"):
        compute_record_leaf(bytes(32))


def test_record_survives_its_bytes() -> None:
    words = [1, -1, 0, 1 << 254, -(1 << 255), 0, 0, 9]
    assert unpack_record(pack_record(words)) == words


def test_overlay_shows_changes_and_leaves_the_tree_alone() -> None:
    records = {compute_record_key(1, row): pack_record([row + 1]) for row in range(5)}
    below = build_state_tree(records)
    root = below.root
    overlay = OverlayTree(below)
    changes = {compute_record_key(1, 2): ABSENT, compute_record_key(9, 1 << 39): pack_record([7])}
    for key, record in changes.items():
        overlay.set(key, compute_record_leaf(record))

    expected = build_state_tree(records | changes)
    assert overlay.root == expected.root
    assert below.root == root
    for key in (*records, *changes, compute_record_key(9, 3)):
        assert overlay.get(key) == expected.get(key)
        assert overlay.siblings(key) == expected.siblings(key)


def test_overlay_goes_back_to_the_root_when_all_is_undone() -> None:
    below = SparseTree(48, {3: b"\x01" * 32})
    overlay = OverlayTree(below)
    overlay.set(5, b"\x02" * 32)
    twin = overlay.copy()
    overlay.set(5, ZERO)
    assert overlay.root == below.root
    assert twin.root != below.root
