"""The hashes that bind inputs, batches and claims: `docs/PROTOCOL.md` §1, written once.

    h(i)      = K(INPUT | bytes)                     an input
    c(n) = 0,   c(i-1) = K(CHAIN | h(i) | c(i))      the rest of its batch, folded backwards
    head      = c(0)                                 a whole batch
    acc(b)    = K(BATCH | acc(b-1) | head(b) | n(b)) all batches so far
    L         = K(LEAF | root | batch | c)           the state after an input, and what comes next

An agreed leaf authenticates its next input with one hash: c = K(CHAIN | h | c').
"""

from collections.abc import Sequence
from typing import Final

from optimist.base.keccak import tagged
from optimist.base.tags import ASSERTION, BATCH, CHAIN, CLAIM, INPUT, LEAF, MATCH, SOFT
from optimist.derive.octets import pack_bytes, pack_uint

HASH_BYTES: Final = 32
ADDRESS_BYTES: Final = 20
ZERO: Final = bytes(HASH_BYTES)  # c(n), acc(0), f(0) and the root of the empty state

BATCH_BYTES: Final = 8  # a batch number, or a number of inputs, in a preimage


def compute_input_hash(data: bytes) -> bytes:
    """h: the hash of one input's bytes."""
    return tagged(INPUT, data)


def compute_chain_link(input_hash: bytes, rest: bytes) -> bytes:
    """c(i-1) from h(i) and c(i): an input in front of the rest of its batch."""
    return tagged(CHAIN, _hash("input hash", input_hash), _hash("chain link", rest))


def compute_chain_links(inputs: Sequence[bytes]) -> list[bytes]:
    """[c(0), ..., c(n)] of a batch: c(0) is its head, c(i) is what remains after input i, c(n) is zero."""
    links = [ZERO]
    for data in reversed(inputs):
        links.append(compute_chain_link(compute_input_hash(data), links[-1]))
    links.reverse()
    return links


def compute_accumulator(previous: bytes, head: bytes, count: int) -> bytes:
    """acc(b): commits to every batch up to one with this head and `count` inputs."""
    return tagged(
        BATCH, _hash("accumulator", previous), _hash("head", head), pack_uint("inputs", count, BATCH_BYTES)
    )


def compute_leaf(root: bytes, batch: int, rest: bytes) -> bytes:
    """L(root, batch, c): the state root after an input of `batch`, and the chain link of what follows it."""
    return tagged(
        LEAF, _hash("root", root), pack_uint("batch", batch, BATCH_BYTES), _hash("chain link", rest)
    )


def compute_assertion_id(parent: bytes, end: bytes) -> bytes:
    """Id of the node of the assertion tree below `parent` that claims the leaf `end`."""
    return tagged(ASSERTION, _hash("parent", parent), _hash("end", end))


def compute_claim_id(node: bytes, owner: bytes) -> bytes:
    """Id of the claim that `owner` (20 bytes) holds on a node."""
    return tagged(CLAIM, _hash("node", node), pack_bytes("owner", owner, ADDRESS_BYTES))


def compute_match_id(one: bytes, other: bytes) -> bytes:
    """Id of the match between two claims, in any order."""
    return tagged(MATCH, *sorted((_hash("claim", one), _hash("claim", other))))


def compute_soft_history(previous: bytes, input_hash: bytes) -> bytes:
    """f(n) from f(n-1) and the n-th sequenced input's hash; f(0) is zero."""
    return tagged(SOFT, _hash("soft history", previous), _hash("input hash", input_hash))


def _hash(name: str, value: bytes) -> bytes:
    return pack_bytes(name, value, HASH_BYTES)


GENESIS_LEAF: Final = compute_leaf(ZERO, 0, ZERO)
GENESIS_ASSERTION: Final = compute_assertion_id(ZERO, GENESIS_LEAF)
