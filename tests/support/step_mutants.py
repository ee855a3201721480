"""Named one-place changes of the slow step and of the contract. The parity suite has to see every one.

A mutant is (name, file, old, new); `old` occurs exactly once in the file. Where both lists have a name, it is
the same mistake made on either side. Not here: the check of an index in Merkle.sol and of the precompile's
success in Hashing.sol. Both stand behind another check, so that no proof can tell whether they are there.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake."""

    name: str
    file: str
    old: str
    new: str

    def apply(self, source: str) -> str:
        """The source with the mistake. Raises ValueError unless there is exactly one place for it."""
        if (found := source.count(self.old)) != 1:
            raise ValueError(f"{self.name}: {self.old!r} occurs {found} times in {self.file}")
        return source.replace(self.old, self.new)


PYTHON: Final = tuple(
    Mutant(name, f"optimist/vm/{file}.py", old, new)
    for name, file, old, new in (
        ("add is subtract", "families/alu", "wrap(a + b)", "wrap(a - b)"),
        ("subtract turned round", "families/alu", "wrap(a - b)", "wrap(b - a)"),
        ("sum is not wrapped", "families/alu", "wrap(a + b)", "a + b"),
        (
            "product is not wrapped",
            "families/alu",
            "            return wrap(a * b)\n",
            "            return a * b\n",
        ),
        (
            "shifted product is not wrapped",
            "families/alu",
            "shift_right(wrap(a * b), imm)",
            "shift_right(a * b, imm)",
        ),
        (
            "division truncates",
            "families/alu",
            "wrap(a // b)",
            "wrap(abs(a) // abs(b) * (1 if a * b > 0 else -1))",
        ),
        ("quotient is not wrapped", "families/alu", "wrap(a // b)", "a // b"),
        ("ceiling is floor", "families/alu", "wrap(-(-a // b))", "wrap(a // b)"),
        (
            "remainder has the dividend's sign",
            "families/alu",
            "return a % b",
            "return a % b if a >= 0 else -(-a % b)",
        ),
        (
            "division by zero goes on",
            "families/alu",
            "(Op.DIV, Op.CDIV, Op.MOD) and b == 0",
            "(Op.DIV, Op.CDIV) and b == 0",
        ),
        ("or is exclusive", "families/alu", "return a | b", "return a ^ b"),
        ("exclusive or is or", "families/alu", "return a ^ b", "return a | b"),
        ("and is or", "families/alu", "return a & b", "return a | b"),
        (
            "left shift stops at 255",
            "families/alu",
            "wrap(a << b) if 0 <= b < 256",
            "wrap(a << b) if 0 <= b < 255",
        ),
        ("left shift is not wrapped", "families/alu", "wrap(a << b)", "a << b"),
        ("right shift forgets the sign", "families/alu", "else value >> 255", "else 0"),
        ("right shift stops at 254", "families/alu", "0 <= count < 256", "0 <= count < 254"),
        ("minimum is maximum", "families/alu", "return min(a, b)", "return max(a, b)"),
        ("maximum is the first", "families/alu", "return max(a, b)", "return a"),
        ("less includes equal", "families/alu", "int(a < b)", "int(a <= b)"),
        ("less or equal is less", "families/alu", "int(a <= b)", "int(a < b)"),
        ("equal is always false", "families/alu", "int(a == b)", "0"),
        ("not equal is less", "families/alu", "int(a != b)", "int(a < b)"),
        ("bit length of zero is one", "families/alu", "abs(a).bit_length()", "max(1, abs(a).bit_length())"),
        (
            "unsigned width includes its end",
            "families/alu",
            "0 <= value < 1 << width",
            "0 <= value <= 1 << width",
        ),
        (
            "unsigned width takes negatives",
            "families/alu",
            "0 <= value < 1 << width",
            "abs(value) < 1 << width",
        ),
        ("signed width one bit wider", "families/alu", "(1 << width) >> 1", "1 << width"),
        (
            "signed width takes its lowest",
            "families/alu",
            "abs(value) < (1 <<",
            "-1 - ((1 << width) >> 1) < value < (1 <<",
        ),
        (
            "width takes two bytes",
            "families/alu",
            "instruction.imm & LOW_BYTE",
            "min(instruction.imm & 0xFFFF, 1000)",
        ),
        ("arithmetic does not advance", "families/alu", "machine.pc += 1", "machine.pc += 0"),
        ("branch if equal is always taken", "families/control", "return a == b", "return True"),
        ("branch if not equal is turned round", "families/control", "return a != b", "return a == b"),
        ("branch if less includes equal", "families/control", "return a < b", "return a <= b"),
        ("branch if less or equal is less", "families/control", "return a <= b", "return a < b"),
        ("branch not taken stays", "families/control", "else machine.pc + 1", "else machine.pc"),
        (
            "call returns to itself",
            "families/control",
            "instruction.d, machine.pc + 1",
            "instruction.d, machine.pc",
        ),
        ("halt rejects", "families/control", "return Outcome.HALTED", "return Outcome.REJECTED"),
        (
            "target is not checked",
            "families/control",
            "target >> PROGRAM_DEPTH != 0:\n        return Outcome.REJECTED\n    if op",
            "target < 0:\n        return Outcome.REJECTED\n    if op",
        ),
        (
            "target may be the end",
            "families/control",
            "if target >> PROGRAM_DEPTH != 0",
            "if target > 1 << PROGRAM_DEPTH",
        ),
        (
            "return takes the end",
            "families/control",
            "if target < 0 or target >> PROGRAM_DEPTH != 0",
            "if target < 0 or target > 1 << PROGRAM_DEPTH",
        ),
        (
            "pointer without its offset",
            "families/indexed",
            "instruction.a) + instruction.imm",
            "instruction.a)",
        ),
        (
            "negative pointer is reduced",
            "families/indexed",
            "if index < 0 or index >> MEMORY_DEPTH != 0",
            "index %= 1024\n    if index < 0",
        ),
        (
            "load reads the wrong word",
            "families/indexed",
            "witness.read_word(machine, index))",
            "witness.read_word(machine, index ^ 1))",
        ),
        (
            "store writes where it reads",
            "families/indexed",
            "write_word(machine, index, ",
            "write_word(machine, instruction.d, ",
        ),
        (
            "row is reduced",
            "families/access",
            "if row < 0 or row >> ROW_BITS != 0",
            "row %= 1 << ROW_BITS\n    if row < 0",
        ),
        ("row one bit shorter", "families/access", "row >> ROW_BITS != 0", "row >> (ROW_BITS - 1) != 0"),
        (
            "table takes two bytes",
            "families/access",
            "instruction.imm & LOW_BYTE",
            "instruction.imm & 0xFFFF",
        ),
        ("load takes the indirect bit", "families/access", "instruction.op == Op.STR and ", ""),
        (
            "store ignores the indirect bit",
            "families/access",
            "and instruction.imm & STORE_INDIRECT",
            "and False",
        ),
        (
            "unaligned record is taken",
            "families/access",
            "and index % RECORD_WORDS == 0",
            "or index % 8 == 9",
        ),
        (
            "input of one byte more",
            "families/reading",
            "1 <= size <= INPUT_BYTES",
            "1 <= size <= INPUT_BYTES + 1",
        ),
        (
            "negative offset is zero",
            "families/reading",
            "if offset < 0:\n            return Outcome.REJECTED",
            "offset = max(0, offset)",
        ),
        ("field is padded on the left", "families/reading", 'ljust(size, b"\\0")', 'rjust(size, b"\\0")'),
        (
            "field is not signed",
            "families/reading",
            'return wrap(int.from_bytes(field, "big"))',
            'return int.from_bytes(field[-31:], "big")',
        ),
        (
            "length counts one more",
            "families/reading",
            "len(witness.read_input(machine))",
            "len(witness.read_input(machine)) + 1",
        ),
        (
            "hash of the whole block",
            "families/hashing",
            "keccak(words[: count * WORD_BYTES])",
            "keccak(words)",
        ),
        (
            "hash of seventeen words",
            "families/hashing",
            "1 <= count <= HASH_WORDS",
            "1 <= count <= HASH_WORDS + 1",
        ),
        ("hash of no words", "families/hashing", "1 <= count <= HASH_WORDS", "0 <= count <= HASH_WORDS"),
        (
            "hash ignores the indirect bit",
            "families/hashing",
            "if instruction.imm & HASH_INDIRECT",
            "if False",
        ),
        (
            "sixteen words in a block of eight",
            "families/hashing",
            "count <= RECORD_WORDS else HASH_WORDS",
            "count <= RECORD_WORDS + 1 else HASH_WORDS",
        ),
        ("digest turned round", "families/hashing", "to_bytes(a) + to_bytes(b)", "to_bytes(b) + to_bytes(a)"),
        ("digest prefix", "families/hashing", r'b"\x19\x01"', r'b"\x19\x00"'),
        ("r and s exchanged", "families/hashing", "digest, v, r, s = (", "digest, v, s, r = ("),
        (
            "unaligned signature is taken",
            "families/hashing",
            "if not is_block(instruction.a, SIGNATURE_WORDS)",
            "if not is_block(instruction.a, 1)",
        ),
        ("opcode behind the last is legal", "step", "instruction.op >= OPCODES", "instruction.op > OPCODES"),
        ("opcode zero is legal", "step", "instruction.op == Op.ILL or ", ""),
        (
            "field b is not checked",
            "step",
            "(instruction.d | instruction.a | instruction.b)",
            "(instruction.d | instruction.a)",
        ),
        (
            "field d is not checked",
            "step",
            "(instruction.d | instruction.a | instruction.b)",
            "(instruction.a | instruction.b)",
        ),
        (
            "rejection keeps the state",
            "step",
            "compute_final_state(machine.base_root)",
            "compute_final_state(machine.state_root)",
        ),
        (
            "halt keeps the base",
            "step",
            "compute_final_state(machine.state_root)",
            "compute_final_state(machine.base_root)",
        ),
        (
            "pc behind the program is refused",
            "step",
            "if machine.pc >> PROGRAM_DEPTH != 0",
            "if machine.pc >> 40 != 0",
        ),
        ("state is not checked", "step", "if keccak(preimage) != pre", "if keccak(preimage) == 0"),
        ("trailing bytes are taken", "step", "    witness.finish()\n", ""),
        ("stopped machine rejects", "step", "post = pre", "post = compute_final_state(bytes(32))"),
        (
            "program is not checked",
            "witness",
            'self._require("program", self._program_root, self._fold(machine.pc, word, PROGRAM_DEPTH))',
            "self._fold(machine.pc, word, PROGRAM_DEPTH)",
        ),
        (
            "word is not checked",
            "witness",
            'self._require("memory", machine.memory_root, self._fold(index, word, MEMORY_DEPTH))',
            "self._fold(index, word, MEMORY_DEPTH)",
        ),
        (
            "old word is not checked",
            "witness",
            (
                'self._require("memory", machine.memory_root, root)\n'
                "        machine.memory_root = new_root\n\n    def read_block"
            ),
            "machine.memory_root = new_root\n\n    def read_block",
        ),
        (
            "block is not checked",
            "witness",
            'self._require("memory", machine.memory_root, root)\n        return words',
            "return words",
        ),
        (
            "old block is not checked",
            "witness",
            (
                'self._require("memory", machine.memory_root, root)\n'
                "        machine.memory_root = new_root\n\n    def read_record"
            ),
            "machine.memory_root = new_root\n\n    def read_record",
        ),
        (
            "loaded record is not checked",
            "witness",
            'self._require("state", machine.state_root, root)\n        return record',
            "return record",
        ),
        (
            "old record is not checked",
            "witness",
            'self._require("state", machine.state_root, root)\n        machine.state_root',
            "machine.state_root",
        ),
        (
            "input is not checked",
            "witness",
            'self._require("input", machine.input_hash, compute_input_hash(data))\n',
            "pass\n",
        ),
        ("zero record has a hash", "records", "ZERO if record == ABSENT else ", ""),
    )
)

SOLIDITY: Final = tuple(
    Mutant(name, f"src/{file}.sol", old, new)
    for name, file, old, new in (
        ("add is subtract", "vm/families/Alu", "return a + b", "return a - b"),
        ("subtract turned round", "vm/families/Alu", "return a - b", "return b - a"),
        ("product is the sum", "vm/families/Alu", "Isa.MUL) return a * b", "Isa.MUL) return a + b"),
        (
            "product is shifted unsigned",
            "vm/families/Alu",
            "return (a * b) >> imm;",
            "return Words.toWord(Words.bits(a * b) >> imm);",
        ),
        ("shift of a product takes eight bits", "vm/families/Alu", "(a * b) >> imm", "(a * b) >> uint8(imm)"),
        ("division truncates", "vm/families/Alu", "if (a % b != 0 && (a ^ b) < 0) quotient -= 1;", ""),
        ("exact quotient is rounded down", "vm/families/Alu", "a % b != 0 && (a ^ b) < 0", "(a ^ b) < 0"),
        ("ceiling truncates", "vm/families/Alu", "if (a % b != 0 && (a ^ b) >= 0) quotient += 1;", ""),
        ("exact quotient is rounded up", "vm/families/Alu", "a % b != 0 && (a ^ b) >= 0", "(a ^ b) >= 0"),
        (
            "remainder has the dividend's sign",
            "vm/families/Alu",
            "if (remainder != 0 && (remainder ^ b) < 0) remainder += b;",
            "",
        ),
        ("remainder zero becomes the divisor", "vm/families/Alu", "remainder != 0 && ", ""),
        ("remainder by zero goes on", "vm/families/Alu", " || op == Isa.MOD) && b == 0", ") && b == 0"),
        ("or is exclusive", "vm/families/Alu", "return a | b", "return a ^ b"),
        ("exclusive or is or", "vm/families/Alu", "return a ^ b", "return a | b"),
        ("and is or", "vm/families/Alu", "return a & b", "return a | b"),
        ("left shift takes eight bits", "vm/families/Alu", "a << Words.bits(b)", "a << uint8(Words.bits(b))"),
        (
            "right shift takes eight bits",
            "vm/families/Alu",
            "a >> Words.bits(b)",
            "a >> uint8(Words.bits(b))",
        ),
        (
            "right shift is unsigned",
            "vm/families/Alu",
            "return a >> Words.bits(b)",
            "return Words.toWord(Words.bits(a) >> Words.bits(b))",
        ),
        ("minimum is maximum", "vm/families/Alu", "a < b ? a : b", "a < b ? b : a"),
        ("maximum is the first", "vm/families/Alu", "return a < b ? b : a", "return a"),
        (
            "less is unsigned",
            "vm/families/Alu",
            "Words.toWord(a < b)",
            "Words.toWord(Words.bits(a) < Words.bits(b))",
        ),
        ("less or equal is less", "vm/families/Alu", "toWord(a <= b)", "toWord(a < b)"),
        ("equal is less or equal", "vm/families/Alu", "toWord(a == b)", "toWord(a <= b)"),
        ("not equal is less", "vm/families/Alu", "toWord(a != b)", "toWord(a < b)"),
        ("bit length of the bits", "vm/families/Alu", "bitLength(absolute(a))", "bitLength(Words.bits(a))"),
        ("bit length forgets the last bit", "vm/families/Alu", "length += value;", ""),
        (
            "unsigned width includes its end",
            "vm/families/Alu",
            "Words.bits(value) >> width == 0",
            "Words.bits(value) <= 1 << width",
        ),
        (
            "unsigned width takes negatives",
            "vm/families/Alu",
            "Words.bits(value) >> width",
            "absolute(value) >> width",
        ),
        ("signed width one bit wider", "vm/families/Alu", "(1 << width) >> 1", "1 << width"),
        ("signed width includes its end", "vm/families/Alu", "absolute(value) < (1", "absolute(value) <= (1"),
        (
            "width takes two bytes",
            "vm/families/Alu",
            "instruction.imm & Isa.LOW_BYTE",
            "instruction.imm & 0xffff",
        ),
        ("copy reads b", "vm/families/Alu", "return a; // MOV", "return b; // MOV"),
        ("branch if equal is always taken", "vm/families/Control", "return a == b", "return true"),
        ("branch if not equal is turned round", "vm/families/Control", "return a != b", "return a == b"),
        ("branch if less includes equal", "vm/families/Control", "return a < b", "return a <= b"),
        ("branch if less or equal is less", "vm/families/Control", "return a <= b", "return a < b"),
        ("branch not taken stays", "vm/families/Control", ": machine.pc + 1;", ": machine.pc;"),
        (
            "call returns to itself",
            "vm/families/Control",
            "Words.toWord(machine.pc + 1)",
            "Words.toWord(machine.pc)",
        ),
        ("halt rejects", "vm/families/Control", "return Outcome.HALTED", "return Outcome.REJECTED"),
        (
            "target is not checked",
            "vm/families/Control",
            "instruction.imm;\n        if (target >> Isa.PROGRAM_DEPTH != 0)",
            "instruction.imm;\n        if (target >> 200 != 0)",
        ),
        (
            "return is not checked",
            "vm/families/Control",
            "// negative: huge\n        if (target >> Isa.PROGRAM_DEPTH != 0)",
            "// negative: huge\n        if (target >> 255 != 0)",
        ),
        ("pointer without its offset", "vm/families/Indexed", " + instruction.imm;", ";"),
        (
            "pointer is not checked",
            "vm/families/Indexed",
            "index >> Isa.MEMORY_DEPTH != 0",
            "index >> 255 != 0",
        ),
        (
            "load reads the wrong word",
            "vm/families/Indexed",
            "witness.readWord(machine, index))",
            "witness.readWord(machine, index ^ 1))",
        ),
        (
            "store writes where it reads",
            "vm/families/Indexed",
            "writeWord(machine, index, ",
            "writeWord(machine, instruction.d, ",
        ),
        ("row is not checked", "vm/families/Access", "row >> Isa.ROW_BITS != 0", "row >> 255 != 0"),
        (
            "row reaches the next table",
            "vm/families/Access",
            "row >> Isa.ROW_BITS != 0",
            "row >> (Isa.ROW_BITS + 1) != 0",
        ),
        (
            "table takes two bytes",
            "vm/families/Access",
            "instruction.imm & Isa.LOW_BYTE",
            "instruction.imm & 0xffff",
        ),
        ("load takes the indirect bit", "vm/families/Access", "instruction.op == Isa.STR && ", ""),
        (
            "store ignores the indirect bit",
            "vm/families/Access",
            "instruction.imm & Isa.STORE_INDIRECT != 0",
            "false",
        ),
        ("unaligned record is taken", "vm/families/Access", " && index % Isa.RECORD_WORDS == 0", ""),
        ("record pointer is not checked", "vm/families/Access", "index >> Isa.MEMORY_DEPTH == 0 && ", ""),
        (
            "input of one byte more",
            "vm/families/Reading",
            "size > Isa.INPUT_BYTES",
            "size > Isa.INPUT_BYTES + 1",
        ),
        ("input of no bytes", "vm/families/Reading", "size == 0 || ", ""),
        ("negative offset is huge", "vm/families/Reading", "if (offset < 0) return Outcome.REJECTED;", ""),
        (
            "field begins one byte late",
            "vm/families/Reading",
            "bytes32(data[offset:])",
            "bytes32(data[offset + 1:])",
        ),
        (
            "offset at the end is read",
            "vm/families/Reading",
            "if (offset >= data.length) return 0;",
            "if (offset >= data.length) return 1;",
        ),
        (
            "field is shifted by one byte less",
            "vm/families/Reading",
            "8 * (Isa.INPUT_BYTES - size)",
            "8 * (Isa.INPUT_BYTES - (size < 32 ? size + 1 : size))",
        ),
        (
            "length counts one more",
            "vm/families/Reading",
            "readInput(machine).length)",
            "readInput(machine).length + 1)",
        ),
        ("hash of the whole block", "vm/families/Hashing", "mul(count, 32)", "mul(mload(words), 32)"),
        ("hash of the length too", "vm/families/Hashing", "keccak256(add(words, 32)", "keccak256(words"),
        (
            "hash of seventeen words",
            "vm/families/Hashing",
            "count > Isa.HASH_WORDS",
            "count > Isa.HASH_WORDS + 1",
        ),
        ("hash of no words", "vm/families/Hashing", "count == 0 || ", ""),
        (
            "hash ignores the indirect bit",
            "vm/families/Hashing",
            "instruction.imm & Isa.HASH_INDIRECT != 0",
            "false",
        ),
        ("unaligned block is taken", "vm/families/Hashing", " && index % size == 0", ""),
        ("block pointer is not checked", "vm/families/Hashing", "index >> Isa.MEMORY_DEPTH == 0 && ", ""),
        ("digest turned round", "vm/families/Hashing", 'hex"1901", a, b', 'hex"1901", b, a'),
        ("high s is taken", "vm/families/Hashing", "if (uint256(words[3]) > HALF_ORDER) return 0;", ""),
        ("v 28 is refused", "vm/families/Hashing", "v != 27 && v != 28", "v != 27"),
        (
            "bad signature keeps the last answer",
            "vm/families/Hashing",
            "mstore(0, 0) // a bad signature",
            "mstore(0, 1) // a bad signature",
        ),
        (
            "opcode behind the last is legal",
            "vm/Step",
            "instruction.op >= Isa.OPCODES",
            "instruction.op > Isa.OPCODES",
        ),
        ("opcode zero is legal", "vm/Step", "instruction.op == Isa.ILL || ", ""),
        (
            "field b is not checked",
            "vm/Step",
            "(instruction.d | instruction.a | instruction.b)",
            "(instruction.d | instruction.a)",
        ),
        (
            "field a is not checked",
            "vm/Step",
            "(instruction.d | instruction.a | instruction.b)",
            "(instruction.d | instruction.b)",
        ),
        (
            "rejection keeps the state",
            "vm/Step",
            "return Machines.finalState(machine.baseRoot)",
            "return Machines.finalState(machine.stateRoot)",
        ),
        (
            "halt keeps the base",
            "vm/Step",
            "return Machines.finalState(machine.stateRoot)",
            "return Machines.finalState(machine.baseRoot)",
        ),
        (
            "pc behind the program is refused",
            "vm/Step",
            "if (machine.pc >> Isa.PROGRAM_DEPTH != 0) return Outcome.REJECTED;",
            "",
        ),
        (
            "state is not checked",
            "vm/Step",
            "if (keccak256(preimage) != pre) revert",
            "if (keccak256(preimage) == 0) revert",
        ),
        ("trailing bytes are taken", "vm/Step", "witness.finish(proof.length);", ""),
        ("entry is left out of the image", "vm/Step", "                _ENTRY,\n", ""),
        (
            "program is not checked",
            "vm/Witness",
            "if (root != self.programRoot) revert",
            "if (root == 0) revert",
        ),
        (
            "input is not checked",
            "vm/Witness",
            "if (inputHash != machine.inputHash) revert",
            "if (inputHash == 0) revert",
        ),
        ("proof may be too short", "vm/Witness", "if (size > left) revert", "if (size > left + 32) revert"),
        (
            "mask of seven bytes",
            "vm/Witness",
            "uint48(bytes6(take(self, Isa.STATE_DEPTH / 8)))",
            "uint48(bytes6(take(self, Isa.STATE_DEPTH / 8 + 1)))",
        ),
        (
            "state root is not written",
            "vm/Witness",
            "machine.stateRoot =\n            ",
            "machine.baseRoot =\n            ",
        ),
        (
            "memory root keeps the old word",
            "vm/Witness",
            "Merkle.rootFromPath(index, subtree, siblings)",
            "Merkle.rootFromPath(index, old, siblings)",
        ),
        ("pc loses a byte", "vm/Machine", "uint40(bytes5(preimage[1:6]))", "uint32(bytes4(preimage[2:6]))"),
        ("base root begins as zero", "vm/Step", "baseRoot: root", "baseRoot: 0"),
        (
            "memory root and state root exchanged",
            "vm/Machine",
            "self.memoryRoot, self.stateRoot",
            "self.stateRoot, self.memoryRoot",
        ),
        ("zero record has a hash", "lib/Records", "any == 0 ? bytes32(0) : ", ""),
        (
            "record leaf forgets its tag",
            "lib/Records",
            "abi.encodePacked(Tags.RECORD, words)",
            "abi.encodePacked(words)",
        ),
        (
            "left and right exchanged",
            "lib/Merkle",
            "switch and(shr(height, index), 1)",
            "switch iszero(and(shr(height, index), 1))",
        ),
        (
            "node of zeros has a hash",
            "lib/Merkle",
            "if iszero(or(root, sibling)) { continue } // node(0, 0) = 0",
            "",
        ),
        ("siblings begin at the first again", "lib/Merkle", "next := add(next, 32)", "next := add(next, 0)"),
    )
)
