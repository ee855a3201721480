// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Tags} from "./Tags.sol";

/// @title Binary Merkle trees of fixed depth: one rule for the program, the memory and the state.
/// @notice node(0, 0) = 0; else node(l, r) = K(NODE | l | r). Siblings go from the leaf upwards; bit i of
/// the index says on which side of its i-th sibling the path stands (0: left). Mirrors
/// `optimist/base/merkle.py`.
library Merkle {
    /// @notice The index does not fit a tree of this depth.
    error IndexTooLarge(uint256 index, uint256 depth);

    /// @notice Parent of two children; zero when both are zero.
    function node(bytes32 left, bytes32 right) internal pure returns (bytes32 parent) {
        if (left == 0 && right == 0) return 0;
        bytes1 tag = Tags.NODE;
        assembly ("memory-safe") {
            let at := mload(0x40) // free memory, used as scratch: 65 bytes do not fit 0x00–0x3f
            mstore(at, tag)
            mstore(add(at, 1), left)
            mstore(add(at, 33), right)
            parent := keccak256(at, 65)
        }
    }

    /// @notice Root of the tree of depth `siblings.length` that holds `leaf` at `index`.
    function rootFromPath(uint256 index, bytes32 leaf, bytes32[] calldata siblings)
        internal
        pure
        returns (bytes32)
    {
        return _fold(index, leaf, siblings.length, type(uint256).max, siblings);
    }

    /// @notice Root of the tree of `depth` that holds `leaf` at `index`. Bit i of the mask says that the i-th
    /// sibling is not zero; only those siblings are given, as many as the mask has bits below `depth`.
    function rootFromSparsePath(
        uint256 index,
        bytes32 leaf,
        uint256 depth,
        uint256 mask,
        bytes32[] calldata siblings
    ) internal pure returns (bytes32) {
        return _fold(index, leaf, depth, mask, siblings);
    }

    /// @notice Root of the subtree over `leaves`, whose number is a power of two.
    function rootFromLeaves(bytes32[] memory leaves) internal pure returns (bytes32) {
        uint256 count = leaves.length;
        bytes32[] memory level = leaves;
        while (count > 1) {
            count /= 2;
            bytes32[] memory above = new bytes32[](count);
            for (uint256 i = 0; i < count; ++i) {
                above[i] = node(level[2 * i], level[2 * i + 1]);
            }
            level = above;
        }
        return level[0];
    }

    /// @dev In assembly because a step folds up to 140 levels, and calldata should be what it costs.
    function _fold(uint256 index, bytes32 leaf, uint256 depth, uint256 mask, bytes32[] calldata siblings)
        private
        pure
        returns (bytes32 root)
    {
        // INVARIANT: bits of the index above the depth would be ignored and prove another leaf.
        if (index >> depth != 0) revert IndexTooLarge(index, depth);
        bytes1 tag = Tags.NODE;
        root = leaf;
        assembly ("memory-safe") {
            let at := mload(0x40) // free memory, used as scratch: tag | left | right
            mstore(at, tag)
            let next := siblings.offset
            for { let height := 0 } lt(height, depth) { height := add(height, 1) } {
                let sibling := 0
                if and(shr(height, mask), 1) {
                    sibling := calldataload(next)
                    next := add(next, 32)
                }
                if iszero(or(root, sibling)) { continue } // node(0, 0) = 0
                switch and(shr(height, index), 1)
                case 0 {
                    mstore(add(at, 1), root)
                    mstore(add(at, 33), sibling)
                }
                default {
                    mstore(add(at, 1), sibling)
                    mstore(add(at, 33), root)
                }
                root := keccak256(at, 65)
            }
        }
    }
}
