"""Dispatch: any bytes are an input, at worst a rejected one that leaves no trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimist.derive.actions import Deposit, Forced, Header, Liquidate, Sequenced
from optimist.provable import State
from optimist.stf import inputs
from optimist.stf.codes import Code
from optimist.stf.law import get_law
from tests.support.world import OK, START, World, address, build_init


@pytest.fixture(scope="module")
def world() -> World:
    world = World()
    world.deposit(1, 100)
    return world


@pytest.mark.parametrize("data", [b"", b"\0", b"\6", b"\xff" * 300])
def test_unknown_origin_is_rejected(world: World, data: bytes) -> None:
    assert world.apply_bytes(data).code == Code.UNKNOWN_ORIGIN


@pytest.mark.parametrize("kind", [0, 99, 255])
def test_unknown_kind_is_rejected(world: World, kind: int) -> None:
    data = bytes((inputs.ORIGIN_SEQUENCED,)) + START.to_bytes(5, "big") + bytes((kind,))
    assert world.apply_bytes(data).code == Code.UNKNOWN_KIND


@pytest.mark.parametrize(
    "data",
    [
        Header(1, START, START).encode(),
        Deposit(1, address("trader 1"), 1).encode(),
        Forced(address("trader 1"), START, b"").encode(),
        Sequenced(START, Liquidate(1, 0)).encode(),
        b"",
    ],
)
def test_nothing_happens_before_init(data: bytes) -> None:
    assert State().apply(get_law("minimal"), data).code == Code.NOT_INITIALISED


def test_second_init_is_rejected(world: World) -> None:
    assert world.apply_bytes(build_init().encode()).code == Code.ALREADY_INITIALISED


@given(st.binary(max_size=300))
def test_any_bytes_are_an_input(data: bytes) -> None:
    world = World()
    before = dict(world.state.items())
    receipt = world.apply_bytes(data)
    if receipt.rejected:
        assert dict(world.state.items()) == before
        assert receipt.code in set(Code)


def test_deposit_of_a_wrong_length_is_rejected(world: World) -> None:
    data = Deposit(1, address("trader 1"), 5).encode()
    for wrong in (data[:1], data[:-1], data + b"\0"):
        assert world.apply_bytes(wrong).code == Code.MALFORMED


def test_rejected_input_does_not_move_the_clock() -> None:
    world = World()
    world.second += 7
    assert world.liquidate(1) != OK
    assert world.system.clock == START
