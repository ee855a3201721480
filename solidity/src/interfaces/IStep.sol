// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title One step of the machine.
interface IStep {
    /// @notice Version of the law: K(IMAGE | program root | memory root | entry:5 | depths).
    function imageRoot() external view returns (bytes32);

    /// @notice Hash of the machine state in which every input begins.
    /// @param root state root before the input, which is the base root as well
    /// @param inputHash K(INPUT | bytes)
    function initialState(bytes32 root, bytes32 inputHash) external view returns (bytes32);

    /// @notice Hash of a machine that has stopped with this state root.
    function finalState(bytes32 root) external view returns (bytes32);

    /// @notice Hash of the machine state after one step. Total over authenticated states: a stopped machine stays as it
    /// is, a bad instruction rejects. Reverts only when the proof does not open `pre`.
    function step(bytes32 pre, bytes calldata proof) external view returns (bytes32 post);
}
