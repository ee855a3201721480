"""L1 takes back up to 64 blocks at any move of a dispute: the result is right, nothing of ours is lost."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest

from challenger.settings import get_parameters
from challenger.trace.law import LawProvider
from devnet.liar.faults import parse_fault
from devnet.network import Devnet
from optimist.l1.errors import FinalizedReorg
from tests.support.leftover import prune_through
from tests.support.operator import make_node
from tests.support.ringside import Town, make_player
from tests.support.upheaval import Disturb, Earthquakes, Grounds, ReorgAt, fight_through

TO_THE_LAST_STEP = "step:9:400:memory.100:1"
MOVES = (
    *("liar:Staked", "liar:Claimed", "honest:Staked", "honest:Claimed", "liar:Revealed", "honest:Revealed"),
    *("honest:MatchOpened:INPUTS", "liar:Dissected:INPUTS", "honest:Dissected:INPUTS"),
    *("liar:TraceCommitted:HALF", "honest:TraceCommitted:STEPS", "liar:Dissected:STEPS"),
    *("honest:Dissected:STEPS", "honest:Proven", "honest:Collected", "honest:Confirmed"),
    *("honest:CreditPaid", "honest:BondWithdrawn"),
)
# How a dispute may end without the machine: the move, a lie that leads to it, whether the liar is mute.
OTHER_ENDS = {
    "PaddingProven": ("padding:5000", False),
    "TimedOut": ("leaf:9:batch:1", False),
    "honest:Eliminated": (TO_THE_LAST_STEP, True),  # by timeoutReveal: its history was never revealed
}
DEPTHS = (1, 2, 7, 32, 64)
SOME_DEPTHS = [7, *(pytest.param(depth, marks=pytest.mark.long) for depth in (1, 2, 32, 64))]
SOME = {
    ("honest:Claimed", 2, False),
    ("honest:TraceCommitted:STEPS", 7, True),
    ("honest:Proven", 32, False),
    ("honest:Confirmed", 1, True),
}


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grounds]:
    with Grounds(tmp_path_factory.mktemp("grounds")) as grounds:
        yield grounds


def play(grounds: Grounds, fault: str, disturb: Disturb, *, is_mute: bool = False) -> None:
    async def inside(network: Devnet, town: Town) -> None:
        async with network.connect() as client:
            await fight_through(network, client, town, parse_fault(fault), disturb, is_mute=is_mute)

    with grounds.open() as (network, town):
        asyncio.run(inside(network, town))


@pytest.mark.parametrize(
    ("move", "depth", "keep"),
    [
        pytest.param(*case, marks=() if case in SOME else pytest.mark.long)
        for case in ((move, depth, keep) for move in MOVES for depth in DEPTHS for keep in (False, True))
    ],
)
def test_a_reorg_at_any_move_changes_nothing_in_the_end(
    grounds: Grounds, move: str, depth: int, keep: bool
) -> None:
    reorg = ReorgAt(move, depth, keep)
    play(grounds, TO_THE_LAST_STEP, reorg)
    assert reorg.done >= depth


@pytest.mark.parametrize("depth", SOME_DEPTHS)
@pytest.mark.parametrize("move", OTHER_ENDS)
def test_a_reorg_at_the_other_ends_changes_nothing(grounds: Grounds, move: str, depth: int) -> None:
    reorg = ReorgAt(move, depth)
    fault, is_mute = OTHER_ENDS[move]
    play(grounds, fault, reorg, is_mute=is_mute)
    assert reorg.done >= depth


@pytest.mark.parametrize("depth", SOME_DEPTHS)
def test_a_reorg_at_a_pruning_changes_nothing(grounds: Grounds, depth: int) -> None:
    reorg = ReorgAt("honest:Pruned", depth)

    async def inside(network: Devnet, town: Town) -> None:
        async with network.connect() as client:
            await prune_through(network, client, town, reorg)

    with grounds.open() as (network, town):
        asyncio.run(inside(network, town))
    assert reorg.done >= depth


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 21))])
def test_many_reorgs_of_random_depths_change_nothing(grounds: Grounds, seed: int) -> None:
    quakes = Earthquakes(seed, count=8)
    play(grounds, TO_THE_LAST_STEP, quakes)
    assert len(quakes.depths) > 2, f"seed {seed}: only the depths {quakes.depths}"


def test_a_player_ends_when_a_final_block_is_gone(devnet: Devnet) -> None:
    parameters = get_parameters(devnet.deployment.preset)

    async def story() -> None:
        async with devnet.connect() as client, AsyncExitStack() as stack:
            node = make_node(devnet, client)
            provider = LawProvider(parameters, node.ledger, devnet.law)
            player = make_player(devnet, client, node, devnet.cast.challenger, provider, stack)
            devnet.anvil.mine(10)
            await node.catch_up()  # one look takes in 50 blocks, and an older test may have left more
            await player.look()
            final = devnet.anvil.call("eth_getBlockByNumber", "finalized", False)["hash"]
            devnet.anvil.reorganise(8)  # final is what lies two blocks deep here
            assert devnet.anvil.call("eth_getBlockByHash", final, False) is None
            with pytest.raises(FinalizedReorg):
                await asyncio.wait_for(player.play(0.02), 30)

    asyncio.run(story())
