"""History commitments: what a claim says about every point on its way, folded into one hash.

    height 1:   K(ENDS | end_1 | … | end_k)                       k words
    height h:   K(LIST | sub_1 | end_1 | … | sub_k | end_k)       2k words, sub_c of height h - 1

`end_c` is the state after the span of child c. A history of height h has k**h positions; when fewer ends are
given, the last one is repeated up to the full width (a range of few inputs, a machine that has stopped). The
padding is never laid out: cost and memory are those of the ends given plus h·k.
"""

from collections.abc import Sequence

from optimist.base.keccak import tagged
from optimist.base.tags import ENDS, LIST

Words = tuple[bytes, ...]  # the 32-byte words of one list, in the order in which they are hashed


def compute_list_hash(words: Sequence[bytes], arity: int) -> bytes:
    """Hash of a list: k words are ends (height 1), 2k words are pairs. Raises ValueError on other lengths."""
    if len(words) == arity:
        return tagged(ENDS, *words)
    if len(words) == 2 * arity:
        return tagged(LIST, *words)
    raise ValueError(f"a list has {arity} or {2 * arity} words, not {len(words)}")


def compute_first_difference(left: Sequence[bytes], right: Sequence[bytes], height: int) -> int | None:
    """The first child in which two lists of one height differ (as pairs above height 1), None if equal."""
    width = 1 if height == 1 else 2
    for start in range(0, len(left), width):
        if left[start : start + width] != right[start : start + width]:
            return start // width
    return None


def get_end(words: Sequence[bytes], child: int, height: int) -> bytes:
    """State after the span of `child` in a list of `height`."""
    return words[child] if height == 1 else words[2 * child + 1]


def get_sub(words: Sequence[bytes], child: int) -> bytes:
    """Hash of the list of `child`; only lists above height 1 have children that are lists."""
    return words[2 * child]


def get_words_length(height: int, arity: int) -> int:
    """Number of words of a list of `height`."""
    return arity if height == 1 else 2 * arity


class History:
    """A committed history: the ends after each position, and the list of every node above them."""

    __slots__ = ("arity", "height", "ends", "_subs", "_padding")

    def __init__(self, arity: int, height: int, ends: Sequence[bytes]) -> None:
        """`ends` are the distinct states in order, at least one. Raises ValueError when they do not fit."""
        if arity < 2 or height < 1:
            raise ValueError(f"a history needs arity >= 2 and height >= 1, not {arity} and {height}")
        if not 1 <= len(ends) <= arity**height:
            raise ValueError(f"{len(ends)} ends do not fit {arity}**{height} positions (there must be one)")
        self.arity = arity
        self.height = height
        self.ends = tuple(ends)
        last = self.ends[-1]
        # By height: hashes of the nodes that hold an end given, and of a node that holds the last end only.
        self._subs: list[list[bytes]] = [[]]
        self._padding = [b""]
        for level in range(1, height + 1):
            pad = (last,) * arity if level == 1 else (self._padding[level - 1], last) * arity
            self._padding.append(compute_list_hash(pad, arity))
            count = -(-len(self.ends) // arity**level)
            self._subs.append([compute_list_hash(self.words(level, i), arity) for i in range(count)])

    @property
    def root(self) -> bytes:
        """The commitment to the whole history."""
        return self._subs[self.height][0]

    @property
    def last_end(self) -> bytes:
        """The state at the end of the whole history."""
        return self.ends[-1]

    def end(self, position: int) -> bytes:
        """State after `position`; past the ends given, the last one."""
        return self.ends[min(position, len(self.ends) - 1)]

    def node(self, height: int, index: int) -> bytes:
        """Hash of the list that covers positions index·k**height up to (index + 1)·k**height - 1."""
        row = self._subs[height]
        return row[index] if index < len(row) else self._padding[height]

    def words(self, height: int, index: int) -> Words:
        """The list whose hash is `node(height, index)`."""
        first = index * self.arity
        if height == 1:
            return tuple(self.end(position) for position in range(first, first + self.arity))
        span = self.arity ** (height - 1)
        words: list[bytes] = []
        for child in range(first, first + self.arity):
            words += (self.node(height - 1, child), self.end((child + 1) * span - 1))
        return tuple(words)

    def list_at(self, height: int, position: int) -> Words:
        """The list of `height` whose span begins at (or holds) `position`: how a match names a node."""
        return self.words(height, position // self.arity**height)
