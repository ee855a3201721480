"""What proving one step costs as a transaction of its own, on a machine that is full of everything.

`python -m tests.support.step_gas` writes `solidity/snapshots/step-gas.json`. The machine: 4,096
instructions and 1,024 words, none of them zero; a state of 2**20 rows in each of 16 tables; records with 12
bytes in each word; an input of 1,024 bytes, the longest there is. `beyond` is a state that cannot be: all
48 siblings, all 256 bytes.
"""

import json
import random
from pathlib import Path
from typing import Final

from optimist.base.merkle import SparseTree
from optimist.vm.image import Image
from optimist.vm.isa import (
    HASH_INDIRECT,
    MEMORY_WORDS,
    PROGRAM_WORDS,
    STATE_DEPTH,
    STORE_INDIRECT,
    Instruction,
    Op,
)
from optimist.vm.records import compute_record_key, compute_record_leaf, pack_record
from optimist.vm.step import step
from optimist.vm.walker import Walker
from optimist.vm.word import to_bytes, wrap
from tests.support.step_contract import StepContract, compile_step, compute_floor_gas, encode_step

SNAPSHOT: Final = Path(__file__).parents[2] / "solidity" / "snapshots" / "step-gas.json"
CEILING: Final = 120_000  # gas of the dearest step
CODE_CEILING: Final = 24_576  # bytes of a contract (EIP-170)

TABLE: Final = 15
ROW: Final = (1 << 20) - 1
FULL_LEVELS: Final = (*range(20), *range(40, 44))  # rows of a table, tables
# Where the operands are: a row, a pointer to a block, a small number, the block, a signature.
ROW_AT, POINTER_AT, SMALL_AT, BLOCK_AT, SIGNATURE_AT = 509, 510, 511, 512, 640

CASES: Final[dict[str, Instruction]] = {
    **{op.name: Instruction(op, 1021, 1022, SMALL_AT, imm=1023) for op in Op if op != Op.ILL},
    "CHKU": Instruction(Op.CHKU, 1021, SMALL_AT, imm=255),
    "CHKS": Instruction(Op.CHKS, 1021, SMALL_AT, imm=255),
    "RET": Instruction(Op.RET, a=SMALL_AT),
    "LDX": Instruction(Op.LDX, 1021, SMALL_AT, imm=700),
    "STX": Instruction(Op.STX, 1021, SMALL_AT, imm=700),
    "LDR": Instruction(Op.LDR, BLOCK_AT, ROW_AT, imm=TABLE),
    "STR": Instruction(Op.STR, BLOCK_AT, ROW_AT, imm=TABLE),
    "STR indirect": Instruction(Op.STR, POINTER_AT, ROW_AT, imm=STORE_INDIRECT | TABLE),
    "IN": Instruction(Op.IN, 1021, SMALL_AT, imm=32),
    "KEC": Instruction(Op.KEC, 1021, BLOCK_AT, imm=8),
    "KEC indirect": Instruction(Op.KEC, 1021, POINTER_AT, imm=HASH_INDIRECT | 8),
    "KEC of 16": Instruction(Op.KEC, 1021, BLOCK_AT, imm=16),
    "KEC of 16 indirect": Instruction(Op.KEC, 1021, POINTER_AT, imm=HASH_INDIRECT | 16),
    "ECR": Instruction(Op.ECR, 1021, SIGNATURE_AT),
}


def build_machine(
    levels: tuple[int, ...], record_bytes: int
) -> tuple[Image, SparseTree, dict[int, bytes], bytes]:
    """Image, state tree, records and input of the full machine. Case i stands at pc i."""
    rng = random.Random(1559)
    words = [wrap(rng.getrandbits(256) | 1) for _ in range(MEMORY_WORDS)]
    words[ROW_AT], words[POINTER_AT], words[SMALL_AT] = ROW, BLOCK_AT, 300
    words[BLOCK_AT : BLOCK_AT + 16] = [rng.getrandbits(8 * record_bytes - 1) for _ in range(16)]
    words[SIGNATURE_AT + 1] = 27
    words[SIGNATURE_AT + 3] >>= 2  # a low s: the precompile runs
    program = [line.encode() for line in CASES.values()]
    program += [rng.randbytes(32) for _ in range(PROGRAM_WORDS - len(program))]

    key = compute_record_key(TABLE, ROW)
    record = pack_record([rng.getrandbits(8 * record_bytes - 1) for _ in range(8)])
    tree = SparseTree(STATE_DEPTH)
    for level in levels:
        tree._nodes[level, (key >> level) ^ 1] = rng.randbytes(32)
    tree.update([(key, compute_record_leaf(record))])
    return Image(tuple(program), tuple(map(to_bytes, words)), 0), tree, {key: record}, rng.randbytes(1024)


def measure(levels: tuple[int, ...], record_bytes: int) -> dict[str, int]:
    """Gas of each case, paid by a transaction that does nothing else."""
    image, tree, records, data = build_machine(levels, record_bytes)
    contract = StepContract(image)
    paid = {}
    for pc, name in enumerate(CASES):
        walker = Walker(image, tree, records, data)
        walker.core.pc = pc
        pre, proof = walker.compute_hash(), walker.prove()
        if contract.step(pre, proof) != step(pre, proof, image.program_root):
            raise AssertionError(f"{name} differs from step.py")
        paid[name] = max(contract.gas_used, compute_floor_gas(encode_step(pre, proof)))
    return paid


def measure_all() -> dict[str, dict[str, int]]:
    """The snapshot."""
    full = measure(FULL_LEVELS, 12)
    beyond = measure(tuple(range(STATE_DEPTH)), 32)
    return {
        "transaction": dict(sorted(full.items())),
        "ceiling": {"allowed": CEILING, "dearest": max(full.values()), "beyond": max(beyond.values())},
        "code": {"allowed": CODE_CEILING, "Step": len(compile_step().runtime)},
    }


def render(snapshot: dict[str, dict[str, int]]) -> str:
    """The snapshot as text."""
    return json.dumps(snapshot, indent=2) + "\n"


if __name__ == "__main__":
    SNAPSHOT.write_text(render(measure_all()))
