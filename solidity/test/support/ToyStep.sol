// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStep} from "../../src/interfaces/IStep.sol";
import {Tags} from "../../src/lib/Tags.sol";

/// @notice A machine so small that the game can be tested without the real one: every input takes `STEPS` steps, and
/// the root after it is the hash of the root before it and the input's hash.
contract ToyStep is IStep {
    uint256 public immutable STEPS;

    error FalseWitness(bytes32 given, bytes32 expected);

    constructor(uint256 steps) {
        STEPS = steps;
    }

    /// @inheritdoc IStep
    function imageRoot() external view returns (bytes32) {
        return bytes32(STEPS);
    }

    /// @inheritdoc IStep
    function initialState(bytes32 root, bytes32 inputHash) external pure returns (bytes32) {
        return running(root, inputHash, 0);
    }

    /// @inheritdoc IStep
    function finalState(bytes32 root) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.FINAL, root));
    }

    /// @inheritdoc IStep
    function step(bytes32 pre, bytes calldata proof) external view returns (bytes32) {
        (bytes32 root, bytes32 inputHash, uint256 done) = abi.decode(proof, (bytes32, bytes32, uint256));
        if (pre == finalState(root)) return pre;
        bytes32 state = running(root, inputHash, done);
        if (state != pre) revert FalseWitness(state, pre);
        return stateAfter(root, inputHash, done + 1);
    }

    /// @notice The state after `done` steps.
    function stateAfter(bytes32 root, bytes32 inputHash, uint256 done) public view returns (bytes32) {
        return done >= STEPS ? finalState(nextRoot(root, inputHash)) : running(root, inputHash, done);
    }

    /// @notice The whole law: about half of all inputs are rejected and leave the root as it was.
    function nextRoot(bytes32 root, bytes32 inputHash) public pure returns (bytes32) {
        if (isRejected(inputHash)) return root;
        return keccak256(abi.encodePacked("toy law", root, inputHash));
    }

    function isRejected(bytes32 inputHash) public pure returns (bool) {
        return uint8(uint256(inputHash)) % 2 == 0;
    }

    function running(bytes32 root, bytes32 inputHash, uint256 done) public pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.MACHINE, root, inputHash, done));
    }
}
