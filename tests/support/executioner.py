"""A dispute whose honest player is a process that is killed again and again, and started again each time."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from devnet.liar.faults import Fault
from devnet.network import Devnet
from devnet.services import Service
from optimist.l1.client import L1Client
from tests.support.ringside import POLL, QUIET, Town, WatchedPlayer
from tests.support.upheaval import Bout, Disturb

FOR_EVER: Final = 10**9  # steps
LIFE: Final = (20, 400)  # steps; a whole dispute takes some 1,200
KILLED: Final = -9


@dataclass
class Record:
    """The lives of one challenger."""

    deaths: list[int] = field(default_factory=list)  # steps that each life lasted
    awaits: set[str] = field(default_factory=set)  # where its tasks stood when it died

    def note(self, challenger: Service) -> None:
        """One death. Raises ProcessFailed when it was another one than we had in mind."""
        killed = challenger.events("killed")
        if challenger.process.exit_code != KILLED or not killed:
            raise challenger.process.failure("should have been killed, or have ended well")
        self.deaths.append(killed[0]["step"])
        self.awaits |= set(killed[0]["at"])


def draw_lives(seed: int, kills: int) -> Iterator[int]:
    """Steps that each life lasts: `kills` random numbers, then for ever."""
    rng = random.Random(seed)
    for _ in range(kills):
        yield rng.randint(*LIFE)
    while True:
        yield FOR_EVER


async def no_disturbance(_: Bout) -> None:
    """L1 is left alone."""


async def fight_killed(
    network: Devnet,
    client: L1Client,
    town: Town,
    fault: Fault,
    lives: Iterator[int],
    *,
    datadir: Path | None = None,
    disturb: Disturb = no_disturbance,
    wait: float | None = None,
) -> Record:
    """A whole dispute until the challenger ends by itself. Without `datadir` it forgets all when it dies."""
    record, bout = Record(), Bout(network, client, town, wait=wait)
    async with AsyncExitStack() as stack:
        liar = await bout.begin(stack, fault)
        playing = asyncio.create_task(liar.play(POLL, liar.wants))
        await _wait_for_a_claim(bout)
        started = 0
        challenger = start(network, started, next(lives), datadir)
        try:
            while True:
                ended = challenger.process.exit_code
                if ended == 0 and await _is_decided(bout):
                    break
                if ended is not None:
                    # A reorg may take the only claim away: then all is resolved, and it ends too early.
                    if ended != 0:
                        record.note(challenger)
                    started += 1
                    challenger = start(network, started, next(lives), datadir)
                await _referee(bout, liar, disturb)
                await asyncio.sleep(POLL)
        finally:
            challenger.process.stop()
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
        game = await bout.look()
        assert game is not None
        bout.judge(game)
    return record


async def _is_decided(bout: Bout) -> bool:
    """Whether the round has a winner."""
    game = await bout.look()
    return game is not None and bool(game.state.rounds[bout.town.parent].confirmed.strip(b"\0"))


async def _wait_for_a_claim(bout: Bout) -> None:
    """Before it there is nothing to resolve: a challenger that plays until all is resolved would end."""
    while True:
        game = await bout.look()
        if game is not None and game.state.claims:
            return
        await asyncio.sleep(POLL)


async def _referee(bout: Bout, liar: WatchedPlayer, disturb: Disturb) -> None:
    """Push L1's clock when the challenger, dead or alive, could do nothing either."""
    game = await bout.look()
    if game is None:
        return
    await disturb(bout)
    if liar.quiet >= QUIET:
        liar.quiet = 0
        plan = bout.plan(game)
        if not plan.proposals and not plan.is_resolved:
            bout.push_clock()


def start(network: Devnet, life: int, steps: int, datadir: Path | None) -> Service:
    """The challenger, for so many steps."""
    kept = () if datadir is None else ("--datadir", str(datadir))
    command = ["tests.support.doomed", str(steps), "run", "--dev", "--until-resolved", *kept]
    secrets = {"OPTIMIST_KEY_SECRET": network.cast.challenger}
    return Service(f"challenger-{life}", command, network, secrets)
