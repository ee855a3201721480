"""The native words of the language: widths, records, the ambient context, input bytes."""

from enum import IntEnum
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.base.keccak import keccak
from optimist.base.signature import address_of, sign
from optimist.provable import (
    Range,
    Receipt,
    Rejected,
    State,
    Vec,
    b32,
    bit_length,
    ceil_div,
    eip712_digest,
    fit,
    i64,
    input_b32,
    input_int,
    input_length,
    input_uint,
    keccak_of,
    load,
    mul_shift_right,
    note,
    peek,
    record,
    recover_signer,
    reject,
    require,
    store,
    u8,
    u64,
    u160,
    zero,
)
from optimist.provable.context import OutsideOfInput
from optimist.provable.intrinsics import UnprovenError
from optimist.provable.widths import WIDTHS, WidthError

Ratio = Annotated[int, Range(0, 1 << 96)]


class Code(IntEnum):
    SMALL = 16
    LARGE = 17


@record(table=3)
class Sample:
    """A stored record of every kind of field."""

    owner: u160
    balance: i64
    flag: bool
    tag: b32
    ratio: Ratio
    slots: Annotated[Vec[i64], 3]


@record()
class Struct:
    """A struct for hashing."""

    tag: b32
    size: i64


def apply(function: object, data: bytes = b"", state: State | None = None) -> Receipt:
    assert callable(function)
    return (state or State()).apply(function, data)


# -------------------------------------------------------------------------------- widths


def test_a_width_passes_what_lies_inside_and_raises_a_bug_outside() -> None:
    assert u8(255) == 255
    with pytest.raises(WidthError, match="256 is not in u8"):
        u8(256)
    with pytest.raises(WidthError):
        i64(-(1 << 63))


@pytest.mark.parametrize(("low", "high"), [(1, 0), (0, 1 << 255), (-(1 << 255), 0)])
def test_a_range_is_ordered_and_fits_the_word(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="Range"):
        Range(low, high)


def test_widths_have_their_bounds() -> None:
    for name, width in WIDTHS.items():
        bits = int(name[1:])
        expected = (0, 2**bits - 1) if name[0] == "u" else (1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1)
        assert (width.low, width.high) == expected
        assert str(width) == name


def test_fit_rejects_with_its_code_and_takes_every_spelling_of_a_width() -> None:
    assert fit(u64, 5, Code.SMALL) == 5
    assert fit(Range(5, 5), 5, Code.SMALL) == 5
    assert fit(Ratio, 1 << 96, Code.SMALL) == 1 << 96
    for width, value in ((u64, -1), (Range(5, 5), 6), (Ratio, (1 << 96) + 1)):
        with pytest.raises(Rejected) as caught:
            fit(width, value, Code.LARGE)
        assert caught.value.code == 17
    with pytest.raises(TypeError, match="no integer width"):
        fit(str, 5, Code.SMALL)  # type: ignore[arg-type]  # what an author may write by mistake


def test_arithmetic_words_round_as_they_say() -> None:
    assert (ceil_div(7, 2), ceil_div(-7, 2), ceil_div(7, -2)) == (4, -3, -3)
    assert (mul_shift_right(7, 3, 1), mul_shift_right(-7, 3, 1)) == (10, -11)
    assert (bit_length(0), bit_length(-8)) == (0, 4)


# -------------------------------------------------------------------------------- records


def make_sample() -> Sample:
    sample = zero_of_sample()
    sample.owner = (1 << 160) - 1
    sample.balance = -5
    sample.flag = True
    sample.tag = b32(1 << 255)
    sample.ratio = 1 << 96
    sample.slots[2] = -7
    return sample


def zero_of_sample() -> Sample:
    return zero(Sample)


def test_a_record_is_written_as_eight_twos_complement_words() -> None:
    state = State()
    apply(lambda: store(9, make_sample()), state=state)
    data = state.get_bytes(3 << 40 | 9)
    assert data is not None
    words = [int.from_bytes(data[i : i + 32], "big", signed=True) for i in range(0, 256, 32)]
    assert words == [(1 << 160) - 1, -5, 1, -(1 << 255), 1 << 96, 0, 0, -7]


@given(
    owner=st.integers(0, (1 << 160) - 1),
    balance=st.integers(1 - (1 << 63), (1 << 63) - 1),
    flag=st.booleans(),
    tag=st.binary(min_size=32, max_size=32),
    slots=st.lists(st.integers(1 - (1 << 63), (1 << 63) - 1), min_size=3, max_size=3),
)
def test_records_survive_being_bytes(
    owner: int, balance: int, flag: bool, tag: bytes, slots: list[int]
) -> None:
    seen: list[Sample] = []

    def write() -> None:
        sample = zero(Sample)
        sample.owner, sample.balance, sample.flag, sample.tag = owner, balance, flag, tag  # type: ignore[assignment]  # b32 is bytes at run time
        for i, value in enumerate(slots):
            sample.slots[i] = value
        store(1, sample)

    state = State()
    apply(write, state=state)
    again = State(dict(state.items()))
    apply(lambda: seen.append(load(Sample, 1)), state=again)
    assert (seen[0].owner, seen[0].balance, seen[0].flag, seen[0].tag) == (owner, balance, flag, tag)
    assert list(seen[0].slots) == slots


def test_records_compare_by_value_and_show_their_fields() -> None:
    assert make_sample() == make_sample()
    assert make_sample() != zero_of_sample()
    assert "balance=-5" in repr(make_sample())
    with pytest.raises(AttributeError):
        make_sample().nothing = 1  # type: ignore[attr-defined]  # slots refuse what is no field
    with pytest.raises(TypeError):
        hash(make_sample())


def test_a_struct_is_hashed_without_padding() -> None:
    struct = Struct(tag=b32(7), size=-1)
    assert keccak_of(struct) == keccak((7).to_bytes(32, "big") + b"\xff" * 32)


@pytest.mark.parametrize("table", [0, 256])
def test_tables_are_one_to_255(table: int) -> None:
    with pytest.raises(TypeError, match=r"tables are 1\.\.255"):
        record(table=table)(type("Plain", (), {"__annotations__": {"a": u8}}))


@pytest.mark.parametrize(
    "fields", [{}, {"a": str}, {"a": int}, {"a": list[int]}, {f"f{i}": u8 for i in range(9)}, {"v": Vec}]
)
def test_fields_are_widths_and_fit_eight_words(fields: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        record(table=1)(type("Plain", (), {"__annotations__": fields}))


# -------------------------------------------------------------------------------- load, peek, store


def test_load_is_a_private_copy_and_store_copies_in() -> None:
    def law() -> None:
        store(1, make_sample())
        mine = load(Sample, 1)
        mine.slots[0] = 99
        mine.balance = 99
        assert peek(Sample, 1) == make_sample()
        store(1, mine)
        mine.slots[0] = 100
        mine.balance = 100
        assert peek(Sample, 1).balance == 99
        assert list(peek(Sample, 1).slots) == [99, 0, -7]

    assert not apply(law).rejected


def test_a_peeked_record_stays_as_it_was_when_another_one_is_stored() -> None:
    def law() -> None:
        store(1, make_sample())
        seen = peek(Sample, 1)
        store(1, zero(Sample))
        assert seen == make_sample()

    assert not apply(law).rejected


def test_absent_records_read_as_zeros_and_stay_absent() -> None:
    state = State()
    apply(lambda: require(peek(Sample, 5) == zero(Sample), Code.SMALL), state=state)
    apply(lambda: setattr(load(Sample, 5), "balance", 5), state=state)
    assert list(state.items()) == []


def test_a_record_is_read_from_outside_as_it_was_stored_or_set() -> None:
    state = State()
    assert state.read(Sample, 1) == zero(Sample)
    apply(lambda: store(1, make_sample()), state=state)
    assert state.read(Sample, 1) == make_sample()
    restored = State(dict(state.items()))
    assert restored.read(Sample, 1) == make_sample()


def test_rows_beyond_their_bits_are_a_bug_not_a_rejection() -> None:
    for law in (
        lambda: load(Sample, 1 << 40),
        lambda: peek(Sample, -1),
        lambda: store(1 << 40, zero(Sample)),
    ):
        with pytest.raises(UnprovenError):
            apply(law)
    with pytest.raises(UnprovenError, match="cannot be stored"):
        apply(lambda: store(0, zero(Struct)))


def test_nothing_works_outside_of_an_input() -> None:
    for word in (
        lambda: load(Sample, 0),
        lambda: store(0, zero(Sample)),
        lambda: input_uint(0, 1),
        input_length,
    ):
        with pytest.raises(OutsideOfInput, match=r"State\.apply"):
            word()


def test_an_input_is_not_applied_inside_of_another_one() -> None:
    def nested() -> None:
        apply(lambda: None)

    state = State()
    with pytest.raises(OutsideOfInput, match="one at a time"):
        state.apply(nested, b"")
    assert not apply(lambda: None).rejected


# -------------------------------------------------------------------------------- input


def test_input_bytes_are_big_endian_and_zero_past_the_end() -> None:
    def law() -> None:
        assert input_length() == 3
        assert input_uint(0, 2) == 0x8001
        assert input_uint(2, 4) == 0xFF000000
        assert input_uint(3, 1) == input_uint(10**9, 31) == 0
        assert input_int(0, 1) == -128
        assert input_int(2, 1) == -1
        assert input_int(2, 2) == -256
        assert input_b32(1) == b"\x01\xff" + bytes(30)

    assert not apply(law, b"\x80\x01\xff").rejected


@pytest.mark.parametrize("arguments", [(-1, 1), (0, 0), (0, 32)])
def test_offsets_and_counts_that_the_compiler_refuses_are_a_bug(arguments: tuple[int, int]) -> None:
    with pytest.raises(UnprovenError):
        apply(lambda: input_uint(*arguments) and None)
    with pytest.raises(UnprovenError):
        apply(lambda: input_b32(-1) and None)


# -------------------------------------------------------------------------------- signatures


def test_known_signatures_are_not_recovered_again() -> None:
    secret = (5).to_bytes(32, "big")
    digest = eip712_digest(b32(1), b32(2))
    assert digest == keccak(b"\x19\x01" + bytes(31) + b"\x01" + bytes(31) + b"\x02")
    v, r, s = sign(digest, secret)
    found: list[int] = []
    state = State()
    law = lambda: found.append(recover_signer(digest, v, b32(r), b32(s)))  # noqa: E731 - an input in one line
    state.apply(law, b"")
    state.signatures[digest, v, r.to_bytes(32, "big"), s.to_bytes(32, "big")] = 77
    state.apply(law, b"")
    assert found == [int.from_bytes(address_of(secret), "big"), 77]


# -------------------------------------------------------------------------------- rejection and receipts


def test_a_rejected_input_leaves_no_trace() -> None:
    state = State()
    apply(lambda: store(1, make_sample()), state=state)
    before = dict(state.items())

    def law() -> None:
        store(1, zero(Sample))
        store(2, make_sample())
        reject(Code.LARGE)

    receipt = apply(law, state=state)
    assert (receipt.rejected, receipt.code, receipt.writes, receipt.keys) == (True, 17, {}, ())
    assert receipt.reached == (3 << 40 | 1, 3 << 40 | 2)
    assert dict(state.items()) == before
    assert "rejected with code 17" in repr(receipt)


def test_a_receipt_says_what_changed_and_can_be_undone() -> None:
    state = State()
    first = apply(lambda: store(1, make_sample()), state=state)
    same = apply(lambda: store(1, make_sample()), state=state)
    gone = apply(lambda: store(1, zero(Sample)), state=state)
    key = 3 << 40 | 1
    written = first.writes[key][1]
    assert first.writes == {key: (None, written)}
    assert (same.writes, same.keys) == ({}, (key,))
    assert gone.writes == {key: (written, None)}
    assert state.get_bytes(key) is None
    state.undo(gone)
    assert state.get_bytes(key) == written
    state.undo(same)
    state.undo(first)
    assert list(state.items()) == []


def test_a_receipt_keeps_its_values_while_the_state_goes_on() -> None:
    state = State()
    receipt = apply(lambda: store(1, make_sample()), state=state)
    written = receipt.writes[3 << 40 | 1]
    apply(lambda: store(1, zero(Sample)), state=state)
    assert receipt.writes[3 << 40 | 1] == written


def test_a_receipt_carries_copies_of_what_was_noted_in_order() -> None:
    def law() -> None:
        struct = Struct(tag=b32(7), size=1)
        note(struct)
        struct.size = 2
        note(struct)
        note(peek(Sample, 0))

    notes: tuple[object, ...] = apply(law).notes
    assert notes == (Struct(tag=b32(7), size=1), Struct(tag=b32(7), size=2), zero(Sample))


def test_a_rejected_input_notes_nothing_and_notes_are_no_state() -> None:
    def law() -> None:
        note(Struct(tag=b32(7), size=1))
        require(input_length() == 0, Code.SMALL)

    state = State()
    assert apply(law, b"x", state).notes == ()
    receipt = apply(law, b"", state)
    assert len(receipt.notes) == 1
    assert not receipt.writes
    assert not list(state.items())
    with pytest.raises(OutsideOfInput, match="no input is being applied"):
        note(receipt.notes[0])


def test_a_division_by_zero_of_the_law_is_code_one() -> None:
    assert apply(lambda: require(1 // input_uint(0, 1) == 1, Code.SMALL)).code == 1
    assert apply(lambda: require(1 % input_uint(0, 1) == 1, Code.SMALL)).code == 1
    assert apply(lambda: require(ceil_div(1, input_uint(0, 1)) == 1, Code.SMALL)).code == 1


def test_a_division_by_zero_inside_of_an_intrinsic_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> int:
        return 1 // 0

    monkeypatch.setattr("optimist.provable.intrinsics.recover", broken)
    with pytest.raises(ZeroDivisionError):
        apply(lambda: recover_signer(b32(1), 27, b32(1), b32(1)))


def test_a_bug_of_the_law_raises_and_leaves_no_trace() -> None:
    state = State()

    def law() -> None:
        store(1, make_sample())
        raise KeyError("bug")

    with pytest.raises(KeyError):
        apply(law, state=state)
    assert list(state.items()) == []
    assert not apply(lambda: None, state=state).rejected


def test_a_copy_of_a_state_goes_its_own_way() -> None:
    state = State()
    apply(lambda: store(1, make_sample()), state=state)
    twin = state.copy()
    apply(lambda: store(1, zero(Sample)), state=twin)
    apply(lambda: store(2, make_sample()), state=state)
    assert [key & 0xFF for key, _ in state.items()] == [1, 2]
    assert list(twin.items()) == []


def test_records_from_outside_have_256_bytes() -> None:
    with pytest.raises(ValueError, match="5 bytes instead of 256"):
        State({1: b"short"})
    state = State({1: b"\x01" * 256, 2: bytes(256)})
    assert [key for key, _ in state.items()] == [1]
    state.set_bytes(1, None)
    assert list(state.items()) == []
