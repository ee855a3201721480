"""Lies through the real contracts: real inputs, a bonded liar, and a challenger that is told nothing."""

import asyncio

import pytest

from devnet.liar.faults import Fault, MachineEdit, PatchedLaw, parse_fault
from devnet.liar.patches import PATCHES
from devnet.network import Devnet
from optimist.l1.events import PaddingProven, TimedOut
from tests.support.ringside import Outcome, Town, fight

# Inputs of the town, counted from INIT.
DEPOSIT, GOOD_TRADE, GARBAGE, LIQUIDATION, LAST = 3, 9, 13, 17, 21

STEPS = (
    f"step:{DEPOSIT}:0:pc:1",
    f"step:{GOOD_TRADE}:400:memory.100:1",
    f"step:{GARBAGE}:3:input_hash:7",
    f"step:{LIQUIDATION}:500:state_root:1",
    f"step:{LAST}:20:base_root:-5",
)
STATES = ("state:3:7:2:1:1000000", f"state:{LIQUIDATION}:1:0:6:-1")
LEAVES = ("leaf:9:batch:1", "leaf:12:rest:1")
PADDING = ("padding:0", "padding:5000")


def dispute(network: Devnet, town: Town, fault: Fault, *, stubborn: bool = False) -> Outcome:
    async def play() -> Outcome:
        async with network.connect() as client:
            return await fight(network, client, town, fault, stubborn=stubborn)

    with network.anvil.snapshot():
        outcome = asyncio.run(play())
    assert outcome.liar_is_out
    assert not outcome.honest_is_out
    return outcome


def test_the_town_is_what_the_lies_are_about(town: Town) -> None:
    deposit, trade, garbage, liquidation, last = (
        town.inputs[number] for number in (DEPOSIT, GOOD_TRADE, GARBAGE, LIQUIDATION, LAST)
    )
    assert len(town.inputs) == LAST + 1
    assert deposit[0] == 3
    assert (trade[0], trade[6]) == (5, 2)
    assert garbage == b"\x05garbage"
    assert (liquidation[0], liquidation[6]) == (5, 4)
    assert last[0] == 4


@pytest.mark.parametrize("text", STEPS)
def test_a_lie_inside_an_input_is_proven_at_its_step(shared_devnet: Devnet, town: Town, text: str) -> None:
    fault = parse_fault(text)
    assert isinstance(fault, MachineEdit)
    outcome = dispute(shared_devnet, town, fault)
    assert outcome.proven is not None
    assert outcome.proven.step == fault.edit.step


@pytest.mark.parametrize("text", STATES)
def test_a_lie_about_a_record_is_proven(shared_devnet: Devnet, town: Town, text: str) -> None:
    assert dispute(shared_devnet, town, parse_fault(text)).proven is not None


@pytest.mark.parametrize("name", sorted(PATCHES))
def test_a_patched_law_is_proven_wrong(shared_devnet: Devnet, town: Town, name: str) -> None:
    assert dispute(shared_devnet, town, PatchedLaw(name)).proven is not None


@pytest.mark.parametrize("text", LEAVES)
def test_a_leaf_that_no_input_leads_to_dies_by_the_clock(
    shared_devnet: Devnet, town: Town, text: str
) -> None:
    outcome = dispute(shared_devnet, town, parse_fault(text))
    assert outcome.proven is None
    assert outcome.has(TimedOut)


@pytest.mark.parametrize("text", PADDING)
def test_a_change_past_the_last_input_is_refuted_without_the_machine(
    shared_devnet: Devnet, town: Town, text: str
) -> None:
    outcome = dispute(shared_devnet, town, parse_fault(text), stubborn=True)
    assert outcome.proven is None
    assert outcome.has(PaddingProven)
