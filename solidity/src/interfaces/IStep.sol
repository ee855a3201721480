// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title One step of the machine: the only rule of the rollup's law that L1 ever executes.
/// @notice The machine, its opcodes and the layout of a proof are described in optimist/vm/README.md.
interface IStep {
    /// @notice The first byte of the proof is neither MACHINE nor FINAL.
    error WrongTag(bytes1 given);

    /// @notice The proof begins with the preimage of another state.
    error WrongState(bytes32 shown, bytes32 expected);

    /// @notice The proof shows an instruction of another program.
    error WrongProgram(bytes32 shown, bytes32 expected);

    /// @notice The proof shows a word or block of another memory.
    error WrongMemory(bytes32 shown, bytes32 expected);

    /// @notice The proof shows a record of another state tree.
    error WrongRecord(bytes32 shown, bytes32 expected);

    /// @notice The proof shows another input.
    error WrongInput(bytes32 shown, bytes32 expected);

    /// @notice The proof ends before the step has seen all that it needs.
    error ProofTooShort(uint256 left, uint256 needed);

    /// @notice The proof has bytes that the step does not need.
    error ProofTooLong(uint256 used, uint256 given);

    /// @notice The precompile had no gas: send more. Its silence must not count as a bad signature.
    error RecoverOutOfGas(uint256 gasLeft);

    /// @notice The entry of an image does not lie in its program.
    error EntryTooLarge(uint256 entry, uint256 limit);

    /// @notice Version of the law: K(IMAGE | program root | memory root | entry:5 | depths).
    function imageRoot() external view returns (bytes32);

    /// @notice Hash of the machine state in which every input begins.
    /// @param root state root before the input, which is the base root as well
    /// @param inputHash K(INPUT | bytes)
    function initialState(bytes32 root, bytes32 inputHash) external view returns (bytes32);

    /// @notice Hash of a machine that has stopped with this state root.
    function finalState(bytes32 root) external view returns (bytes32);

    /// @notice Hash of the machine state after one step. Total over authenticated states: a stopped machine
    /// stays as it is, a bad instruction rejects. Reverts only when the proof does not open `pre`, or for
    /// lack of gas.
    /// @param pre hash of the state before
    /// @param proof preimage of `pre`, then what the step reads, in the order in which it reads
    function step(bytes32 pre, bytes calldata proof) external view returns (bytes32 post);
}
