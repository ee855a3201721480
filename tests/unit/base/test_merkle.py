import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO, DenseTree, SparseTree, node, root_from_path

LEAVES = st.sampled_from([ZERO, b"\x01" * 32, b"\xff" * 32, keccak(b"leaf")])


def compute_root(leaves: list[bytes]) -> bytes:
    """The rule itself: halves, until one leaf is left."""
    if len(leaves) == 1:
        return leaves[0]
    half = len(leaves) // 2
    return node(compute_root(leaves[:half]), compute_root(leaves[half:]))


def test_node_of_zeros_is_zero_and_of_anything_else_a_tagged_hash() -> None:
    one = b"\x01" * 32
    assert node(ZERO, ZERO) == ZERO
    assert node(ZERO, one) == keccak(b"\x03" + ZERO + one)
    assert node(one, ZERO) == keccak(b"\x03" + one + ZERO)


@given(st.lists(LEAVES, max_size=16))
def test_dense_and_sparse_trees_have_the_root_of_the_rule(leaves: list[bytes]) -> None:
    padded = leaves + [ZERO] * (16 - len(leaves))
    assert DenseTree(4, leaves).root == SparseTree(4, dict(enumerate(leaves))).root == compute_root(padded)


@given(st.lists(st.tuples(st.integers(0, 31), LEAVES), max_size=20))
def test_changed_trees_are_those_built_anew_and_prove_every_leaf(changes: list[tuple[int, bytes]]) -> None:
    dense, sparse = DenseTree(5), SparseTree(5)
    leaves = [ZERO] * 32
    for index, leaf in changes:
        dense.set(index, leaf)
        sparse.update([(index, leaf)])
        leaves[index] = leaf
    assert dense.root == sparse.root == compute_root(leaves)
    for index, leaf in enumerate(leaves):
        assert dense.get(index) == sparse.get(index) == leaf
        assert dense.siblings(index) == sparse.siblings(index)
        assert root_from_path(index, leaf, dense.siblings(index)) == dense.root


@pytest.mark.parametrize("size", [1, 2, 4, 8, 16, 32])
def test_block_is_replaced_as_its_leaves_one_by_one(size: int) -> None:
    rng = random.Random(size)
    for start in range(0, 32, size):
        tree = DenseTree(5, [rng.randbytes(32) for _ in range(32)])
        twin = tree.copy()
        block = [rng.choice((ZERO, rng.randbytes(32))) for _ in range(size)]
        twin.set_block(start, block)
        for offset, leaf in enumerate(block):
            tree.set(start + offset, leaf)
        assert twin.root == tree.root
        assert [twin.siblings(index) for index in range(32)] == [tree.siblings(index) for index in range(32)]


@given(st.dictionaries(st.integers(0, 31), LEAVES, max_size=32))
def test_leaves_replaced_together_are_those_replaced_one_by_one(changes: dict[int, bytes]) -> None:
    tree = DenseTree(5, [bytes((i + 1,)) * 32 for i in range(20)])
    twin = tree.copy()
    twin.update(changes.items())
    for index, leaf in changes.items():
        tree.set(index, leaf)
    assert twin.root == tree.root
    assert [twin.siblings(index) for index in range(32)] == [tree.siblings(index) for index in range(32)]


def test_siblings_of_a_subtree_prove_its_root() -> None:
    tree = DenseTree(4, [bytes((i + 1,)) * 32 for i in range(16)])
    subtree = compute_root([tree.get(i) for i in range(8, 12)])
    assert root_from_path(8 >> 2, subtree, tree.siblings(8, 2)) == tree.root


def test_copy_of_a_tree_is_independent() -> None:
    for tree in (DenseTree(3, [b"\x01" * 32]), SparseTree(3, {0: b"\x01" * 32})):
        root, twin = tree.root, tree.copy()
        if isinstance(twin, DenseTree):
            twin.set(1, b"\x02" * 32)
        else:
            twin.update([(1, b"\x02" * 32)])
        assert tree.root == root != twin.root


def test_emptied_tree_keeps_no_nodes() -> None:
    tree = SparseTree(48, {5: b"\x01" * 32, 1 << 47: b"\x02" * 32})
    tree.update([(5, ZERO), (1 << 47, ZERO)])
    assert tree.root == ZERO
    assert not tree._nodes


def test_index_behind_the_last_leaf_is_refused() -> None:
    with pytest.raises(ValueError, match="index 8 does not fit a tree of depth 3"):
        root_from_path(8, ZERO, [ZERO] * 3)
    with pytest.raises(ValueError, match="index 8 does not fit"):
        SparseTree(3, {8: b"\x01" * 32})
    with pytest.raises(ValueError, match="9 leaves do not fit"):
        DenseTree(3, [ZERO] * 9)
