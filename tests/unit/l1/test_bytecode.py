"""Code on L1 is ours to the last byte, or it is refused."""

import pytest

from optimist.l1.bytecode import WORD, CodeDiffers, RuntimeCode, load_runtimes
from optimist.l1.creation import ORDER, load_code
from optimist.l1.deployment import CONTRACTS
from tests.support.deployed_code import fill, flip, put, to_word

RUNTIMES = load_runtimes()
STRIDE = 61  # bytes


def make_code(name: str) -> bytes:
    values: dict[tuple[str, str], int | bytes] = {
        (name, immutable): number for number, immutable in enumerate(RUNTIMES[name].immutables, 1)
    }
    return fill(RUNTIMES[name], name, values)


def test_there_is_code_for_every_contract_of_a_deployment() -> None:
    assert set(RUNTIMES) == set(ORDER) == set(CONTRACTS)
    for name, shipped in load_code().items():
        assert 0 < len(RUNTIMES[name].code) < len(shipped.creation)


@pytest.mark.parametrize("name", ORDER)
def test_immutables_are_operands_and_zero_until_a_constructor_writes_them(name: str) -> None:
    runtime = RUNTIMES[name]
    for places in runtime.immutables.values():
        assert places
        for place in places:
            assert runtime.code[place - 1] == 0x7F  # PUSH32
            assert runtime.code[place : place + WORD] == bytes(WORD)


@pytest.mark.parametrize("name", ORDER)
def test_what_a_constructor_wrote_is_read_back(name: str) -> None:
    found = RUNTIMES[name].read_immutables(make_code(name))
    assert found == {each: to_word(number) for number, each in enumerate(RUNTIMES[name].immutables, 1)}


@pytest.mark.parametrize("name", ORDER)
def test_any_single_altered_byte_is_found_wherever_it_stands(name: str) -> None:
    runtime, code = RUNTIMES[name], make_code(name)
    operands = {
        place + offset for places in runtime.immutables.values() for place in places for offset in range(WORD)
    }
    for place in {*range(0, len(code), STRIDE), len(code) - 1} - operands:
        with pytest.raises(CodeDiffers, match=f"differs in 1 of {len(code)} bytes, from byte {place} on"):
            runtime.read_immutables(flip(code, place))


@pytest.mark.parametrize("name", ORDER)
def test_immutable_with_two_values_is_found_at_every_place(name: str) -> None:
    """A getter tells one of them; the code that holds the money may act by the other."""
    runtime, code = RUNTIMES[name], make_code(name)
    for immutable, places in runtime.immutables.items():
        if len(places) == 1:
            continue
        for place in places:
            with pytest.raises(CodeDiffers, match=f"{immutable} has 2 values in the {len(places)} places"):
                runtime.read_immutables(put(code, place, b"\x99" * WORD))


VAULT = make_code("Vault")


@pytest.mark.parametrize("code", [b"", VAULT[:-1], VAULT + b"\0", b"\xef\x01\x00" + b"\x11" * 20])
def test_code_of_another_length_is_refused(code: bytes) -> None:
    with pytest.raises(CodeDiffers, match=f"its code has {len(code)} bytes, not"):
        RUNTIMES["Vault"].read_immutables(code)


def test_code_without_immutables_is_compared_too() -> None:
    plain = RuntimeCode(b"\x60\x00", {})
    assert plain.read_immutables(b"\x60\x00") == {}
    with pytest.raises(CodeDiffers):
        plain.read_immutables(b"\x60\x01")
