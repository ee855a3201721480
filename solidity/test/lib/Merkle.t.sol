// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Merkle} from "../../src/lib/Merkle.sol";
import {Records} from "../../src/lib/Records.sol";
import {Tags} from "../../src/lib/Tags.sol";
import {Test} from "../support/Test.sol";

/// @notice Merkle paths against the rule written out, whole trees at a time.
contract MerkleTest is Test {
    function rootFromPath(uint256 index, bytes32 leaf, bytes32[] calldata siblings)
        external
        pure
        returns (bytes32)
    {
        return Merkle.rootFromPath(index, leaf, siblings);
    }

    function rootFromSparsePath(
        uint256 index,
        bytes32 leaf,
        uint256 depth,
        uint256 mask,
        bytes32[] calldata siblings
    ) external pure returns (bytes32) {
        return Merkle.rootFromSparsePath(index, leaf, depth, mask, siblings);
    }

    function test_node_ofZeros_isZero() public pure {
        vm.assertEq(Merkle.node(0, 0), bytes32(0));
        vm.assertEq(
            Merkle.node(0, bytes32(uint256(1))),
            keccak256(abi.encodePacked(Tags.NODE, uint256(0), uint256(1)))
        );
        vm.assertEq(
            Merkle.node(bytes32(uint256(1)), 0),
            keccak256(abi.encodePacked(Tags.NODE, uint256(1), uint256(0)))
        );
    }

    function testFuzz_rootFromPath_everyLeafOfATree_givesItsRoot(bytes32[8] memory leaves, uint256 zeros)
        public
        view
    {
        bytes32[] memory tree = _buildTree(leaves, zeros);
        for (uint256 index = 0; index < 8; ++index) {
            vm.assertEq(this.rootFromPath(index, tree[8 + index], _siblings(tree, index)), tree[1]);
        }
    }

    function testFuzz_rootFromSparsePath_withoutTheZeros_givesTheSameRoot(
        bytes32[8] memory leaves,
        uint256 zeros
    ) public view {
        bytes32[] memory tree = _buildTree(leaves, zeros);
        for (uint256 index = 0; index < 8; ++index) {
            bytes32[] memory siblings = _siblings(tree, index);
            uint256 mask = 0;
            uint256 count = 0;
            for (uint256 height = 0; height < 3; ++height) {
                if (siblings[height] == 0) continue;
                mask |= 1 << height;
                siblings[count++] = siblings[height];
            }
            assembly ("memory-safe") {
                mstore(siblings, count)
            }
            vm.assertEq(this.rootFromSparsePath(index, tree[8 + index], 3, mask, siblings), tree[1]);
        }
    }

    function testFuzz_rootFromLeaves_ofATree_isItsRoot(bytes32[8] memory leaves, uint256 zeros) public pure {
        bytes32[] memory tree = _buildTree(leaves, zeros);
        bytes32[] memory list = new bytes32[](8);
        for (uint256 i = 0; i < 8; ++i) {
            list[i] = tree[8 + i];
        }
        vm.assertEq(Merkle.rootFromLeaves(list), tree[1]);
    }

    function testFuzz_rootFromPath_indexAboveTheDepth_reverts(uint256 index, uint8 depth) public {
        bytes32[] memory siblings = new bytes32[](depth);
        index = bound(index, 1 << depth, type(uint256).max);
        vm.expectRevert(abi.encodeWithSelector(Merkle.IndexTooLarge.selector, index, depth));
        this.rootFromPath(index, bytes32(uint256(1)), siblings);
        vm.expectRevert(abi.encodeWithSelector(Merkle.IndexTooLarge.selector, index, depth));
        this.rootFromSparsePath(index, bytes32(uint256(1)), depth, 0, new bytes32[](0));
    }

    function testFuzz_leaf_ofARecord_isTaggedUnlessAllZero(bytes32[8] memory fields) public pure {
        bytes32[] memory words = new bytes32[](8);
        vm.assertEq(Records.leaf(words), bytes32(0));
        for (uint256 i = 0; i < 8; ++i) {
            words[i] = fields[i];
        }
        words[7] |= bytes32(uint256(1));
        vm.assertEq(Records.leaf(words), keccak256(abi.encodePacked(Tags.RECORD, words)));
    }

    /// @dev Heap order: children of i are 2i and 2i + 1. Bit i of `zeros` empties leaf i.
    function _buildTree(bytes32[8] memory leaves, uint256 zeros)
        private
        pure
        returns (bytes32[] memory tree)
    {
        tree = new bytes32[](16);
        for (uint256 i = 0; i < 8; ++i) {
            tree[8 + i] = (zeros >> i) & 1 == 1 ? bytes32(0) : leaves[i];
        }
        for (uint256 i = 7; i > 0; --i) {
            tree[i] = Merkle.node(tree[2 * i], tree[2 * i + 1]);
        }
    }

    function _siblings(bytes32[] memory tree, uint256 index)
        private
        pure
        returns (bytes32[] memory siblings)
    {
        siblings = new bytes32[](3);
        for (uint256 height = 0; height < 3; ++height) {
            siblings[height] = tree[((8 + index) >> height) ^ 1];
        }
    }
}
