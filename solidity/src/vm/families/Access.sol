// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Instruction, Isa} from "../Isa.sol";
import {Machine, Outcome} from "../Machine.sol";
import {Witness, Witnesses} from "../Witness.sol";
import {Words} from "../Word.sol";

/// @title LDR and STR: records of the state to and from aligned blocks of memory. Mirrors
/// `families/access.py`.
library Access {
    using Witnesses for Witness;

    /// @notice Read and check the row, find the block, move the record.
    function execute(Instruction memory instruction, Machine memory machine, Witness memory witness)
        internal
        pure
        returns (Outcome)
    {
        uint256 row = Words.bits(witness.readWord(machine, instruction.a)); // negative: huge
        if (row >> Isa.ROW_BITS != 0) return Outcome.REJECTED;
        uint256 key = ((instruction.imm & Isa.LOW_BYTE) << Isa.ROW_BITS) | row;

        uint256 start = instruction.d;
        if (instruction.op == Isa.STR && instruction.imm & Isa.STORE_INDIRECT != 0) {
            start = Words.bits(witness.readWord(machine, instruction.d));
        }
        if (!isRecordBlock(start)) return Outcome.REJECTED;

        if (instruction.op == Isa.LDR) {
            witness.writeBlock(machine, start, witness.readRecord(machine, key));
        } else {
            witness.writeRecord(machine, key, witness.readBlock(machine, start, Isa.RECORD_WORDS));
        }
        machine.pc += 1;
        return Outcome.CONTINUES;
    }

    /// @notice True for the address of an aligned block of eight words.
    function isRecordBlock(uint256 index) internal pure returns (bool) {
        return index >> Isa.MEMORY_DEPTH == 0 && index % Isa.RECORD_WORDS == 0;
    }
}
