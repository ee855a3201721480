"""Names of things in the game: those hashes of docs/PROTOCOL.md section 1 that its contracts compute."""

from optimist.base.keccak import tagged
from optimist.base.merkle import ZERO
from optimist.base.tags import ASSERTION, CHAIN, CLAIM, FINAL, LEAF, MATCH


def compute_leaf(root: bytes, batch: int, rest: bytes) -> bytes:
    """Level-1 leaf: state root, number of the batch, chain of that batch's inputs still to come."""
    return tagged(LEAF, root, batch.to_bytes(8, "big"), rest)


def compute_chain_link(input_hash: bytes, rest: bytes) -> bytes:
    """Chain of a batch's inputs from one input on: its hash, then the chain of those that follow it."""
    return tagged(CHAIN, input_hash, rest)


def compute_final(root: bytes) -> bytes:
    """State of a machine that has stopped: only the state root remains."""
    return tagged(FINAL, root)


def compute_node_id(parent: bytes, end: bytes) -> bytes:
    """Id of an assertion: its parent's id and the leaf that it claims for the end of the range."""
    return tagged(ASSERTION, parent, end)


def compute_claim_id(node: bytes, owner: bytes) -> bytes:
    """Id of one staker's claim on a node; `owner` has 20 bytes."""
    return tagged(CLAIM, node, owner)


def compute_match_id(left: bytes, right: bytes) -> bytes:
    """Id of the match between two claims, whichever is named first."""
    return tagged(MATCH, min(left, right), max(left, right))


GENESIS_END = compute_leaf(ZERO, 0, ZERO)
GENESIS_NODE = compute_node_id(ZERO, GENESIS_END)
