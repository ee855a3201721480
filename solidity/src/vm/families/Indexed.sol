// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Instruction, Isa} from "../Isa.sol";
import {Machine, Outcome} from "../Machine.sol";
import {Witness, Witnesses} from "../Witness.sol";
import {Words} from "../Word.sol";

/// @title LDX and STX: words of memory behind a pointer. Mirrors `families/indexed.py`.
library Indexed {
    using Witnesses for Witness;

    /// @notice Read the pointer, check it, read and write. STX may overwrite its own pointer: it was read
    /// before.
    function execute(Instruction memory instruction, Machine memory machine, Witness memory witness)
        internal
        pure
        returns (Outcome)
    {
        uint256 index;
        unchecked {
            // Modulo 2^256 the sum is below 2^10 only if the true sum is: imm has 200 bits.
            index = Words.bits(witness.readWord(machine, instruction.a)) + instruction.imm;
        }
        if (index >> Isa.MEMORY_DEPTH != 0) return Outcome.REJECTED;

        if (instruction.op == Isa.LDX) {
            witness.writeWord(machine, instruction.d, witness.readWord(machine, index));
        } else {
            witness.writeWord(machine, index, witness.readWord(machine, instruction.d));
        }
        machine.pc += 1;
        return Outcome.CONTINUES;
    }
}
