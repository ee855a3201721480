// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Instruction, Isa} from "../Isa.sol";
import {Machine, Outcome} from "../Machine.sol";
import {Witness, Witnesses} from "../Witness.sol";
import {Words} from "../Word.sol";

/// @title IN and INLEN: the bytes of the input. Mirrors `families/reading.py`.
library Reading {
    using Witnesses for Witness;

    /// @notice Check size and offset, read the input, write d.
    function execute(Instruction memory instruction, Machine memory machine, Witness memory witness)
        internal
        pure
        returns (Outcome)
    {
        int256 value;
        if (instruction.op == Isa.INLEN) {
            value = Words.toWord(witness.readInput(machine).length);
        } else {
            uint256 size = instruction.imm & Isa.LOW_BYTE;
            if (size == 0 || size > Isa.INPUT_BYTES) return Outcome.REJECTED;
            int256 offset = witness.readWord(machine, instruction.a);
            if (offset < 0) return Outcome.REJECTED;
            value = computeField(witness.readInput(machine), Words.bits(offset), size);
        }

        witness.writeWord(machine, instruction.d, value);
        machine.pc += 1;
        return Outcome.CONTINUES;
    }

    /// @notice `size` bytes of `data` from `offset` as a word, big-endian; bytes past the end are zero.
    function computeField(bytes calldata data, uint256 offset, uint256 size) internal pure returns (int256) {
        if (offset >= data.length) return 0;
        // INVARIANT: a slice shorter than 32 bytes is padded with zeros, whatever calldata holds behind it.
        bytes32 field = bytes32(data[offset:]);
        return Words.toWord(uint256(field) >> (8 * (Isa.INPUT_BYTES - size)));
    }
}
