// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Instruction, Isa} from "../Isa.sol";
import {Machine, Outcome} from "../Machine.sol";
import {Witness, Witnesses} from "../Witness.sol";
import {Words} from "../Word.sol";

/// @title MOV, arithmetic, bits, comparisons and checks: m[d] = f(m[a], m[b], imm). Mirrors
/// `families/alu.py`.
library Alu {
    using Witnesses for Witness;

    /// @notice Read a and, for a binary operation, b; check; write d.
    function execute(Instruction memory instruction, Machine memory machine, Witness memory witness)
        internal
        pure
        returns (Outcome)
    {
        uint256 op = instruction.op;
        int256 a = witness.readWord(machine, instruction.a);
        int256 b = isBinary(op) ? witness.readWord(machine, instruction.b) : int256(0);

        if ((op == Isa.DIV || op == Isa.CDIV || op == Isa.MOD) && b == 0) return Outcome.REJECTED;
        if ((op == Isa.CHKU || op == Isa.CHKS) && !isInWidth(op, a, instruction.imm & Isa.LOW_BYTE)) {
            return Outcome.REJECTED;
        }

        witness.writeWord(machine, instruction.d, compute(op, a, b, instruction.imm));
        machine.pc += 1;
        return Outcome.CONTINUES;
    }

    /// @notice True when the operation reads b.
    function isBinary(uint256 op) internal pure returns (bool) {
        return op != Isa.MOV && op != Isa.BITLEN && op != Isa.CHKU && op != Isa.CHKS;
    }

    /// @notice CHKU: 0 <= value < 2^width. CHKS: abs(value) < 2^(width - 1); nothing fits width 0.
    function isInWidth(uint256 op, int256 value, uint256 width) internal pure returns (bool) {
        // A negative value has its highest bit set, so that no width below 256 holds it.
        if (op == Isa.CHKU) return Words.bits(value) >> width == 0;
        return absolute(value) < (1 << width) >> 1;
    }

    /// @notice The word that goes to d. For DIV, CDIV and MOD b is not 0.
    function compute(uint256 op, int256 a, int256 b, uint256 imm) internal pure returns (int256) {
        // The machine's words wrap modulo 2^256; compiled programs never get there.
        unchecked {
            if (op == Isa.ADD) return a + b;
            if (op == Isa.SUB) return a - b;
            if (op == Isa.MUL) return a * b;
            if (op == Isa.DIV) return divideDown(a, b);
            if (op == Isa.CDIV) return divideUp(a, b);
            if (op == Isa.MOD) return modulo(a, b);
            if (op == Isa.MULSHR) return (a * b) >> imm; // arithmetic; from 256 on only the sign is left
            if (op == Isa.AND) return a & b;
            if (op == Isa.OR) return a | b;
            if (op == Isa.XOR) return a ^ b;
            if (op == Isa.SHL) return a << Words.bits(b); // 0 from 256 on; a negative count is a huge one
            if (op == Isa.SHR) return a >> Words.bits(b);
            if (op == Isa.MIN) return a < b ? a : b;
            if (op == Isa.MAX) return a < b ? b : a;
            if (op == Isa.LT) return Words.toWord(a < b);
            if (op == Isa.LE) return Words.toWord(a <= b);
            if (op == Isa.EQ) return Words.toWord(a == b);
            if (op == Isa.NE) return Words.toWord(a != b);
            if (op == Isa.BITLEN) return Words.toWord(bitLength(absolute(a)));
            return a; // MOV, CHKU, CHKS
        }
    }

    /// @notice Quotient rounded towards minus infinity; -2^255 / -1 wraps to itself.
    function divideDown(int256 a, int256 b) internal pure returns (int256 quotient) {
        unchecked {
            quotient = a / b;
            if (a % b != 0 && (a ^ b) < 0) quotient -= 1;
        }
    }

    /// @notice Quotient rounded towards plus infinity; -2^255 / -1 wraps to itself.
    function divideUp(int256 a, int256 b) internal pure returns (int256 quotient) {
        unchecked {
            quotient = a / b;
            if (a % b != 0 && (a ^ b) >= 0) quotient += 1;
        }
    }

    /// @notice a - b * divideDown(a, b): zero or of b's sign.
    function modulo(int256 a, int256 b) internal pure returns (int256 remainder) {
        unchecked {
            remainder = a % b;
            if (remainder != 0 && (remainder ^ b) < 0) remainder += b;
        }
    }

    /// @notice Absolute value; 2^255 for -2^255.
    function absolute(int256 value) internal pure returns (uint256) {
        unchecked {
            return value < 0 ? 0 - Words.bits(value) : Words.bits(value);
        }
    }

    /// @notice Number of bits without leading zeros, by halving.
    function bitLength(uint256 value) internal pure returns (uint256 length) {
        for (uint256 half = 128; half > 0; half /= 2) {
            if (value >> half == 0) continue;
            value >>= half;
            length += half;
        }
        length += value; // 1 or 0 is left
    }
}
