"""Changes on top of a state tree that stays as it is.

A trace changes a handful of records of a state that may hold millions: the tree is shared, the changed
nodes are kept apart.
"""

from optimist.base.merkle import SparseTree, node


class OverlayTree:
    """A sparse tree as seen through changed nodes. The tree below must not change while the overlay lives."""

    __slots__ = ("_below", "_nodes")

    def __init__(self, below: SparseTree) -> None:
        self._below = below
        self._nodes: dict[
            tuple[int, int], bytes
        ] = {}  # (height, index at that height) -> hash, zero included

    @property
    def root(self) -> bytes:
        """Root with all changes."""
        return self._nodes.get((self._below.depth, 0), self._below.root)

    def get(self, index: int) -> bytes:
        """Leaf at `index`; zero when absent."""
        leaf = self._nodes.get((0, index))
        return self._below.get(index) if leaf is None else leaf

    def siblings(self, index: int) -> list[bytes]:
        """Siblings of leaf `index`, from the leaf upwards."""
        path = self._below.siblings(index)
        if self._nodes:
            for height in range(len(path)):
                path[height] = self._nodes.get((height, (index >> height) ^ 1), path[height])
        return path

    def set(self, index: int, leaf: bytes) -> bytes:
        """Replace one leaf; the new root."""
        siblings = self.siblings(index)
        self._nodes[0, index] = current = leaf
        for height, sibling in enumerate(siblings, start=1):
            current = node(sibling, current) if index & 1 else node(current, sibling)
            index >>= 1
            self._nodes[height, index] = current
        return current

    def copy(self) -> "OverlayTree":
        """Independent changes over the same tree."""
        twin = OverlayTree(self._below)
        twin._nodes = self._nodes.copy()
        return twin
