"""Binary Merkle trees of fixed depth: one rule for the program, the memory and the state.

    node(0, 0) = 0                      an empty subtree has no hash, at any height
    node(l, r) = K(NODE | l | r)        otherwise

Leaves are 32-byte words. `siblings` are always listed from the leaf upwards; bit i of the index says on which
side of its i-th sibling the path stands (0: left). Mirrored by `solidity/src/lib/Merkle.sol`.
"""

from collections.abc import Iterable, Mapping, Sequence

from optimist.base.keccak import tagged
from optimist.base.tags import NODE

ZERO = bytes(32)


def node(left: bytes, right: bytes) -> bytes:
    """Parent of two 32-byte children; zero when both are zero."""
    return ZERO if left == ZERO and right == ZERO else tagged(NODE, left, right)


def root_from_path(index: int, leaf: bytes, siblings: Sequence[bytes]) -> bytes:
    """Root of the tree of depth len(siblings) that holds `leaf` at `index` (which must be below 2**depth)."""
    if index >> len(siblings):
        raise ValueError(f"index {index} does not fit a tree of depth {len(siblings)}")
    current = leaf
    for sibling in siblings:
        current = node(sibling, current) if index & 1 else node(current, sibling)
        index >>= 1
    return current


class DenseTree:
    """A full tree of 2**depth leaves, every node kept: program and memory. Update costs `depth` hashes."""

    __slots__ = ("depth", "_nodes")

    def __init__(self, depth: int, leaves: Sequence[bytes] = ()) -> None:
        """`leaves` fill the tree from index 0; the rest is zero. Raises ValueError when they are too many."""
        size = 1 << depth
        if len(leaves) > size:
            raise ValueError(f"{len(leaves)} leaves do not fit a tree of depth {depth}")
        self.depth = depth
        nodes = [ZERO] * (2 * size)  # heap order: children of i are 2i and 2i + 1
        nodes[size : size + len(leaves)] = leaves
        for i in range((size + max(len(leaves), 1) - 1) >> 1, 0, -1):
            if nodes[2 * i] is not ZERO or nodes[2 * i + 1] is not ZERO:
                nodes[i] = node(nodes[2 * i], nodes[2 * i + 1])
        self._nodes = nodes

    def copy(self) -> "DenseTree":
        """An independent copy."""
        twin = DenseTree.__new__(DenseTree)
        twin.depth = self.depth
        twin._nodes = self._nodes.copy()  # noqa: SLF001 - private to this very class
        return twin

    @property
    def root(self) -> bytes:
        """The root hash: it names every leaf."""
        return self._nodes[1]

    def get(self, index: int) -> bytes:
        """Leaf at `index`."""
        return self._nodes[(1 << self.depth) + index]

    def set(self, index: int, leaf: bytes) -> None:
        """Replace the leaf at `index`."""
        nodes = self._nodes
        i = (1 << self.depth) + index
        nodes[i] = leaf
        while i > 1:
            i >>= 1
            nodes[i] = node(nodes[2 * i], nodes[2 * i + 1])

    def set_block(self, index: int, leaves: Sequence[bytes]) -> None:
        """Replace an aligned block of leaves (their number divides `index`), each ancestor hashed once."""
        nodes = self._nodes
        first = (1 << self.depth) + index
        last = first + len(leaves) - 1
        nodes[first : last + 1] = leaves
        while first > 1:
            first >>= 1
            last >>= 1
            for i in range(first, last + 1):
                nodes[i] = node(nodes[2 * i], nodes[2 * i + 1])

    def update(self, changes: Iterable[tuple[int, bytes]]) -> None:
        """Replace many leaves at once, each ancestor hashed once."""
        nodes = self._nodes
        size = 1 << self.depth
        dirty = set()
        for index, leaf in changes:
            nodes[size + index] = leaf
            dirty.add((size + index) >> 1)
        for _ in range(self.depth):
            for i in dirty:
                nodes[i] = node(nodes[2 * i], nodes[2 * i + 1])
            dirty = {i >> 1 for i in dirty}

    def siblings(self, index: int, height: int = 0) -> list[bytes]:
        """Siblings of the subtree of `height` that holds leaf `index`, upwards: depth - height of them."""
        i = ((1 << self.depth) + index) >> height
        path = []
        while i > 1:
            path.append(self._nodes[i ^ 1])
            i >>= 1
        return path


class SparseTree:
    """A tree of 2**depth leaves of which almost all are zero: the state. Only non-zero nodes are kept."""

    __slots__ = ("depth", "_nodes")

    def __init__(self, depth: int, leaves: Mapping[int, bytes] | None = None) -> None:
        self.depth = depth
        self._nodes: dict[tuple[int, int], bytes] = {}  # (height, index at that height) -> non-zero hash
        if leaves:
            self.update(leaves.items())

    @property
    def root(self) -> bytes:
        """The root hash; zero while the tree is empty."""
        return self._nodes.get((self.depth, 0), ZERO)

    def get(self, index: int) -> bytes:
        """Leaf at `index`; zero when absent."""
        return self._nodes.get((0, index), ZERO)

    def update(self, changes: Iterable[tuple[int, bytes]]) -> bytes:
        """Replace many leaves at once, each ancestor hashed once; returns the new root."""
        nodes = self._nodes
        dirty = set()
        for index, leaf in changes:
            if index >> self.depth:
                raise ValueError(f"index {index} does not fit a tree of depth {self.depth}")
            self._put(0, index, leaf)
            dirty.add(index >> 1)
        for height in range(1, self.depth + 1):
            below = height - 1
            for index in dirty:
                left = nodes.get((below, 2 * index), ZERO)
                right = nodes.get((below, 2 * index + 1), ZERO)
                self._put(height, index, node(left, right))
            dirty = {index >> 1 for index in dirty}
        return self.root

    def siblings(self, index: int) -> list[bytes]:
        """The `depth` siblings of leaf `index`, from the leaf upwards (zero for empty subtrees)."""
        return [self._nodes.get((h, (index >> h) ^ 1), ZERO) for h in range(self.depth)]

    def copy(self) -> "SparseTree":
        """An independent copy."""
        twin = SparseTree(self.depth)
        twin._nodes = self._nodes.copy()
        return twin

    def _put(self, height: int, index: int, value: bytes) -> None:
        if value == ZERO:
            self._nodes.pop((height, index), None)
        else:
            self._nodes[height, index] = value
