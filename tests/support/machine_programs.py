"""Hand-written programs that do what laws do: loops, calls, records, signatures, pointers, rejections.

`PROGRAMS` names sources of machines: each makes, from a seed, machines that are about to execute an input.
"""

import random
from collections.abc import Callable
from typing import Final

from optimist.base.keccak import keccak
from optimist.base.signature import address_of, sign
from optimist.vm.image import Image
from optimist.vm.isa import HASH_INDIRECT, MEMORY_WORDS, STORE_INDIRECT, Instruction, Op
from optimist.vm.records import build_state_tree, compute_record_key, pack_record
from optimist.vm.walker import Walker
from optimist.vm.word import from_bytes, to_bytes

Address = str | int

DOMAIN: Final = from_bytes(keccak(b"domain"))
TRANSFER_TYPE: Final = from_bytes(keccak(b"Transfer(uint40 from,uint40 to,uint64 amount,uint64 nonce)"))
ACCOUNTS: Final = 7
TOTALS: Final = 9


class Assembler:
    """Collects instructions and words; names in place of addresses and targets are resolved at the end."""

    def __init__(self) -> None:
        self._lines: list[tuple[Op, Address, Address, Address, str | int]] = []
        self._labels: dict[str, int] = {}
        self._names: dict[str, int] = {}
        self._memory = [0] * MEMORY_WORDS
        self._next = 0

    def block(self, name: str, size: int = 8) -> int:
        """Name an aligned block of words."""
        self._next += -self._next % size
        self._names[name] = at = self._next
        self._next += size
        return at

    def word(self, name: str, value: int) -> None:
        """Name a word with an initial value."""
        self._memory[self.block(name, 1)] = value

    def label(self, name: str) -> None:
        """The next instruction can be jumped to."""
        self._labels[name] = len(self._lines)

    def op(self, op: Op, d: Address = 0, a: Address = 0, b: Address = 0, imm: str | int = 0) -> None:
        """One instruction; a new name of an address becomes a word."""
        self._lines.append((op, d, a, b, imm))

    def assemble(self, entry: str) -> Image:
        """The image."""
        program = []
        for op, d, a, b, imm in self._lines:
            target = self._labels[imm] if isinstance(imm, str) else imm
            program.append(Instruction(op, self._address(d), self._address(a), self._address(b), target))
        memory = tuple(map(to_bytes, self._memory[: self._next]))
        return Image(tuple(line.encode() for line in program), memory, self._labels[entry])

    def _address(self, address: Address) -> int:
        if isinstance(address, int):
            return address
        name, _, offset = address.partition("+")
        if name not in self._names:
            self.block(name, 1)
        return self._names[name] + int(offset or 0)


# ------------------------------------------------------------------------------------------- signed transfers


def build_transfers() -> Image:
    """Input from:5 | to:5 | amount:8 | v:1 | r:32 | s:32: a signed transfer between accounts, with a fee."""
    p = Assembler()
    for name in ("sender", "receiver", "struct", "total"):
        p.block(name)
    p.block("signature", 4)
    offsets = (("at_from", 0), ("at_to", 5), ("at_amount", 10), ("at_v", 18), ("at_r", 19), ("at_s", 51))
    for name, value in (("zero", 0), ("one", 1), ("domain", DOMAIN), ("type", TRANSFER_TYPE), *offsets):
        p.word(name, value)
    for name, value in (("length_wanted", 83), ("fee_ppm", 350), ("million", 10**6), ("total_row", 0)):
        p.word(name, value)
    p.word("struct_pointer", 16)
    p.word("receiver_pointer", 8)

    p.label("bad_length")
    p.op(Op.REJ, imm=16)
    p.label("bad_signature")
    p.op(Op.REJ, imm=17)
    p.label("too_poor")
    p.op(Op.REJ, imm=18)
    p.label("same_account")
    p.op(Op.REJ, imm=19)

    p.label("main")
    p.op(Op.INLEN, "length")
    p.op(Op.BNE, a="length", b="length_wanted", imm="bad_length")
    p.op(Op.IN, "from", "at_from", imm=5)
    p.op(Op.IN, "to", "at_to", imm=5)
    p.op(Op.BEQ, a="from", b="to", imm="same_account")
    p.op(Op.IN, "amount", "at_amount", imm=8)
    p.op(Op.CHKU, "amount", "amount", imm=20 << 16 | 62)
    p.op(Op.IN, "signature+1", "at_v", imm=1)
    p.op(Op.IN, "signature+2", "at_r", imm=32)
    p.op(Op.IN, "signature+3", "at_s", imm=32)
    p.op(Op.LDR, "sender", "from", imm=ACCOUNTS)
    p.op(Op.LDR, "receiver", "to", imm=ACCOUNTS)
    for word, name in enumerate(("type", "from", "to", "amount", "sender+2")):
        p.op(Op.MOV, f"struct+{word}", name)
    p.op(Op.KEC, "struct_hash", "struct_pointer", imm=HASH_INDIRECT | 5)
    p.op(Op.D712, "signature", "domain", "struct_hash")
    p.op(Op.ECR, "signer", "signature")
    p.op(Op.BEQ, a="signer", b="zero", imm="bad_signature")
    p.op(Op.BNE, a="signer", b="sender", imm="bad_signature")

    p.op(Op.MUL, "fee", "amount", "fee_ppm")
    p.op(Op.CDIV, "fee", "fee", "million")
    p.op(Op.ADD, "cost", "amount", "fee")
    p.op(Op.BLT, a="sender+1", b="cost", imm="too_poor")
    p.op(Op.SUB, "sender+1", "sender+1", "cost")
    p.op(Op.ADD, "sender+2", "sender+2", "one")
    p.op(Op.ADD, "receiver+1", "receiver+1", "amount")
    p.op(Op.CHKS, "receiver+1", "receiver+1", imm=21 << 16 | 64)
    p.op(Op.STR, "sender", "from", imm=ACCOUNTS)
    p.op(Op.STR, "receiver_pointer", "to", imm=ACCOUNTS | STORE_INDIRECT)
    p.op(Op.LDR, "total", "total_row", imm=TOTALS)
    p.op(Op.ADD, "total", "total", "fee")
    p.op(Op.MULSHR, "total+1", "amount", "fee", imm=7)
    p.op(Op.STR, "total", "total_row", imm=TOTALS)
    p.op(Op.HALT)
    return p.assemble("main")


def make_transfers(seed: int) -> list[Walker]:
    """Transfers between three accounts, one in three spoiled in some way."""
    rng = random.Random(seed)
    keys = [rng.randbytes(32) for _ in range(3)]
    records = {
        compute_record_key(ACCOUNTS, row): pack_record(
            [
                int.from_bytes(address_of(key), "big"),
                rng.choice((0, 10**6, 10**12, (1 << 63) - 1)),
                rng.randrange(5),
            ]
        )
        for row, key in enumerate(keys)
    }
    state = build_state_tree(records)
    image = TRANSFERS
    walkers = []
    for _ in range(40):
        sender, receiver = rng.randrange(3), rng.randrange(4)
        amount = rng.choice((0, 1, 10**6, 10**9, 1 << 62, rng.getrandbits(40)))
        nonce = from_bytes(records[compute_record_key(ACCOUNTS, sender)][64:96])
        fields = b"".join(map(to_bytes, (TRANSFER_TYPE, sender, receiver, amount, nonce)))
        v, r, s = sign(keccak(b"\x19\x01" + to_bytes(DOMAIN) + keccak(fields)), keys[sender])
        data = sender.to_bytes(5, "big") + receiver.to_bytes(5, "big") + amount.to_bytes(8, "big")
        data += bytes((v,)) + r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if rng.random() < 0.3:
            at = rng.randrange(len(data))
            data = rng.choice((data[:at], data + b"\0", data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]))
        walkers.append(Walker(image, state, records, data))
    return walkers


# ------------------------------------------------------------------------------------------------- arithmetic


def build_roots() -> Image:
    """Input n:32: floor of its square root by Newton's rule, in a function; and all other arithmetic."""
    p = Assembler()
    p.block("result")
    for name, value in (("zero", 0), ("one", 1), ("two", 2), ("limit", 1 << 250), ("row", 3), ("odd", -7)):
        p.word(name, value)

    p.label("root")  # x = square root of n; returns to "back"
    p.op(Op.BITLEN, "bits", "n")
    p.op(Op.ADD, "bits", "bits", "one")
    p.op(Op.SHR, "half", "bits", "one")
    p.op(Op.SHL, "x", "one", "half")
    p.label("newton")
    p.op(Op.DIV, "y", "n", "x")
    p.op(Op.ADD, "y", "y", "x")
    p.op(Op.SHR, "y", "y", "one")
    p.op(Op.BLE, a="x", b="y", imm="done")
    p.op(Op.MOV, "x", "y")
    p.op(Op.JMP, imm="newton")
    p.label("done")
    p.op(Op.RET, a="back")

    p.label("main")
    p.op(Op.IN, "n", "zero", imm=32)
    p.op(Op.CHKU, "n", "n", imm=250)
    p.op(Op.CALL, "back", imm="root")
    p.op(Op.MUL, "square", "x", "x")
    p.op(Op.SUB, "rest", "n", "square")
    p.op(Op.MOD, "result+2", "rest", "odd")
    p.op(Op.DIV, "result+3", "rest", "odd")
    p.op(Op.CDIV, "result+4", "n", "x")  # rejects for n = 0
    p.op(Op.MIN, "low", "x", "rest")
    p.op(Op.MAX, "high", "x", "rest")
    p.op(Op.LT, "result+5", "low", "high")
    p.op(Op.LE, "result+6", "low", "high")
    p.op(Op.EQ, "equal", "low", "high")
    p.op(Op.NE, "different", "low", "high")
    p.op(Op.XOR, "one_of_both", "equal", "different")
    p.op(Op.OR, "result+7", "low", "high")
    p.op(Op.AND, "result+7", "result+7", "odd")
    p.op(Op.MOV, "result", "x")
    p.op(Op.MOV, "result+1", "rest")
    p.op(Op.BNE, a="one_of_both", b="one", imm="root")
    p.op(Op.STR, "result", "row", imm=TOTALS)
    p.op(Op.HALT)
    return p.assemble("main")


def make_roots(seed: int) -> list[Walker]:
    """Roots of numbers of all sizes, of zero, and of some that are too large."""
    rng = random.Random(seed)
    numbers = [0, 1, (1 << 250) - 1, 1 << 250, *(rng.getrandbits(rng.randrange(1, 256)) for _ in range(8))]
    state = build_state_tree({})
    return [Walker(ROOTS, state, {}, number.to_bytes(32, "big")) for number in numbers]


# --------------------------------------------------------------------------------------------------- pointers


def build_sorting() -> Image:
    """Input count:1 | count words:4, at most 12: sorts them in memory, stores them in two records."""
    p = Assembler()
    p.block("list", 16)
    p.block("record")
    for name, value in (("zero", 0), ("one", 1), ("four", 4), ("most", 12), ("bias", 1 << 31), ("eight", 8)):
        p.word(name, value)

    p.label("too_many")
    p.op(Op.REJ, imm=16)
    p.label("main")
    p.op(Op.IN, "count", "zero", imm=1)
    p.op(Op.BLT, a="most", b="count", imm="too_many")
    p.op(Op.MOV, "i", "zero")
    p.op(Op.MOV, "at", "one")
    p.label("read")
    p.op(Op.BLE, a="count", b="i", imm="sort")
    p.op(Op.IN, "value", "at", imm=4)
    p.op(Op.SUB, "value", "value", "bias")
    p.op(Op.STX, "value", "i", imm=0)  # the list is at address 0
    p.op(Op.ADD, "i", "i", "one")
    p.op(Op.ADD, "at", "at", "four")
    p.op(Op.JMP, imm="read")

    p.label("sort")
    p.op(Op.MOV, "end", "count")
    p.label("outer")
    p.op(Op.BLE, a="end", b="one", imm="store")
    p.op(Op.MOV, "j", "one")
    p.label("inner")
    p.op(Op.BLE, a="end", b="j", imm="outer_next")
    p.op(Op.SUB, "before", "j", "one")
    p.op(Op.LDX, "left", "before", imm=0)
    p.op(Op.LDX, "right", "before", imm=1)
    p.op(Op.MIN, "low", "left", "right")
    p.op(Op.MAX, "high", "left", "right")
    p.op(Op.STX, "low", "before", imm=0)
    p.op(Op.STX, "high", "before", imm=1)
    p.op(Op.ADD, "j", "j", "one")
    p.op(Op.JMP, imm="inner")
    p.label("outer_next")
    p.op(Op.SUB, "end", "end", "one")
    p.op(Op.JMP, imm="outer")

    p.label("store")
    p.op(Op.KEC, "hash", "list", imm=16)
    p.op(Op.STR, "list", "zero", imm=TOTALS)
    p.op(Op.STR, "eight", "one", imm=TOTALS | STORE_INDIRECT)
    p.op(Op.LDR, "record", "zero", imm=TOTALS)
    p.op(Op.BNE, a="record", b="list", imm="too_many")
    p.op(Op.LDX, "beyond", "record", imm=0)  # rejects unless the smallest number is an address
    p.op(Op.HALT)
    return p.assemble("main")


def make_sorting(seed: int) -> list[Walker]:
    """Lists of all lengths; some are too long, some too short for their count."""
    rng = random.Random(seed)
    walkers = []
    state = build_state_tree({})
    for count in (0, 1, 2, 12, 13, *(rng.randrange(13) for _ in range(3))):
        numbers = [rng.choice((rng.getrandbits(31), rng.randrange(500))) + (1 << 31) for _ in range(count)]
        data = bytes((count,)) + b"".join(number.to_bytes(4, "big") for number in numbers)
        walkers.append(Walker(SORTING, state, {}, data[: len(data) - rng.choice((0, 0, 0, 3))]))
    return walkers


TRANSFERS: Final = build_transfers()
ROOTS: Final = build_roots()
SORTING: Final = build_sorting()

PROGRAMS: Final[dict[str, Callable[[int], list[Walker]]]] = {
    "transfers": make_transfers,
    "roots": make_roots,
    "sorting": make_sorting,
}
