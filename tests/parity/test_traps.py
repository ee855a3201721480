"""Where three implementations of one machine part most easily. Every test asks all faces."""

import pytest

from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from optimist.base.signature import CURVE_ORDER, address_of, sign
from optimist.vm.image import Image
from optimist.vm.isa import (
    HASH_INDIRECT,
    MEMORY_WORDS,
    PROGRAM_WORDS,
    REJECT_ADDRESS,
    REJECT_DIVISION,
    REJECT_OPCODE,
    REJECT_WIDTH,
    STORE_INDIRECT,
    Instruction,
    Op,
)
from optimist.vm.rare import CONTINUE, HALT
from optimist.vm.records import build_state_tree, compute_record_key, pack_record
from optimist.vm.state import compute_final_state
from optimist.vm.step import step
from optimist.vm.walker import Walker
from optimist.vm.word import WORD_MAX, WORD_MIN, from_bytes, to_bytes, wrap
from tests.support.machine_faces import step_everywhere
from tests.support.step_contract import Reverted, StepContract, encode_step

SECRET = b"\x07" * 32
RECOVER_OUT_OF_GAS = keccak(b"RecoverOutOfGas(uint256)")[:4]


def prepare(
    *program: Instruction,
    memory: dict[int, int] | None = None,
    records: dict[int, bytes] | None = None,
    data: bytes = b"",
    pc: int = 0,
) -> tuple[Walker, StepContract]:
    """A machine with these words and records before the instruction at `pc`."""
    words = [0] * MEMORY_WORDS
    for index, word in (memory or {}).items():
        words[index] = word
    image = Image(tuple(line.encode() for line in program), tuple(map(to_bytes, words)), 0)
    walker = Walker(image, build_state_tree(records or {}), records or {}, data)
    walker.core.pc = pc
    return walker, StepContract(image)


def execute(
    *program: Instruction,
    memory: dict[int, int] | None = None,
    records: dict[int, bytes] | None = None,
    data: bytes = b"",
    pc: int = 0,
) -> Walker:
    """The machine after one step, the same in all faces."""
    walker, contract = prepare(*program, memory=memory, records=records, data=data, pc=pc)
    step_everywhere(walker.image, contract, walker)
    return walker


def compute(op: Op, a: int, b: int = 0, imm: int = 0) -> int:
    """m[2] after one operation on m[0] and m[1]. Fails when it rejects."""
    walker = execute(Instruction(op, 2, 0, 1, imm), memory={0: a, 1: b})
    assert walker.core.result == CONTINUE
    return walker.core.memory[2]


def get_code(op: Op, a: int, b: int = 0, imm: int = 0) -> int:
    """The code with which one operation on m[0] and m[1] rejects."""
    return execute(Instruction(op, 2, 0, 1, imm), memory={0: a, 1: b}).core.result


# --------------------------------------------------------- bits above the depth of a tree prove no other leaf


@pytest.mark.parametrize("pc", [PROGRAM_WORDS, PROGRAM_WORDS + 5, 1 << 39 | 5, (1 << 40) - 1])
def test_pc_behind_the_program_rejects_and_is_not_reduced(pc: int) -> None:
    program = [Instruction(Op.HALT)] * 8
    assert execute(*program, pc=pc).core.result == REJECT_ADDRESS


def test_machine_that_walks_off_the_program_rejects_on_the_next_step() -> None:
    program = [Instruction(Op.ILL)] * (PROGRAM_WORDS - 1) + [Instruction(Op.MOV, 2, 0)]
    walker, contract = prepare(*program, pc=PROGRAM_WORDS - 1)
    step_everywhere(walker.image, contract, walker)
    assert (walker.core.result, walker.core.pc) == (CONTINUE, PROGRAM_WORDS)
    step_everywhere(walker.image, contract, walker)
    assert walker.core.result == REJECT_ADDRESS


@pytest.mark.parametrize(
    "pointer", [MEMORY_WORDS, MEMORY_WORDS + 7, -1, -MEMORY_WORDS, WORD_MIN, WORD_MAX, 1 << 64]
)
@pytest.mark.parametrize("op", [Op.LDX, Op.STX])
def test_pointer_outside_memory_rejects_and_is_not_reduced(op: Op, pointer: int) -> None:
    assert get_code(op, pointer) == REJECT_ADDRESS


@pytest.mark.parametrize("op", [Op.LDX, Op.STX])
def test_pointer_plus_offset_does_not_wrap_into_memory(op: Op) -> None:
    assert get_code(op, 1020, imm=4) == REJECT_ADDRESS
    assert get_code(op, 5, imm=(1 << 200) - 1) == REJECT_ADDRESS
    assert get_code(op, WORD_MAX, imm=(1 << 200) - 1) == REJECT_ADDRESS
    assert get_code(op, -5, imm=4) == REJECT_ADDRESS
    compute(op, -5, imm=5)
    compute(op, -(1 << 199), imm=(1 << 199) + 1023)


@pytest.mark.parametrize("field", ["d", "a", "b"])
@pytest.mark.parametrize("op", [op for op in Op if op != Op.ILL], ids=lambda op: op.name)
def test_address_outside_memory_rejects_even_where_it_is_not_used(op: Op, field: str) -> None:
    # All else is such that the opcode would go on, or halt.
    fields = {"d": 8, "a": 16, "b": 24} | {field: MEMORY_WORDS + 8}
    walker = execute(Instruction(op, imm=1, **fields), memory={24: 1})
    assert walker.core.result == REJECT_ADDRESS


@pytest.mark.parametrize("row", [-1, 1 << 40, (1 << 40) + 3, WORD_MIN])
@pytest.mark.parametrize("op", [Op.LDR, Op.STR])
def test_row_out_of_range_rejects_and_does_not_reach_another_table(op: Op, row: int) -> None:
    records = {compute_record_key(2, 3): pack_record([1])}
    walker = execute(Instruction(op, 8, 0, 0, 1), memory={0: row}, records=records)
    assert walker.core.result == REJECT_ADDRESS


@pytest.mark.parametrize("target", [PROGRAM_WORDS, PROGRAM_WORDS + 1, 1 << 40, 1 << 199])
@pytest.mark.parametrize("op", [Op.JMP, Op.BEQ, Op.BNE, Op.BLT, Op.BLE, Op.CALL])
def test_target_outside_the_program_rejects_whether_taken_or_not(op: Op, target: int) -> None:
    for a, b in ((0, 0), (0, 1), (1, 0)):
        assert get_code(op, a, b, target) == REJECT_ADDRESS


@pytest.mark.parametrize("target", [-1, PROGRAM_WORDS, 1 << 40, WORD_MIN, WORD_MAX])
def test_return_outside_the_program_rejects(target: int) -> None:
    assert get_code(Op.RET, target) == REJECT_ADDRESS


# ---------------------------------------------------------------------------- blocks begin where blocks begin


@pytest.mark.parametrize("offset", range(1, 8))
@pytest.mark.parametrize("op", [Op.LDR, Op.STR])
def test_unaligned_record_rejects(op: Op, offset: int) -> None:
    assert execute(Instruction(op, 8 + offset, 0, 0, 1)).core.result == REJECT_ADDRESS


@pytest.mark.parametrize("pointer", [9, 12, 15, -8, MEMORY_WORDS, MEMORY_WORDS + 8])
def test_record_behind_a_bad_pointer_rejects(pointer: int) -> None:
    walker = execute(Instruction(Op.STR, 1, 0, 0, 1 | STORE_INDIRECT), memory={1: pointer})
    assert walker.core.result == REJECT_ADDRESS


def test_hash_of_more_than_eight_words_needs_a_block_of_sixteen() -> None:
    assert execute(Instruction(Op.KEC, 0, 8, 0, 8)).core.result == CONTINUE
    assert execute(Instruction(Op.KEC, 0, 8, 0, 9)).core.result == REJECT_ADDRESS
    assert (
        execute(Instruction(Op.KEC, 0, 1, 0, 9 | HASH_INDIRECT), memory={1: 8}).core.result == REJECT_ADDRESS
    )
    assert execute(Instruction(Op.KEC, 0, 16, 0, 9)).core.result == CONTINUE


@pytest.mark.parametrize("offset", [1, 2, 3])
def test_unaligned_signature_rejects(offset: int) -> None:
    assert execute(Instruction(Op.ECR, 0, 8 + offset)).core.result == REJECT_ADDRESS


# ------------------------------------------------------------------------------------- zero is no instruction


def test_padding_of_the_program_rejects() -> None:
    assert execute(Instruction(Op.HALT), pc=1).core.result == REJECT_OPCODE
    assert execute(pc=0).core.result == REJECT_OPCODE


@pytest.mark.parametrize("op", [41, 42, 127, 128, 255])
def test_unknown_opcode_rejects(op: int) -> None:
    assert execute(Instruction(op)).core.result == REJECT_OPCODE


# ------------------------------------------------------------------------------------------------------ zeros


def test_record_of_zeros_is_an_absent_record() -> None:
    key = compute_record_key(3, 9)
    records = {key: pack_record([5, -5])}
    walker = execute(Instruction(Op.STR, 8, 0, 0, 3), memory={0: 9}, records=records)
    assert walker.state.root == ZERO
    assert execute(Instruction(Op.STR, 8, 0, 0, 3), memory={0: 9}).state.root == ZERO


def test_absent_record_loads_as_zeros_over_what_was_there() -> None:
    walker = execute(Instruction(Op.LDR, 8, 0, 0, 3), memory={0: 9, 8: 1, 15: -1})
    assert walker.core.memory[8:16] == [0] * 8


def test_hash_of_zeros_is_not_zero() -> None:
    for count in (1, 8, 16):
        walker = execute(Instruction(Op.KEC, 2, 16, 0, count))
        assert to_bytes(walker.core.memory[2]) == keccak(bytes(32 * count))


def test_hash_covers_exactly_the_words_asked_for() -> None:
    memory = {16 + i: i + 1 for i in range(16)}
    for count in range(1, 17):
        walker = execute(Instruction(Op.KEC, 2, 16, 0, count), memory=memory)
        assert to_bytes(walker.core.memory[2]) == keccak(b"".join(to_bytes(i + 1) for i in range(count)))


@pytest.mark.parametrize("count", [0, 17, 255])
def test_hash_of_no_words_or_too_many_rejects(count: int) -> None:
    assert execute(Instruction(Op.KEC, 2, 16, 0, count)).core.result == REJECT_ADDRESS


# ------------------------------------------------------------------------------------------- ends of the word


@pytest.mark.parametrize("width", [1, 2, 8, 64, 254, 255])
def test_signed_width_is_symmetric(width: int) -> None:
    limit = 1 << width - 1
    for value in (limit, -limit, WORD_MIN):
        assert get_code(Op.CHKS, value, imm=width) == REJECT_WIDTH
    for value in (limit - 1, 1 - limit):
        assert compute(Op.CHKS, value, imm=width) == value


def test_nothing_fits_a_signed_width_of_zero() -> None:
    assert get_code(Op.CHKS, 0, imm=0) == REJECT_WIDTH


@pytest.mark.parametrize("width", [0, 1, 8, 64, 254])
def test_unsigned_width_ends_below_the_power_of_two(width: int) -> None:
    limit = 1 << width
    assert get_code(Op.CHKU, limit, imm=width) == REJECT_WIDTH
    assert get_code(Op.CHKU, -1, imm=width) == REJECT_WIDTH
    assert compute(Op.CHKU, limit - 1, imm=width) == limit - 1


def test_unsigned_width_of_255_holds_all_but_negative_words() -> None:
    assert compute(Op.CHKU, WORD_MAX, imm=255) == WORD_MAX
    assert get_code(Op.CHKU, -1, imm=255) == get_code(Op.CHKU, WORD_MIN, imm=255) == REJECT_WIDTH


def test_check_rejects_with_the_code_in_its_immediate() -> None:
    for op in (Op.CHKU, Op.CHKS):
        assert get_code(op, 256, imm=517 << 16 | 8) == 517
        assert get_code(op, 256, imm=8) == REJECT_WIDTH


def test_rejection_code_is_the_immediate_and_leaves_no_trace_in_the_state() -> None:
    walkers = [execute(Instruction(Op.REJ, imm=code)) for code in (16, 99)]
    assert [walker.core.result for walker in walkers] == [16, 99]
    assert walkers[0].compute_hash() == walkers[1].compute_hash() == compute_final_state(ZERO)


@pytest.mark.parametrize("op", [Op.DIV, Op.CDIV, Op.MOD])
def test_division_by_zero_rejects(op: Op) -> None:
    for a in (0, 1, -1, WORD_MIN):
        assert get_code(op, a, 0) == REJECT_DIVISION


def test_lowest_word_divided_by_minus_one_wraps_to_itself() -> None:
    assert compute(Op.DIV, WORD_MIN, -1) == WORD_MIN
    assert compute(Op.CDIV, WORD_MIN, -1) == WORD_MIN
    assert compute(Op.MOD, WORD_MIN, -1) == 0


@pytest.mark.parametrize("a", [7, -7, 6, -6, WORD_MAX, WORD_MIN])
@pytest.mark.parametrize("b", [2, -2, 3, -3, WORD_MAX, WORD_MIN])
def test_division_floors_and_ceils_and_the_remainder_has_the_divisors_sign(a: int, b: int) -> None:
    assert compute(Op.DIV, a, b) == a // b
    assert compute(Op.CDIV, a, b) == -(-a // b)
    assert compute(Op.MOD, a, b) == a % b


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, -1, WORD_MIN, WORD_MAX, 1 << 64])
@pytest.mark.parametrize("value", [1, -1, 5, WORD_MIN, WORD_MAX])
def test_shift_by_256_and_more_or_a_negative_count_leaves_zeros_or_the_sign(value: int, count: int) -> None:
    inside = 0 <= count < 256
    assert compute(Op.SHL, value, count) == (wrap(value << count) if inside else 0)
    assert compute(Op.SHR, value, count) == (value >> count if inside else -(value < 0))


@pytest.mark.parametrize("imm", [0, 1, 255, 256, 257, (1 << 200) - 1])
def test_product_is_wrapped_before_it_is_shifted(imm: int) -> None:
    for a, b in ((3, -5), (WORD_MAX, 2), (WORD_MIN, -1), (1 << 200, 1 << 54)):
        product = wrap(a * b)
        assert compute(Op.MULSHR, a, b, imm) == (product >> imm if imm < 256 else -(product < 0))


def test_bit_length_is_that_of_the_absolute_value() -> None:
    for value in (0, 1, -1, 255, 256, -256, WORD_MAX, WORD_MIN):
        assert compute(Op.BITLEN, value) == abs(value).bit_length()
    assert compute(Op.BITLEN, WORD_MIN) == 256


def test_arithmetic_wraps_at_both_ends() -> None:
    assert compute(Op.ADD, WORD_MAX, 1) == WORD_MIN
    assert compute(Op.SUB, WORD_MIN, 1) == WORD_MAX
    assert compute(Op.MUL, WORD_MIN, WORD_MIN) == 0


# -------------------------------------------------------------------------------------------------- the input


def read(data: bytes, offset: int, size: int) -> int:
    """What IN makes of an input."""
    walker = execute(Instruction(Op.IN, 2, 0, 0, size), memory={0: offset}, data=data)
    assert walker.core.result == CONTINUE
    return walker.core.memory[2]


def test_bytes_past_the_end_of_the_input_are_zero() -> None:
    data = bytes(range(1, 41))
    assert read(data, 39, 4) == 40 << 24
    assert read(data, 40, 4) == read(data, 1 << 200, 32) == read(b"", 0, 32) == 0
    assert read(data, 9, 32) == from_bytes(data[9:] + b"\0")


def test_bytes_behind_the_proof_are_not_read_as_input() -> None:
    walker, contract = prepare(Instruction(Op.IN, 2, 0, 0, 8), memory={0: 1}, data=b"\x05\x06")
    pre, proof = walker.compute_hash(), walker.prove()
    walker.advance()
    assert walker.core.memory[2] == 6 << 56
    assert contract.call(encode_step(pre, proof) + b"\xff" * 64) == walker.compute_hash()


def test_thirty_two_bytes_of_the_input_are_a_signed_word() -> None:
    assert read(b"\xff" * 32, 0, 32) == -1
    assert read(b"\xff" * 32, 0, 31) == (1 << 248) - 1


@pytest.mark.parametrize("offset", [-1, -32, WORD_MIN])
def test_negative_offset_into_the_input_rejects(offset: int) -> None:
    walker = execute(Instruction(Op.IN, 2, 0, 0, 4), memory={0: offset}, data=bytes(64))
    assert walker.core.result == REJECT_ADDRESS


@pytest.mark.parametrize("size", [0, 33, 255])
def test_reading_no_bytes_or_too_many_rejects(size: int) -> None:
    assert execute(Instruction(Op.IN, 2, 0, 0, size), data=bytes(300)).core.result == REJECT_ADDRESS


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 1024])
def test_length_of_the_input(length: int) -> None:
    walker = execute(Instruction(Op.INLEN, 2), data=bytes(length))
    assert walker.core.memory[2] == length


# ---------------------------------------------------------------------------- writes that hit their own reads


def test_store_may_overwrite_its_own_pointer() -> None:
    walker = execute(Instruction(Op.STX, 1, 0), memory={0: 0, 1: 77})
    assert walker.core.memory[0] == 77


def test_load_may_overwrite_its_own_pointer() -> None:
    walker = execute(Instruction(Op.LDX, 0, 0), memory={0: 9, 9: 77})
    assert walker.core.memory[0] == 77


def test_record_may_be_loaded_over_its_own_row() -> None:
    records = {compute_record_key(1, 4): pack_record([1, 2, 3, 4, 5, 6, 7, 8])}
    walker = execute(Instruction(Op.LDR, 8, 10, 0, 1), memory={10: 4}, records=records)
    assert walker.core.memory[8:16] == [1, 2, 3, 4, 5, 6, 7, 8]


def test_call_keeps_the_return_address_and_return_goes_there() -> None:
    walker, contract = prepare(*[Instruction(Op.CALL, 5, imm=7)] * 7, Instruction(Op.RET, a=5), pc=6)
    step_everywhere(walker.image, contract, walker)
    assert (walker.core.pc, walker.core.memory[5]) == (7, 7)
    step_everywhere(walker.image, contract, walker)
    assert walker.core.pc == 7


@pytest.mark.parametrize("op", [op for op in Op if Op.MOV <= op <= Op.CHKS], ids=lambda op: op.name)
def test_destination_may_be_an_operand(op: Op) -> None:
    expected = compute(op, 9, 5, 64)
    for d in (0, 1):
        walker = execute(Instruction(op, d, 0, 1, 64), memory={0: 9, 1: 5})
        assert walker.core.memory[d] == expected


# --------------------------------------------------------------------------------------------------- stopping


def test_halt_keeps_the_state_and_rejection_the_base() -> None:
    records = {compute_record_key(1, 4): pack_record([1])}
    for op, is_kept in ((Op.HALT, True), (Op.REJ, False)):
        walker, contract = prepare(
            Instruction(Op.STR, 8, 0, 0, 1), Instruction(op), memory={8: 5}, records=records
        )
        base = walker.state.root
        step_everywhere(walker.image, contract, walker)
        written = walker.state.root
        assert written != base
        post = step_everywhere(walker.image, contract, walker).post
        assert post == compute_final_state(written if is_kept else base)


def test_machine_that_has_stopped_stays_as_it_is() -> None:
    program = (Instruction(Op.STR, 8, 0, 0, 1), Instruction(Op.HALT), Instruction(Op.REJ))
    walker, contract = prepare(*program, memory={8: 5})
    for _ in range(2):
        step_everywhere(walker.image, contract, walker)
    assert walker.core.result == HALT
    for _ in range(2):
        stepped = step_everywhere(walker.image, contract, walker)
        assert stepped.pre == stepped.post == compute_final_state(walker.state.root)
    assert (walker.core.result, walker.core.steps) == (HALT, 2)


# ------------------------------------------------------------------------------------------------- signatures


def recover(digest: bytes, v: int, r: int, s: int) -> int:
    """What ECR makes of a signature."""
    memory = {4: from_bytes(digest), 5: wrap(v), 6: wrap(r), 7: wrap(s)}
    return execute(Instruction(Op.ECR, 2, 4), memory=memory).core.memory[2]


def test_signature_recovers_to_its_signer() -> None:
    digest = keccak(b"order")
    assert recover(digest, *sign(digest, SECRET)) == int.from_bytes(address_of(SECRET), "big")


def test_malleable_twin_of_a_signature_recovers_to_nobody() -> None:
    digest = keccak(b"order")
    v, r, s = sign(digest, SECRET)
    assert recover(digest, 55 - v, r, CURVE_ORDER - s) == 0


@pytest.mark.parametrize("v", [0, 1, 26, 29, -1, 27 + 256, 28 + (1 << 64)])
def test_v_other_than_27_and_28_recovers_to_nobody(v: int) -> None:
    digest = keccak(b"order")
    _, r, s = sign(digest, SECRET)
    assert recover(digest, v, r, s) == 0


def test_s_at_half_the_order_is_the_last_that_counts() -> None:
    digest = keccak(b"order")
    _, r, _ = sign(digest, SECRET)
    assert recover(digest, 27, r, CURVE_ORDER // 2) != 0
    assert recover(digest, 27, r, CURVE_ORDER // 2 + 1) == 0


@pytest.mark.parametrize(("r", "s"), [(0, 1), (1, 0), (CURVE_ORDER, 1), (5, 1), (-1, 1), (1, -1)])
def test_impossible_r_or_s_recovers_to_nobody(r: int, s: int) -> None:
    assert recover(keccak(b"order"), 27, r, s) == 0


def test_recovery_without_gas_reverts_and_is_never_a_bad_signature() -> None:
    digest = keccak(b"order")
    v, r, s = sign(digest, SECRET)
    memory = {4: from_bytes(digest), 5: v, 6: wrap(r), 7: wrap(s)}
    walker, contract = prepare(Instruction(Op.ECR, 2, 4), memory=memory)
    pre, proof = walker.compute_hash(), walker.prove()
    post = step(pre, proof, walker.image.program_root)
    outcomes = []
    for gas in range(2_000, 40_000, 19):
        try:
            outcomes.append(contract.step_with_inner_gas(pre, proof, gas))
        except Reverted as reverted:
            outcomes.append(reverted.selector.replace(RECOVER_OUT_OF_GAS, b""))
    # First nothing, then the truth: no amount of gas makes another state of it.
    enough = outcomes.index(post)
    assert enough > 0
    assert outcomes == [b""] * enough + [post] * (len(outcomes) - enough)
