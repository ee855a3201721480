// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../interfaces/IDispute.sol";
import {Tags} from "./Tags.sol";

/// @title Every hash that the contracts of inputs, assertions and disputes compute.
/// @notice The table of docs/PROTOCOL.md section 1; one function a row, every preimage of fixed width for its kind.
library Hashes {
    /// @notice Input hash h: K(INPUT | bytes).
    function input(bytes memory data) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.INPUT, data));
    }

    /// @notice Input hash of bytes in calldata. Leaves free memory where it is: a batch has thousands of inputs.
    function inputInCalldata(bytes calldata data) internal pure returns (bytes32 hash) {
        bytes1 tag = Tags.INPUT;
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, tag)
            calldatacopy(add(scratch, 1), data.offset, data.length)
            hash := keccak256(scratch, add(data.length, 1))
        }
    }

    /// @notice Chain link c(i-1) = K(CHAIN | h(i) | c(i)).
    function chainLink(bytes32 inputHash, bytes32 rest) internal pure returns (bytes32 link) {
        bytes1 tag = Tags.CHAIN;
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore(scratch, tag)
            mstore(add(scratch, 1), inputHash)
            mstore(add(scratch, 33), rest)
            link := keccak256(scratch, 65)
        }
    }

    /// @notice acc(b) = K(BATCH | acc(b-1) | head(b) | n(b)).
    function accumulator(bytes32 previous, bytes32 head, uint64 count) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.BATCH, previous, head, count));
    }

    /// @notice Level-1 leaf L(root, batch, c).
    function leaf(bytes32 root, uint64 batch, bytes32 rest) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.LEAF, root, batch, rest));
    }

    /// @notice History commitment: `words` are k pairs (sub, end) above height 1, k ends at height 1.
    function list(bytes32[] calldata words, uint256 height) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(height == 1 ? Tags.ENDS : Tags.LIST, words));
    }

    /// @notice Id of an assertion node.
    function node(bytes32 parent, bytes32 end) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.ASSERTION, parent, end));
    }

    /// @notice Id of one staker's claim on a node.
    function claim(bytes32 nodeId, address owner) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.CLAIM, nodeId, owner));
    }

    /// @notice Id of the match between two claims; `a` is the smaller claim id.
    function matchOf(bytes32 a, bytes32 b) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.MATCH, a, b));
    }

    /// @notice What a match stores of what both sides stand on.
    function position(IDispute.Position memory p) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.POSITION, p.round, p.nodeA, p.nodeB, p.prev, p.batch, p.rest));
    }

    /// @notice Record leaf with four used words; the last four of the eight are zero.
    function record(uint256 word0, uint256 word1, uint256 word2, uint256 word3)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encodePacked(
                Tags.RECORD, word0, word1, word2, word3, bytes32(0), bytes32(0), bytes32(0), bytes32(0)
            )
        );
    }
}
