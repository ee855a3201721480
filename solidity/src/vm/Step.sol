// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStep} from "../interfaces/IStep.sol";
import {Tags} from "../lib/Tags.sol";
import {Instruction, Isa} from "./Isa.sol";
import {Machine, Machines, Outcome} from "./Machine.sol";
import {Witness, Witnesses} from "./Witness.sol";
import {Access} from "./families/Access.sol";
import {Alu} from "./families/Alu.sol";
import {Control} from "./families/Control.sol";
import {Hashing} from "./families/Hashing.sol";
import {Indexed} from "./families/Indexed.sol";
import {Reading} from "./families/Reading.sol";

/// @title One step of the machine, checked against its proof. Mirrors `optimist/vm/step.py`.
contract Step is IStep {
    using Machines for Machine;
    using Witnesses for Witness;

    bytes32 private immutable _PROGRAM_ROOT;
    bytes32 private immutable _MEMORY_ROOT;
    uint40 private immutable _ENTRY;

    /// @param programRoot root of the program
    /// @param memoryRoot root of the initial memory
    /// @param entry pc at which every input begins
    constructor(bytes32 programRoot, bytes32 memoryRoot, uint40 entry) {
        if (entry >> Isa.PROGRAM_DEPTH != 0) revert EntryTooLarge(entry, 1 << Isa.PROGRAM_DEPTH);
        _PROGRAM_ROOT = programRoot;
        _MEMORY_ROOT = memoryRoot;
        _ENTRY = entry;
    }

    /// @inheritdoc IStep
    function imageRoot() external view returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                Tags.IMAGE,
                _PROGRAM_ROOT,
                _MEMORY_ROOT,
                _ENTRY,
                uint8(Isa.PROGRAM_DEPTH),
                uint8(Isa.MEMORY_DEPTH),
                uint8(Isa.STATE_DEPTH)
            )
        );
    }

    /// @inheritdoc IStep
    function initialState(bytes32 root, bytes32 inputHash) external view returns (bytes32) {
        return Machine({
            pc: _ENTRY, memoryRoot: _MEMORY_ROOT, stateRoot: root, baseRoot: root, inputHash: inputHash
        }).hash();
    }

    /// @inheritdoc IStep
    function finalState(bytes32 root) external pure returns (bytes32) {
        return Machines.finalState(root);
    }

    /// @inheritdoc IStep
    function step(bytes32 pre, bytes calldata proof) external view returns (bytes32 post) {
        Witness memory witness = Witnesses.open(proof, _PROGRAM_ROOT);
        bytes calldata preimage = _takePreimage(pre, proof, witness);
        if (preimage[0] == Tags.FINAL) post = pre;
        else post = _execute(Machines.decode(preimage), witness);
        witness.finish(proof.length);
    }

    /// @dev The preimage of `pre` at the beginning of the proof, of a length that its tag decides.
    function _takePreimage(bytes32 pre, bytes calldata proof, Witness memory witness)
        private
        pure
        returns (bytes calldata preimage)
    {
        bytes1 tag = proof.length == 0 ? bytes1(0) : proof[0];
        if (tag != Tags.MACHINE && tag != Tags.FINAL) revert WrongTag(tag);
        preimage = witness.take(tag == Tags.MACHINE ? Machines.MACHINE_BYTES : Machines.FINAL_BYTES);
        if (keccak256(preimage) != pre) revert WrongState(keccak256(preimage), pre);
    }

    /// @dev Execute one instruction of a running machine; hash of the state after it.
    function _execute(Machine memory machine, Witness memory witness) private view returns (bytes32) {
        Outcome outcome = _dispatch(machine, witness);
        if (outcome == Outcome.CONTINUES) return machine.hash();
        if (outcome == Outcome.HALTED) return Machines.finalState(machine.stateRoot);
        return Machines.finalState(machine.baseRoot);
    }

    /// @dev Fetch and check the instruction, then hand it to its family.
    function _dispatch(Machine memory machine, Witness memory witness) private view returns (Outcome) {
        // The program ends at 2^PROGRAM_DEPTH; a machine that walked off it rejects, with no instruction to
        // show.
        if (machine.pc >> Isa.PROGRAM_DEPTH != 0) return Outcome.REJECTED;
        Instruction memory instruction = Isa.decode(witness.fetchInstruction(machine));
        if (!_isLegal(instruction)) return Outcome.REJECTED;

        uint256 op = instruction.op;
        if (op <= Isa.REJ) return Control.execute(instruction, machine, witness);
        if (op <= Isa.CHKS) return Alu.execute(instruction, machine, witness);
        if (op <= Isa.RET) return Control.execute(instruction, machine, witness);
        if (op <= Isa.STX) return Indexed.execute(instruction, machine, witness);
        if (op <= Isa.STR) return Access.execute(instruction, machine, witness);
        if (op <= Isa.INLEN) return Reading.execute(instruction, machine, witness);
        return Hashing.execute(instruction, machine, witness);
    }

    /// @dev True when the opcode is known and every address, used or not, lies in memory.
    function _isLegal(Instruction memory instruction) private pure returns (bool) {
        if (instruction.op == Isa.ILL || instruction.op >= Isa.OPCODES) return false;
        return (instruction.d | instruction.a | instruction.b) >> Isa.MEMORY_DEPTH == 0;
    }
}
