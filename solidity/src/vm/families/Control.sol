// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Instruction, Isa} from "../Isa.sol";
import {Machine, Outcome} from "../Machine.sol";
import {Witness, Witnesses} from "../Witness.sol";
import {Words} from "../Word.sol";

/// @title HALT, REJ, jumps, branches, CALL and RET. Mirrors `families/control.py`.
library Control {
    using Witnesses for Witness;

    /// @notice Read what decides, check the target, move pc.
    function execute(Instruction memory instruction, Machine memory machine, Witness memory witness)
        internal
        pure
        returns (Outcome)
    {
        uint256 op = instruction.op;
        if (op == Isa.HALT) return Outcome.HALTED;
        if (op == Isa.REJ) return Outcome.REJECTED;
        if (op == Isa.RET) return executeReturn(instruction, machine, witness);

        // A target outside the program is illegal whether the branch is taken or not.
        uint256 target = instruction.imm;
        if (target >> Isa.PROGRAM_DEPTH != 0) return Outcome.REJECTED;
        if (op == Isa.JMP) {
            machine.pc = target;
        } else if (op == Isa.CALL) {
            witness.writeWord(machine, instruction.d, Words.toWord(machine.pc + 1));
            machine.pc = target;
        } else {
            int256 a = witness.readWord(machine, instruction.a);
            int256 b = witness.readWord(machine, instruction.b);
            machine.pc = isTaken(op, a, b) ? target : machine.pc + 1;
        }
        return Outcome.CONTINUES;
    }

    /// @notice RET: pc = m[a], when that lies in the program.
    function executeReturn(Instruction memory instruction, Machine memory machine, Witness memory witness)
        internal
        pure
        returns (Outcome)
    {
        uint256 target = Words.bits(witness.readWord(machine, instruction.a)); // negative: huge
        if (target >> Isa.PROGRAM_DEPTH != 0) return Outcome.REJECTED;
        machine.pc = target;
        return Outcome.CONTINUES;
    }

    /// @notice True when the branch goes to its target.
    function isTaken(uint256 op, int256 a, int256 b) internal pure returns (bool) {
        if (op == Isa.BEQ) return a == b;
        if (op == Isa.BNE) return a != b;
        if (op == Isa.BLT) return a < b;
        return a <= b; // BLE
    }
}
