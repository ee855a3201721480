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
        returns (bytes32 root)
    {
        // INVARIANT: bits of the index above the depth would be ignored and prove another leaf.
        uint256 depth = siblings.length;
        if (index >> depth != 0) revert IndexTooLarge(index, depth);
        root = leaf;
        for (uint256 height = 0; height < depth; ++height) {
            root = _parent(index >> height, root, siblings[height]);
        }
    }

    /// @notice Roots of the tree that holds `before`, then `afterwards` at `index`, from the same siblings.
    function rootsFromPath(uint256 index, bytes32 before, bytes32 afterwards, bytes32[] calldata siblings)
        internal
        pure
        returns (bytes32 rootBefore, bytes32 rootAfterwards)
    {
        // INVARIANT: bits of the index above the depth would be ignored and prove another leaf.
        uint256 depth = siblings.length;
        if (index >> depth != 0) revert IndexTooLarge(index, depth);
        (rootBefore, rootAfterwards) = (before, afterwards);
        for (uint256 height = 0; height < depth; ++height) {
            bytes32 sibling = siblings[height];
            rootBefore = _parent(index >> height, rootBefore, sibling);
            rootAfterwards = _parent(index >> height, rootAfterwards, sibling);
        }
    }

    /// @notice Root of the state tree, of depth 48, that holds `leaf` at `index`. Bit i of the mask says
    /// that the i-th sibling is not zero; only those siblings are given, as many as the mask has bits.
    function rootFromSparsePath(uint256 index, bytes32 leaf, uint48 mask, bytes32[] calldata siblings)
        internal
        pure
        returns (bytes32 root)
    {
        // INVARIANT: bits of the index above the depth would be ignored and prove another leaf.
        if (index >> 48 != 0) revert IndexTooLarge(index, 48);
        root = leaf;
        uint256 next = 0;
        for (uint256 height = 0; height < 48; ++height) {
            bytes32 sibling = (mask >> height) & 1 == 0 ? bytes32(0) : siblings[next++];
            root = _parent(index >> height, root, sibling);
        }
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

    /// @dev The lowest bit of `index` says on which side of its sibling the child stands.
    function _parent(uint256 index, bytes32 child, bytes32 sibling) private pure returns (bytes32) {
        return index & 1 == 0 ? node(child, sibling) : node(sibling, child);
    }
}
