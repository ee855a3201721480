// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Every domain tag of the system: the first byte of every hash preimage.
/// @notice Mirrors `optimist/base/tags.py`; a test proves that both lists agree and that all tags are distinct.
library Tags {
    bytes1 internal constant MACHINE = 0x01; // state of the machine between two steps
    bytes1 internal constant FINAL = 0x02; // a machine that has stopped; only its state root remains
    bytes1 internal constant NODE = 0x03; // inner node of any Merkle tree (program, memory, state)
    bytes1 internal constant RECORD = 0x04; // leaf of the state tree: eight words
    bytes1 internal constant INPUT = 0x05; // the bytes of one input
    bytes1 internal constant CHAIN = 0x06; // link of the reverse chain of a batch's inputs
    bytes1 internal constant BATCH = 0x07; // accumulator over sealed batches
    bytes1 internal constant LEAF = 0x08; // level-1 leaf: (state root, batch, rest of the batch's chain)
    bytes1 internal constant LIST = 0x09; // history commitment of height >= 2: k pairs (sub, end)
    bytes1 internal constant ENDS = 0x0a; // history commitment of height 1: k ends
    bytes1 internal constant ASSERTION = 0x0b; // id of a node in the assertion tree
    bytes1 internal constant CLAIM = 0x0c; // id of one staker's claim on a node
    bytes1 internal constant MATCH = 0x0d; // id of a match between two claims
    bytes1 internal constant IMAGE = 0x0e; // image root: the law's version
    bytes1 internal constant POSITION = 0x0f; // what a match stores of both sides' nodes and the state before them
    bytes1 internal constant SOFT = 0x10; // forward hash that a soft confirmation signs
    bytes1 internal constant JOURNAL = 0x11; // link of the sequencer's journal on disk
}
