// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice One decoded instruction.
/// @param op opcode
/// @param d address of the word that is written, as a rule
/// @param a address of the first operand
/// @param b address of the second operand
/// @param imm unsigned immediate of 25 bytes
struct Instruction {
    uint256 op;
    uint256 d;
    uint256 a;
    uint256 b;
    uint256 imm;
}

/// @title The instruction set: sizes, numbers and encoding. Mirrors `optimist/vm/isa.py`.
library Isa {
    uint256 internal constant PROGRAM_DEPTH = 12; // 4,096 instructions
    uint256 internal constant MEMORY_DEPTH = 10; // 1,024 words
    uint256 internal constant STATE_DEPTH = 48; // table (8 bits) | row (40 bits)

    uint256 internal constant LOW_BYTE = 0xff; // width of CHKU/CHKS, table of LDR/STR, size of IN and KEC
    uint256 internal constant STORE_INDIRECT = 1 << 32; // STR: the record's block is at m[d] instead of d
    uint256 internal constant HASH_INDIRECT = 1 << 8; // KEC: the block is at m[a] instead of a

    uint256 internal constant RECORD_WORDS = 8; // words of a record, and of the block that LDR and STR move
    uint256 internal constant HASH_WORDS = 16; // the most words that KEC hashes; above 8 16-aligned
    uint256 internal constant SIGNATURE_WORDS = 4; // words of ECR's block: digest, v, r, s
    uint256 internal constant INPUT_BYTES = 32; // the most bytes that IN reads
    uint256 internal constant ROW_BITS = 40; // key of a record = table << 40 | row

    uint256 internal constant ILL = 0;
    uint256 internal constant HALT = 1;
    uint256 internal constant REJ = 2;
    uint256 internal constant MOV = 3;
    uint256 internal constant ADD = 4;
    uint256 internal constant SUB = 5;
    uint256 internal constant MUL = 6;
    uint256 internal constant DIV = 7;
    uint256 internal constant CDIV = 8;
    uint256 internal constant MOD = 9;
    uint256 internal constant MULSHR = 10;
    uint256 internal constant AND = 11;
    uint256 internal constant OR = 12;
    uint256 internal constant XOR = 13;
    uint256 internal constant SHL = 14;
    uint256 internal constant SHR = 15;
    uint256 internal constant MIN = 16;
    uint256 internal constant MAX = 17;
    uint256 internal constant LT = 18;
    uint256 internal constant LE = 19;
    uint256 internal constant EQ = 20;
    uint256 internal constant NE = 21;
    uint256 internal constant BITLEN = 22;
    uint256 internal constant CHKU = 23;
    uint256 internal constant CHKS = 24;
    uint256 internal constant JMP = 25;
    uint256 internal constant BEQ = 26;
    uint256 internal constant BNE = 27;
    uint256 internal constant BLT = 28;
    uint256 internal constant BLE = 29;
    uint256 internal constant CALL = 30;
    uint256 internal constant RET = 31;
    uint256 internal constant LDX = 32;
    uint256 internal constant STX = 33;
    uint256 internal constant LDR = 34;
    uint256 internal constant STR = 35;
    uint256 internal constant IN = 36;
    uint256 internal constant INLEN = 37;
    uint256 internal constant KEC = 38;
    uint256 internal constant D712 = 39;
    uint256 internal constant ECR = 40;
    uint256 internal constant OPCODES = 41;

    /// @notice op(1) | d(2) | a(2) | b(2) | imm(25), big-endian. Every word decodes.
    function decode(bytes32 word) internal pure returns (Instruction memory) {
        uint256 packed = uint256(word);
        return Instruction({
            op: packed >> 248,
            d: (packed >> 232) & 0xffff,
            a: (packed >> 216) & 0xffff,
            b: (packed >> 200) & 0xffff,
            imm: packed & ((1 << 200) - 1)
        });
    }
}
