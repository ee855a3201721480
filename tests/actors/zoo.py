"""The whole zoo: every habit that the scenarios know, by name, with what it must cost whoever has it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from challenger.strategy import acts
from tests.actors.actor import Actor
from tests.actors.crowds import DecoyProposer, PotDrainer, RefundSniper, SelfDisputer, SybilSwarm
from tests.actors.honest import AbsentOwner, Misled
from tests.actors.liars import (
    LIES,
    DeepLiar,
    GarbageCommitter,
    LastSecondMover,
    LateJoiner,
    Liar,
    Lie,
    Staller,
    Stubborn,
    TraceLiar,
)
from tests.actors.mempool import Censor, Copycat, FrontRunner, OperatorNamer, RangeRacer
from tests.support.arena import address
from tests.support.scene import SLOT, Scene, T

ROOM: Final = 16  # accounts that a beast may have


@dataclass(frozen=True, slots=True)
class Beast:
    """One habit: how to make it from a range of accounts, and what it loses when the hero plays."""

    make: Callable[[list[bytes]], Actor]
    loses: int  # bonds, at least, by the time that the first round is decided
    needs_a_liar: bool = False  # it only gets in the way of a dispute


def _gone_when_revealed(accounts: list[bytes]) -> Actor:
    def has_revealed(scene: Scene) -> bool:
        claims = scene.arena.state.claims.values()
        return any(claim.owner == accounts[0] and claim.revealed_at for claim in claims)

    return AbsentOwner(accounts[0], has_revealed)


def _make_liar(lie: Lie, accounts: list[bytes]) -> Actor:
    return Liar(lie, accounts[0])


ZOO: Final[dict[str, Beast]] = {
    **{f"liar: {name}": Beast(partial(_make_liar, lie), 1) for name, lie in LIES.items()},
    "liar about a trace": Beast(lambda a: TraceLiar(a[0]), 1),
    "stubborn liar": Beast(lambda a: Stubborn(account=a[0]), 1),
    "staller": Beast(lambda a: Staller(account=a[0]), 1),
    "last-second mover": Beast(lambda a: LastSecondMover(account=a[0]), 1),
    "late joiner": Beast(lambda a: LateJoiner(account=a[0]), 1),
    "garbage committer": Beast(lambda a: GarbageCommitter(account=a[0]), 1),
    "liar one round below": Beast(lambda a: DeepLiar(1, a[0]), 1),
    "late liar two rounds below": Beast(lambda a: DeepLiar(2, a[0], joins=T - SLOT), 0),
    "decoy proposer": Beast(lambda a: DecoyProposer(*a[:2]), 1),
    "decoy proposer with three hands": Beast(lambda a: DecoyProposer(*a[:3]), 2),
    "sybil swarm": Beast(lambda a: SybilSwarm(a[:6]), 6),
    "staggered swarm": Beast(lambda a: SybilSwarm(a[:6], spread=T - SLOT), 6),
    "silent swarm": Beast(lambda a: SybilSwarm(a[:6], active=False), 6),
    "self-disputer": Beast(lambda a: SelfDisputer(*a[:4]), 3),
    "refund sniper": Beast(lambda a: RefundSniper(*a[:2]), 1),
    "pot drainer": Beast(lambda a: PotDrainer(*a[:5]), 1),
    "misled challenger": Beast(lambda a: Misled(a[0]), 1, needs_a_liar=True),
    "absent owner": Beast(_gone_when_revealed, 0, needs_a_liar=True),
    "copycat": Beast(lambda a: Copycat(a[0]), 0, needs_a_liar=True),
    "front-runner": Beast(lambda a: FrontRunner(a[0]), 0, needs_a_liar=True),
    "censor": Beast(lambda _: Censor(5 * SLOT), 0, needs_a_liar=True),
    "censor of reveals": Beast(
        lambda _: Censor(5 * SLOT, when=lambda _s, act: isinstance(act, acts.Reveal)), 0, needs_a_liar=True
    ),
    "range racer": Beast(lambda a: RangeRacer(a[0]), 0, needs_a_liar=True),
    "operator namer": Beast(lambda a: OperatorNamer(*a[:4]), 0, needs_a_liar=True),
}


def make(name: str, number: int = 0) -> Actor:
    """One of the zoo, with accounts of its own: different for every number."""
    first = 1_000 + ROOM * number
    return ZOO[name].make([address(first + i) for i in range(ROOM)])
