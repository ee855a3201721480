// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Tags} from "./Tags.sol";

/// @title Binary Merkle trees of fixed depth: one rule for the program, the memory and the state.
/// @notice node(0, 0) = 0; else node(l, r) = K(NODE | l | r). Siblings go from the leaf upwards; bit i of the index
/// says on which side of its i-th sibling the path stands (0: left). Mirrors `optimist/base/merkle.py`.
library Merkle {
    /// @notice The index does not fit a tree of this depth.
    error IndexTooLarge(uint256 index, uint256 depth);

    /// @notice Parent of two children; zero when both are zero.
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 parent) {
        if (left == 0 && right == 0) return 0;
        bytes1 tag = Tags.NODE;
        assembly ("memory-safe") {
            let scratch := mload(0x40) // free memory, used as scratch: 65 bytes do not fit 0x00–0x3f
            mstore(scratch, tag)
            mstore(add(scratch, 1), left)
            mstore(add(scratch, 33), right)
            parent := keccak256(scratch, 65)
        }
    }

    /// @notice Root of the tree of depth `siblings.length` that holds `leaf` at `index`.
    function rootFromPath(uint256 index, bytes32 leaf, bytes32[] calldata siblings)
        internal
        pure
        returns (bytes32 root)
    {
        uint256 depth = siblings.length;
        if (index >> depth != 0) revert IndexTooLarge(index, depth);
        root = leaf;
        for (uint256 height = 0; height < depth; ++height) {
            bytes32 sibling = siblings[height];
            root = (index >> height) & 1 == 0 ? node(root, sibling) : node(sibling, root);
        }
    }
}
