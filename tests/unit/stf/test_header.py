"""HEADER and the clock."""

import pytest

from optimist.derive.actions import Header
from optimist.stf.codes import Code
from optimist.stf.records import BatchLimit
from tests.support.world import OK, START, World


def test_header_opens_a_batch() -> None:
    world = World()
    assert world.apply_bytes(Header(3, START + 5, START + 9, 1).encode()).code == OK
    system = world.system
    assert (system.batch, system.clock, system.mode) == (3, START + 5, 1)
    assert world.record(BatchLimit, 0).last == START + 9
    assert system.last_sequenced == START  # a header is nothing that the sequencer ordered


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (Header(2, START, START), Code.BATCH_NOT_NEXT),
        (Header(4, START, START), Code.BATCH_NOT_NEXT),
        (Header(3, START - 1, START), Code.HEADER_SECONDS),
        (Header(3, START + 1, START), Code.HEADER_SECONDS),
        (Header(3, START, START, 2), Code.HEADER_MODE),
    ],
)
def test_unsound_header_is_rejected(header: Header, code: Code) -> None:
    assert World().apply_bytes(header.encode()).code == code


def test_wrong_length_is_rejected() -> None:
    data = Header(3, START, START).encode()
    for wrong in (data[:-1], data + b"\0", data[:1]):
        assert World().apply_bytes(wrong).code == Code.MALFORMED


def test_seconds_of_sequenced_inputs_lie_between_clock_and_limit() -> None:
    world = World()
    world.second = START + 5
    assert world.open_batch(last=START + 20) == OK
    for second, code in (
        (START + 4, Code.SECOND_BEFORE_CLOCK),
        (START + 5, OK),
        (START + 20, OK),
        (START + 21, Code.SECOND_AFTER_LIMIT),
        (START + 19, Code.SECOND_BEFORE_CLOCK),
    ):
        world.second = second
        assert world.price(0, 100, at=second) in (code, Code.PRICE_NOT_NEWER)
        if code == OK:
            assert world.system.clock == world.system.last_sequenced == second


def test_limit_may_be_unknown_while_the_batch_is_open() -> None:
    """The sequencer knows `last` only when it seals: with a later one, nothing but BatchLimit differs."""
    states = []
    for last in (START + 20, 2**40 - 1):
        world = World()
        world.open_batch(last=last)
        world.deposit(1, 5)
        world.second = START + 20
        assert world.price(0, 100) == OK
        records = dict(world.state.items())
        del records[2 << 40]
        states.append(records)
    assert states[0] == states[1]
