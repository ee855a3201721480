"""Every domain tag of the system: the first byte of every hash preimage.

One byte each, listed once here and once in `solidity/src/lib/Tags.sol`; a test proves that all are distinct
and that both lists agree. 0x19 is never used: it begins EIP-712 digests (0x19 0x01), which wallets produce.
"""

from typing import Final

MACHINE: Final = 0x01  # state of the machine between two steps
FINAL: Final = 0x02  # a machine that has stopped; only its state root remains
NODE: Final = 0x03  # inner node of any Merkle tree (program, memory, state); depth is fixed, so one tag
RECORD: Final = 0x04  # leaf of the state tree: eight words
INPUT: Final = 0x05  # the bytes of one input
CHAIN: Final = 0x06  # link of the reverse chain of a batch's inputs
BATCH: Final = 0x07  # accumulator over sealed batches
LEAF: Final = 0x08  # level-1 leaf: (state root, batch, rest of the batch's chain)
LIST: Final = 0x09  # history commitment of height >= 2: k pairs (sub, end)
ENDS: Final = 0x0A  # history commitment of height 1: k ends
ASSERTION: Final = 0x0B  # id of a node in the assertion tree
CLAIM: Final = 0x0C  # id of one staker's claim on a node
MATCH: Final = 0x0D  # id of a match between two claims
IMAGE: Final = 0x0E  # image root: the law's version
POSITION: Final = 0x0F  # what a match stores of both sides' nodes and the state before them
SOFT: Final = 0x10  # forward hash that a soft confirmation signs
JOURNAL: Final = 0x11  # link of the sequencer's journal on disk
