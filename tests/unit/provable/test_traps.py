"""Each mistake that such a compiler makes easily, written down as a law: all faces must agree."""

import pytest

from optimist.base.keccak import keccak
from optimist.base.signature import address_of, sign
from optimist.provable import widths
from optimist.vm.isa import Op
from tests.support.law_text import compile_law, entry, get_refusal, out, run_everywhere

TOP = b"\xff" * 32
STORE = "store(0, o)"


def test_padding_is_no_instruction() -> None:
    compiled = compile_law(entry("pass"))
    assert all(instruction.op is not Op.ILL for instruction in compiled.instructions)
    assert compiled.image.program[compiled.image.entry] != bytes(32)


def test_an_all_zero_struct_hashes_to_the_hash_of_zeros_not_to_zero() -> None:
    (receipt,) = run_everywhere(entry("s = zero(Struct)", "o = zero(Out)", "o.c = keccak_of(s)", STORE), b"")
    assert out(receipt)[2] == keccak(bytes(3 * 32))


def test_a_hash_covers_exactly_the_words_of_the_struct_without_padding() -> None:
    lines = ("s = Struct(tag=TAG, size=-1, account=5)", "o = zero(Out)", "o.c = keccak_of(s)", STORE)
    (receipt,) = run_everywhere(entry(*lines), b"")
    words = (0x12, -1, 5)
    assert out(receipt)[2] == keccak(b"".join(word.to_bytes(32, "big", signed=True) for word in words))


@pytest.mark.parametrize("length", [1, 8, 9, 16])
def test_structs_of_one_to_sixteen_words_are_hashed(length: int) -> None:
    body = f"@record()\nclass Long:\n    v: Annotated[Vec[i64], {length}]\n\n\n"
    lines = ("s = zero(Long)", f"for i in range({length}):", "    s.v[i] = i - 3", "o = zero(Out)")
    (receipt,) = run_everywhere(body + entry(*lines, "o.c = keccak_of(s)", STORE), b"")
    packed = b"".join((i - 3).to_bytes(32, "big", signed=True) for i in range(length))
    assert out(receipt)[2] == keccak(packed)


@pytest.mark.parametrize("name", [name for name in widths.WIDTHS if name.startswith("i")])
def test_signed_widths_are_symmetric_so_that_negation_fits(name: str) -> None:
    width = widths.WIDTHS[name]
    assert width.low == -width.high
    if name in ("i16", "i64", "i128"):
        body = f"def f(a: {name}) -> {name}:\n    return -a\n\n\n"
        body += f"def g(a: {name}) -> {name}:\n    return abs(a)\n\n\n"
        compile_law(body + entry("pass"))


def test_the_lowest_twos_complement_number_of_the_input_is_rejected_by_a_signed_width() -> None:
    body = entry("o = zero(Out)", "o.a = fit(i64, input_int(0, 8), Code.A)", STORE)
    lowest, highest = (1 << 63).to_bytes(8, "big"), ((1 << 63) - 1).to_bytes(8, "big")
    low, high, minus_one = run_everywhere(body, lowest, highest, b"\xff" * 8)
    assert low.code == 16
    assert out(high)[0] == (1 << 63) - 1
    assert out(minus_one)[0] == -1


def test_a_clamp_at_a_power_of_two_needs_and_has_an_exact_range() -> None:
    clamp = "x = min(input_uint(0, 31), 1 << 96)"
    power = "Annotated[int, Range(0, (1 << 96) - 1)]"
    assert "this value lies in 0..2**96, which is not" in get_refusal(entry(clamp, f"y: {power} = x"))
    body = "Ratio = Annotated[int, Range(0, 1 << 96)]\n\n\n"
    body += entry(clamp, "r: Ratio = x", "o = zero(Out)", "o.a = fit(Range(1, 1 << 96), r, Code.B)", STORE)
    at_clamp, at_zero = run_everywhere(body, TOP, b"")
    assert out(at_clamp)[0] == 1 << 96
    assert at_zero.code == 17


def test_the_end_of_a_range_is_read_once() -> None:
    lines = (
        "n: u8 = input_uint(0, 1)",
        "total: u16 = 0",
        "for i in range(min(n, 9)):",
        "    n = 1",
        "    total = fit(u16, total + 1, Code.A)",
        "m: u8 = input_uint(0, 1) % 8",
        "for i in range(m):",
        "    m = 0",
        "    total = fit(u16, total + 100, Code.A)",
        "o = zero(Out)",
        "o.a = total",
        STORE,
    )
    first, second = run_everywhere(entry(*lines), b"\x05", b"\x00")
    assert out(first)[0] == 505
    assert out(second)[0] == 0


def test_the_end_of_a_range_may_be_a_field_that_the_body_changes() -> None:
    lines = (
        "o = zero(Out)",
        "o.a = input_uint(0, 1) % 8",
        "x = fit(Range(0, 7), o.a, Code.A)",
        "for i in range(fit(Range(0, 7), o.a, Code.A)):",
        "    o.a = 0",
        "    o.b = i + 1",
        STORE,
    )
    (receipt,) = run_everywhere(entry(*lines), b"\x06")
    assert out(receipt)[:2] == (0, 6)


CHANGE = "def change(o: Out, by: u8) -> u8:\n    o.a = 50\n    return by\n\n\n"


@pytest.mark.parametrize("inline", ["", "@inline\n"], ids=["called", "inlined"])
def test_a_field_read_before_a_call_that_changes_it_keeps_its_old_value(inline: str) -> None:
    lines = ("o = zero(Out)", "o.a = 3", "o.b = o.a + change(o, 4)", STORE)
    (receipt,) = run_everywhere(inline + CHANGE + entry(*lines), b"")
    assert out(receipt)[:2] == (50, 7)


@pytest.mark.parametrize("inline", ["", "@inline\n"], ids=["called", "inlined"])
def test_a_field_is_read_before_the_call_that_is_added_to_it(inline: str) -> None:
    first = ("a = zero(Account)", "o = zero(Out)", "o.a = 3", "o.a += change(o, 4)")
    lines = (
        *first,
        "a.slots[1] = 7",
        "a.slots[min(change(o, 1), 2)] %= 1 + change(o, 4)",
        "o.b = a.slots[1]",
        "o.a = fit(i128, o.a - o.b, Code.A)",
        STORE,
    )
    body = CHANGE.replace("def change(o: Out, by: u8) -> u8", "def change(o: Out, by: Small) -> Small")
    body = "Small = Annotated[int, Range(0, 4)]\n\n\n" + inline + body
    (receipt,) = run_everywhere(body + entry(*lines), b"")
    assert out(receipt)[:2] == (48, 2)


@pytest.mark.parametrize("inline", ["", "@inline\n"], ids=["called", "inlined"])
def test_a_field_between_two_comparisons_is_read_once(inline: str) -> None:
    lines = ("o = zero(Out)", "o.a = input_uint(0, 1)", "if 0 <= o.a < change(o, 40):", "    o.b = 1", STORE)
    small, large = run_everywhere(inline + CHANGE + entry(*lines), b"\x03", b"\x28")
    assert out(small)[:2] == (50, 1)
    assert out(large)[:2] == (50, 0)


def test_nothing_is_learned_of_a_field_that_the_other_side_of_the_comparison_changed() -> None:
    """o.a < change(...) says nothing of o.a afterwards: it is 50 then."""
    lines = ("o = zero(Out)", "o.a = 3", "if o.a < change(o, 4):", "    x = u8(o.a)", "    o.b = x", STORE)
    assert "this value lies in" in get_refusal(CHANGE + entry(*lines))


def test_nothing_is_learned_from_the_least_of_a_field_and_a_call_that_changes_it() -> None:
    lines = ("o = zero(Out)", "o.a = 3", "x = min(o.a, change(o, 4))", "y = u8(o.a - x)")
    assert "this value lies in" in get_refusal(CHANGE + entry(*lines))


def test_the_result_of_a_call_survives_the_next_call() -> None:
    body = "def f(a: u8) -> u8:\n    b = a\n    return b\n\n\n"
    body += "def g(a: u8) -> u16:\n    b: u16 = a * 2\n    return b\n\n\n"
    lines = (
        "o = zero(Out)",
        "o.a = f(3) * 100 + g(4) * 10 + f(5)",
        "o.b = f(fit(u8, g(f(6)) + f(1), Code.A))",
        "o.d = max(f(7), min(f(9), g(8)))",
        STORE,
    )
    (receipt,) = run_everywhere(body + entry(*lines), b"")
    assert out(receipt)[:2] == (385, 13)
    assert out(receipt)[3] == 9


def test_an_argument_that_calls_does_not_overwrite_one_that_is_in_place() -> None:
    body = "def g(a: u8, b: u8) -> u8:\n    c = a\n    d = b\n    return min(c, d)\n\n\n"
    body += "def f(a: u8, b: u8, c: u8) -> u40:\n    return a * 10000 + b * 100 + c\n\n\n"
    lines = ("o = zero(Out)", "o.a = f(1, g(20, 30), g(40, 50))", "o.b = f(c=g(7, 8), a=2, b=g(5, 6))", STORE)
    (receipt,) = run_everywhere(body + entry(*lines), b"")
    assert out(receipt)[:2] == (12040, 20507)


def test_a_destination_is_written_only_by_the_last_operation() -> None:
    body = "def f(a: u8) -> u8:\n    return a % 7\n\n\n"
    lines = (
        "x: u40 = input_uint(0, 1)",
        "x = f(fit(u8, x, Code.A)) + x",
        "x = (x + 1 if x > 3 else x + 2) + x",
        "x = abs(3 - x) + x",
        "o = zero(Out)",
        "o.a = x",
        "o.a = 1 - o.a if o.a > 2 else o.a",
        STORE,
    )
    run_everywhere(body + entry(*lines), b"\x00", b"\x01", b"\x05", b"\xfe")


@pytest.mark.parametrize("inline", ["", "@inline\n"], ids=["called", "inlined"])
def test_two_names_of_one_record_are_one_record(inline: str) -> None:
    """Handing one record to two parameters makes them the same one, in Python and in the machine."""
    body = (
        inline
        + "def f(p: Out, q: Out) -> None:\n    p.a = 1\n    q.a = p.a + 5\n"
        + "    p.b = q.a\n    q.d = p.a + p.b\n\n\n"
    )
    (receipt,) = run_everywhere(body + entry("o = zero(Out)", "f(o, o)", STORE), b"")
    assert out(receipt)[:2] == (6, 6)
    assert out(receipt)[3] == 12


def test_what_is_known_of_a_record_is_forgotten_when_another_parameter_is_written() -> None:
    body = "def f(p: Out, q: Out) -> u8:\n    require(0 <= p.a < 9, Code.A)\n"
    body += "    q.a = 1000\n    return p.a\n\n\n"
    assert "4:12: this value lies in" in get_refusal(body + entry("o = zero(Out)", "_ = f(o, o)"))


def test_a_difference_is_not_learned_between_parameters_that_may_be_one_record() -> None:
    body = "def f(p: Out, q: Out) -> u8:\n    q.a = 5\n    p.a = q.a + 1\n    return u8(p.a - q.a - 1)\n\n\n"
    assert "4:15: this value lies in" in get_refusal(body + entry("o = zero(Out)", "_ = f(o, o)"))


def test_conditions_joined_by_and_or_fall_through_to_the_right_place() -> None:
    lines = (
        "a = input_uint(0, 1)",
        "b = input_uint(1, 1)",
        "c = input_uint(2, 1)",
        "require(a != 1 and b != 1, Code.A)",
        "require(not (a == 2 and (b == 2 or c == 2)), Code.B)",
        "o = zero(Out)",
        "if (a < b or b < c) and not (a == c):",
        "    o.a = 1",
        "ok = a < b < c or c > 200",
        "o.b = 1 if ok else 0",
        STORE,
    )
    run_everywhere(
        entry(*lines), *(bytes((a, b, c)) for a in range(4) for b in range(4) for c in (0, 1, 2, 201))
    )


def test_the_second_part_of_and_is_not_evaluated_when_the_first_fails() -> None:
    lines = ("a = input_uint(0, 1)", "if a != 0 and 100 // a > 3:", "    store(0, Out(a=a, b=0, c=TAG, d=0))")
    zero_divisor, small = run_everywhere(entry(*lines), b"\x00", b"\x05")
    assert not zero_divisor.rejected
    assert out(small)[0] == 5


def test_the_order_of_evaluation_decides_which_code_an_input_is_rejected_with() -> None:
    a, b = "fit(u8, input_uint(0, 2), Code.A)", "fit(u8, input_uint(2, 2), Code.B)"
    for text in (
        f"x = {a} + {b}",
        f"x = {a} > {b}",
        f"x = max({a}, {b})",
        f"x = f({a}, {b})",
        f"x = f(b={a}, a={b})",
    ):
        body = "def f(a: u8, b: u8) -> u8:\n    return min(a, b)\n\n\n" + entry(text)
        both, second = run_everywhere(body, TOP, b"\0\0\xff\xff")
        assert (both.code, second.code) == (16, 17), text


def test_the_value_of_an_element_is_evaluated_before_its_index() -> None:
    lines = (
        "a = zero(Account)",
        "a.slots[fit(Range(0, 2), input_uint(0, 1), Code.A)] = fit(i64, input_uint(1, 9), Code.B)",
        "a.slots[fit(Range(0, 2), input_uint(0, 1), Code.A)] %= 1 + fit(u8, input_uint(0, 2), Code.C)",
        "store(0, a)",
    )
    receipts = run_everywhere(entry(*lines), TOP, b"\xff", b"\x02\x00", b"\x01\xff")
    assert [receipt.code for receipt in receipts] == [17, 16, 18, 17]
    run_everywhere(entry(*lines), b"\x02" + bytes(9), b"\x01" + bytes(8) + b"\x07", b"\x00")


def test_division_floors_and_ceils_towards_the_right_infinity() -> None:
    lines = (
        "a = input_int(0, 1)",
        "b = input_int(1, 1)",
        "o = zero(Out)",
        "o.a = a // b",
        "o.b = a % b",
        "o.d = ceil_div(a, b) * 1000 + ((a * 8) >> 4)",
        STORE,
    )
    pairs = [
        bytes((a % 256, b % 256)) for a in (-128, -7, -1, 0, 1, 7, 127) for b in (-128, -3, -1, 0, 1, 3, 127)
    ]
    receipts = run_everywhere(entry(*lines), *pairs)
    assert [receipt.code for receipt in receipts].count(1) == 7  # each dividend by 0


def test_a_clash_of_division_and_code_one_is_not_possible() -> None:
    (receipt,) = run_everywhere(entry("x = 5 // input_uint(0, 1)"), b"\x00")
    assert (receipt.rejected, receipt.code) == (True, 1)


def test_input_past_the_end_reads_zeros() -> None:
    lines = (
        "o = zero(Out)",
        "o.a = input_uint(1, 4)",
        "o.b = input_int(2, 3)",
        "o.c = input_b32(1)",
        "o.d = input_length() * 1000 + input_uint(4000, 31)",
        STORE,
    )
    short, longer = run_everywhere(entry(*lines), b"\x01\x02\x83", b"\xff" * 40)
    assert out(short)[:2] == (0x02830000, -(1 << 23) + 0x030000)
    assert out(short)[2] == b"\x02\x83" + bytes(30)
    assert out(longer)[2] == TOP


def test_a_b32_with_its_top_bit_set_is_the_same_everywhere() -> None:
    lines = (
        "o = zero(Out)",
        "o.c = input_b32(0)",
        "if input_b32(0) == b32((1 << 256) - 1):",
        "    o.a = 1",
        "if input_b32(0) != input_b32(32):",
        "    o.b = 1",
        STORE,
    )
    top, other = run_everywhere(entry(*lines), TOP + TOP, TOP[:31] + b"\x7f" + TOP)
    assert out(top)[:3] == (1, 0, TOP)
    assert out(other)[:2] == (0, 1)


def test_a_signature_is_recovered_and_a_malleable_twin_is_not() -> None:
    body = entry(
        "digest = eip712_digest(TAG, input_b32(0))",
        "signer = recover_signer(digest, input_uint(32, 1), input_b32(33), input_b32(65))",
        "store(0, Out(a=signer % (1 << 100), b=signer >> 100, c=digest, d=0))",
    )
    digest = keccak(b"\x19\x01" + (0x12).to_bytes(32, "big") + TOP)
    secret = (7).to_bytes(32, "big")
    v, r, s = sign(digest, secret)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

    def pack(v: int, r: int, s: int) -> bytes:
        return TOP + bytes((v,)) + r.to_bytes(32, "big") + s.to_bytes(32, "big")

    good, twin, bad_v = run_everywhere(body, pack(v, r, s), pack(55 - v, r, order - s), pack(v - 27, r, s))
    low, high, _, _ = out(good)
    assert (high << 100) + low == int.from_bytes(address_of(secret), "big")
    assert out(twin)[:2] == out(bad_v)[:2] == (0, 0)


def test_a_block_that_held_another_record_is_padded_with_zeros() -> None:
    """A stored record is hashed with its padding: what else lay in its block must not remain there."""
    body = "def fill(x: u8) -> None:\n    a = zero(Account)\n    for i in range(3):\n        a.slots[i] = x\n"
    body += "    a.owner = 5\n    store(9, a)\n\n\n"
    body += "def write() -> None:\n    o = Out(a=1, b=2, c=TAG, d=3)\n"
    body += "    store(0, o)\n    store(1, zero(Out))\n\n\n"
    run_everywhere(body + entry("fill(7)", "write()", "store(2, zero(Account))"), b"")


def test_a_record_of_zeros_is_an_absent_record() -> None:
    body = entry("x = input_uint(0, 1)", "store(5, Out(a=x, b=0, c=b32(0), d=0))")
    written, deleted = run_everywhere(body, b"\x05", b"\x00")
    assert written.writes[2 << 40 | 5][0] is None
    assert deleted.writes[2 << 40 | 5][1] is None


def test_a_new_record_may_be_made_of_the_fields_of_the_one_it_replaces() -> None:
    lines = (
        "o = Out(a=1, b=2, c=TAG, d=3)",
        "o = Out(a=o.b, b=o.a, c=o.c, d=o.a + o.b)",
        STORE,
    )
    (receipt,) = run_everywhere(entry(*lines), b"")
    assert out(receipt)[:2] == (2, 1)


def test_a_loaded_record_is_a_private_copy_and_a_peeked_one_stays_as_it_was() -> None:
    lines = (
        "store(0, Out(a=1, b=0, c=TAG, d=0))",
        "p = peek(Out, 0)",
        "l = load(Out, 0)",
        "l.a = 7",
        "l.b = peek(Out, 0).a",
        "store(0, l)",
        "l.a = 100",
        "o = load(Out, 0)",
        "o.d = p.a * 1000 + peek(Out, 0).a",
        STORE,
    )
    (receipt,) = run_everywhere(entry(*lines), b"")
    assert out(receipt)[:2] == (7, 1)
    assert out(receipt)[3] == 1007


def test_a_record_peeked_as_an_argument_is_read_before_a_later_argument_stores() -> None:
    body = "def put() -> u8:\n    store(0, Out(a=9, b=0, c=TAG, d=0))\n    return 4\n\n\n"
    body += "def f(p: Out, x: u8) -> i128:\n    return p.a * 10 + x\n\n\n".replace("p.a * 10", "p.b")
    lines = (
        "store(0, Out(a=1, b=2, c=TAG, d=0))",
        "x = f(peek(Out, 0), put())",
        "o = load(Out, 0)",
        "o.d = x",
        STORE,
    )
    body = body.replace("return p.b + x", "return fit(i128, p.b + x, Code.A)")
    (receipt,) = run_everywhere(body + entry(*lines), b"")
    assert (out(receipt)[0], out(receipt)[3]) == (9, 6)


def test_a_row_is_evaluated_before_the_record_that_is_stored_there() -> None:
    body = "def put(o: Out) -> u8:\n    o.a = 3\n    return 4\n\n\n"
    lines = ("o = zero(Out)", "o.a = 1", "store(fit(u40, o.a, Code.A), Out(a=put(o), b=o.a, c=TAG, d=0))")
    (receipt,) = run_everywhere(body + entry(*lines), b"")
    assert receipt.keys == (2 << 40 | 1,)


def test_early_returns_in_an_inlined_function_leave_only_its_copy() -> None:
    body = "@inline\ndef f(a: u8) -> u16:\n    for i in range(5):\n"
    body += "        if a == i:\n            return i * 10\n"
    body += "        if a > 200:\n            break\n    if a > 100:\n        return a\n    return 1\n\n\n"
    lines = ("x = input_uint(0, 1)", "o = zero(Out)", "o.a = f(x) * 1000 + f(x % 6)", STORE)
    run_everywhere(body + entry(*lines), *(bytes((x,)) for x in (0, 1, 4, 5, 6, 101, 201, 255)))


def test_a_parameter_of_an_inlined_function_that_is_assigned_does_not_change_the_argument() -> None:
    body = "@inline\ndef f(a: u8) -> u8:\n    a = a // 2\n    return a\n\n\n"
    lines = ("x = input_uint(0, 1)", "y = f(x)", "store(0, Out(a=x, b=y, c=TAG, d=f(y)))")
    (receipt,) = run_everywhere(body + entry(*lines), b"\x64")
    assert out(receipt)[:2] == (100, 50)
    assert out(receipt)[3] == 25


def test_variables_of_inlined_copies_do_not_disturb_each_other_in_loops() -> None:
    body = "@inline\ndef f(a: u8) -> u16:\n    b = a + 1\n    c = b * 2\n    return c\n\n\n"
    lines = (
        "total: u40 = 0",
        "for i in range(4):",
        "    x = f(i) + f(i + 1)",
        "    for j in range(3):",
        "        y = f(j) * x",
        "        total = fit(u40, total + y + f(u8(j + i)), Code.A)",
        "store(0, Out(a=total, b=0, c=TAG, d=0))",
    )
    (receipt,) = run_everywhere(body + entry(*lines), b"")

    def f(a: int) -> int:
        return (a + 1) * 2

    assert out(receipt)[0] == sum(f(j) * (f(i) + f(i + 1)) + f(i + j) for i in range(4) for j in range(3))


def test_break_and_continue_leave_the_innermost_loop_alone() -> None:
    lines = (
        "n = input_uint(0, 1)",
        "total: u40 = 0",
        "for i in range(5):",
        "    if i == n:",
        "        continue",
        "    for j in range(i, 6):",
        "        if j + i > n:",
        "            break",
        "        if j == 2:",
        "            continue",
        "        total = fit(u40, total * 3 + j, Code.A)",
        "    total = fit(u40, total + 1000, Code.B)",
        "store(0, Out(a=total, b=0, c=TAG, d=0))",
    )
    run_everywhere(entry(*lines), *(bytes((n,)) for n in range(13)))


def test_an_input_may_store_many_records_and_a_rejected_one_none() -> None:
    lines = (
        "for i in range(5):",
        "    store(i, Out(a=i + 1, b=0, c=TAG, d=0))",
        "require(input_uint(0, 1) == 1, Code.A)",
    )
    kept, dropped = run_everywhere(entry(*lines), b"\x01", b"\x00")
    assert len(kept.writes) == 5
    assert dropped.writes == {}
    assert dropped.code == 16
