"""A claim that lives on in one round although its bond was lost in another: anybody may prune it.

Its owner stands on the truth, and on a false end one round further down. It lets a mute liar time out its
true claim. What it leaves below cannot be fought any more, and keeps a false end alive until it is pruned.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

from challenger.game.types import Status
from challenger.player import Conduct
from challenger.strategy.modes import RESOLVE
from devnet.accounts import Actor
from devnet.network import Devnet
from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from optimist.derive.commitments import compute_assertion_id, compute_claim_id, compute_leaf
from optimist.l1.client import L1Client
from tests.support.operator import Operator
from tests.support.ringside import POLL, QUIET, Town, make_player
from tests.support.upheaval import GROUND, Bout, Disturb

FALSE_ROOT: Final = keccak(b"a root that nothing leads to")


@dataclass(frozen=True, slots=True)
class Leftover:
    """What stands when the owner has lost its bond."""

    claim: bytes  # to be pruned
    node: bytes  # the true end above it
    below: bytes  # the true end beside it


async def leave_a_claim_behind(network: Devnet, client: L1Client, town: Town) -> Leftover:
    """Two ranges, the truth about both from the proposer, and the leftover in the second one."""
    rollup, preset, cast = network.get_contract("Rollup"), network.deployment.preset, network.cast
    operator = Operator(network, client)
    await operator.seal()
    ledger, last = operator.node.ledger, operator.node.ledger.batch_count
    roots = [ledger.get_end_root(batch) for batch in (town.to, last)]
    assert None not in roots

    async def claim(actor: Actor, parent: bytes, root: bytes | None, to: int) -> tuple[bytes, bytes]:
        wallet = network.get_wallet(client, actor)
        await wallet.call(rollup, "assertState", parent, root or b"", to, ledger.get_accumulator(to))
        node = compute_assertion_id(parent, compute_leaf(root or b"", to, ZERO))
        return node, compute_claim_id(node, actor.address)

    owner, liar = cast.liars[:2]
    for actor in (owner, liar):
        await network.get_wallet(client, actor).call(rollup, "stake", value=preset.bond)
    network.anvil.increase_time(preset.min_period)
    node, honest = await claim(cast.proposer, town.parent, roots[0], town.to)
    _, lost = await claim(owner, town.parent, roots[0], town.to)
    network.anvil.increase_time(preset.min_period)
    below, _ = await claim(cast.proposer, node, roots[1], last)
    _, left = await claim(owner, node, FALSE_ROOT, last)
    _, mute = await claim(liar, town.parent, FALSE_ROOT, town.to)
    network.anvil.increase_time(preset.challenge_period)
    wallet = network.get_wallet(client, liar)
    await wallet.call(rollup, "timeoutReveal", lost, mute)
    await wallet.call(rollup, "timeoutReveal", mute, honest)
    return Leftover(left, node, below)


async def prune_through(network: Devnet, client: L1Client, town: Town, disturb: Disturb) -> None:
    """A player without a bond prunes the leftover and confirms both ranges; `disturb` after every look."""
    left = await leave_a_claim_behind(network, client, town)
    network.anvil.mine(GROUND)  # no reorg takes back what only this module does
    bout = Bout(network, client, town)
    await bout.observer.catch_up()
    mine, provider = await bout.learn_truth()
    async with AsyncExitStack() as stack:
        player = make_player(
            network, client, mine, network.cast.challenger, provider, stack, conduct=Conduct(mode=RESOLVE)
        )
        playing = asyncio.create_task(player.play(POLL))
        stack.callback(playing.cancel)
        while (game := await bout.look()) is None or not game.state.rounds[left.node].confirmed.strip(b"\0"):
            if game is not None:
                await disturb(bout)
                if player.quiet >= QUIET:
                    player.quiet = 0
                    bout.push_clock()
            await asyncio.sleep(POLL)
        state = game.state
        assert [state.rounds[each].confirmed for each in (town.parent, left.node)] == [left.node, left.below]
        assert (state.claims[left.claim].status, state.claims[left.claim].pot) == (Status.DEAD, 0)
        assert [name for name, _ in await bout.tell()].count("honest:Pruned") == 1
