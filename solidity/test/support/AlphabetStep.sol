// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStep} from "../../src/interfaces/IStep.sol";
import {Tags} from "../../src/lib/Tags.sol";

/// @notice The toy machine of `challenger/trace/alphabet.py`, so that whole games can be compared call by call: inputs
/// of different lengths, of which some are rejected. Its states are hashed as those of the real machine.
contract AlphabetStep is IStep {
    uint256 private constant MAX_STEPS = 13;

    error FalseWitness();

    /// @inheritdoc IStep
    function imageRoot() external pure returns (bytes32) {
        return bytes32(MAX_STEPS);
    }

    /// @inheritdoc IStep
    function initialState(bytes32 root, bytes32 inputHash) external pure returns (bytes32) {
        return running(0, root, root, inputHash);
    }

    /// @inheritdoc IStep
    function finalState(bytes32 root) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.FINAL, root));
    }

    /// @inheritdoc IStep
    /// @dev A proof of 32 bytes is the root of a stopped machine; any other is pc:5 | root | base | input hash.
    function step(bytes32 pre, bytes calldata proof) external pure returns (bytes32) {
        if (proof.length == 32) {
            if (finalState(bytes32(proof)) != pre) revert FalseWitness();
            return pre;
        }
        if (proof.length != 101) revert FalseWitness();
        uint40 pc = uint40(bytes5(proof[:5]));
        bytes32 root = bytes32(proof[5:37]);
        bytes32 base = bytes32(proof[37:69]);
        bytes32 inputHash = bytes32(proof[69:101]);
        if (running(pc, root, base, inputHash) != pre) revert FalseWitness();
        if (uint256(pc) + 1 < 1 + uint256(uint8(inputHash[30])) % MAX_STEPS) {
            bytes32 next = keccak256(abi.encodePacked(Tags.NODE, root, inputHash));
            return running(pc + 1, next, base, inputHash);
        }
        return finalState(uint8(inputHash[31]) % 5 == 0 ? base : root);
    }

    function running(uint40 pc, bytes32 root, bytes32 base, bytes32 inputHash)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(Tags.MACHINE, pc, bytes32(0), root, base, inputHash));
    }
}
