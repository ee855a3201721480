"""The instruction set: names, numbers and the 32-byte encoding of one instruction.

    op(1) | d(2) | a(2) | b(2) | imm(25)        big-endian, unsigned

d, a and b are addresses of memory words; imm is a jump target, a shift, a width, a table or a code, as the
opcode wants it. The meaning of each opcode is the table in this package's README. Mirrored by
`solidity/src/vm/Isa.sol`.
"""

from enum import IntEnum
from typing import Final, NamedTuple

PROGRAM_DEPTH: Final = 12  # 4,096 instructions
MEMORY_DEPTH: Final = 10  # 1,024 words
STATE_DEPTH: Final = 48  # table (8 bits) | row (40 bits)
PROGRAM_WORDS: Final = 1 << PROGRAM_DEPTH
MEMORY_WORDS: Final = 1 << MEMORY_DEPTH
PC_BYTES: Final = 5  # a program counter in a hash preimage

INSTRUCTION_BYTES: Final = 32
ADDRESS_LIMIT: Final = 1 << 16  # d, a, b are two bytes each
IMMEDIATE_LIMIT: Final = 1 << 200  # imm is 25 bytes


class Op(IntEnum):
    """Opcodes. 0 is illegal on purpose: the padding of the program tree is zero words."""

    ILL = 0
    HALT = 1
    REJ = 2
    MOV = 3
    ADD = 4
    SUB = 5
    MUL = 6
    DIV = 7
    CDIV = 8
    MOD = 9
    MULSHR = 10
    AND = 11
    OR = 12
    XOR = 13
    SHL = 14
    SHR = 15
    MIN = 16
    MAX = 17
    LT = 18
    LE = 19
    EQ = 20
    NE = 21
    BITLEN = 22
    CHKU = 23
    CHKS = 24
    JMP = 25
    BEQ = 26
    BNE = 27
    BLT = 28
    BLE = 29
    CALL = 30
    RET = 31
    LDX = 32
    STX = 33
    LDR = 34
    STR = 35
    IN = 36
    INLEN = 37
    KEC = 38
    D712 = 39
    ECR = 40


OPCODES: Final = len(Op)

# Codes with which the machine itself rejects. They are receipts for people: no hash contains them.
REJECT_DIVISION: Final = 1  # divisor 0
REJECT_WIDTH: Final = 2  # CHKU or CHKS without a code of their own
REJECT_ADDRESS: Final = 3  # pc, address, row or offset out of range, or an unaligned block
REJECT_OPCODE: Final = 4  # ILL or an unknown opcode
FIRST_LAW_CODE: Final = 16  # smaller codes belong to the machine

# Parts of imm. Bits that an opcode does not name are ignored.
LOW_BYTE: Final = 0xFF  # width of CHKU/CHKS, table of LDR/STR, bytes of IN, words of KEC
CHECK_CODE_SHIFT: Final = 16  # CHKU/CHKS: imm >> 16 is the code to reject with; 0 means REJECT_WIDTH
STORE_INDIRECT: Final = 1 << 32  # STR: the record's block is at m[d] instead of d
HASH_INDIRECT: Final = 1 << 8  # KEC: the block is at m[a] instead of a

RECORD_WORDS: Final = 8  # words of a record, and of the aligned block of memory that LDR and STR move
HASH_WORDS: Final = 16  # the most words that KEC hashes; more than 8 need a 16-aligned block
SIGNATURE_WORDS: Final = 4  # words of ECR's block: digest, v, r, s
INPUT_BYTES: Final = 32  # the most bytes that IN reads
ROW_BITS: Final = 40  # key of a record = table << 40 | row


class Instruction(NamedTuple):
    """One instruction. `op` is an `Op`, or any other byte after decoding a word that is no instruction."""

    op: int
    d: int = 0
    a: int = 0
    b: int = 0
    imm: int = 0

    def encode(self) -> bytes:
        """The 32-byte word. Raises ValueError when a field does not fit."""
        if not 0 <= self.op < 256:
            raise ValueError(f"opcode {self.op} does not fit one byte")
        for name, address in (("d", self.d), ("a", self.a), ("b", self.b)):
            if not 0 <= address < ADDRESS_LIMIT:
                raise ValueError(f"field {name} = {address} does not fit two bytes")
        if not 0 <= self.imm < IMMEDIATE_LIMIT:
            raise ValueError(f"immediate {self.imm} does not fit 25 bytes (it is unsigned)")
        packed = self.op << 248 | self.d << 232 | self.a << 216 | self.b << 200 | self.imm
        return packed.to_bytes(INSTRUCTION_BYTES, "big")

    @classmethod
    def decode(cls, word: bytes) -> "Instruction":
        """The instruction of a 32-byte word: every one decodes. Raises ValueError on another length."""
        if len(word) != INSTRUCTION_BYTES:
            raise ValueError(f"an instruction has {INSTRUCTION_BYTES} bytes, not {len(word)}")
        packed = int.from_bytes(word, "big")
        op = packed >> 248
        return cls(
            Op(op) if op < OPCODES else op,
            packed >> 232 & 0xFFFF,
            packed >> 216 & 0xFFFF,
            packed >> 200 & 0xFFFF,
            packed & (IMMEDIATE_LIMIT - 1),
        )
