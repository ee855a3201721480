"""Random ways through the model, as lists of calls that could be sent to L1.

The explored graph has a few edges that are no calls: an adversary that gives up without a match, a bond lost
where nobody looks. They stand for sequences of calls, and such sequences are played here: adversaries reveal
the truth, open matches among themselves, prove each other wrong. Refused calls are part of a play as well.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from challenger.game.types import Match
from challenger.strategy import acts
from tests.model.board import Board, find_violation, make_first_board
from tests.model.codec import Codec
from tests.model.rounds import Rounds, Step
from tests.model.world import HONEST, NOW, Config, World
from tests.support.believers import Believers
from tests.support.twin_source import SHIPPED

MOST_EVENTS = 150
LAST_EVENTS = 20  # after the end: refunds, credits, withdrawals
ABSTRACT = (" gives up", " lets ", " elsewhere")
STRANGER = b"\x99" * 20


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `error` is the custom error, or nothing when it landed."""

    tick: int  # since the beginning
    sender: bytes
    act: acts.Act
    error: str


@dataclass(frozen=True, slots=True)
class Play:
    """One way through the model, and where it ended. Ids are those of the model's world."""

    world: World
    seed: int
    calls: Sequence[Call]
    end: Board

    def __str__(self) -> str:
        return f"seed {self.seed} of {self.world.config}"


class Sampler:
    """Plays of one configuration."""

    def __init__(self, config: Config) -> None:
        self.world = World(config)
        self.rounds = Rounds(self.world, Codec(self.world))

    def sample(self, seed: int) -> Play:
        """One play; the same for the same seed. Raises AssertionError when the model meets a violation."""
        rng = random.Random(seed)
        board = make_first_board(self.world, SHIPPED)
        calls: list[Call] = []
        laziness = rng.choice((0.2, 0.5, 0.8))  # how often time goes on before the adversary has acted
        for _ in range(MOST_EVENTS):
            steps = [step for step in self.rounds.expand(board) if not _is_abstract(step.label)]
            if not steps:
                break
            if rng.random() < 0.4:
                self._call_anything(board, rng)
            else:
                board = self._choose(steps, rng, laziness).board
            self._drain(board, calls)
            assert not (violation := find_violation(board)), f"seed {seed}: {violation}"
        for _ in range(LAST_EVENTS):
            self._call_anything(board, rng)
        self._drain(board, calls)
        return Play(self.world, seed, calls, board)

    def _choose(self, steps: list[Step], rng: random.Random, laziness: float) -> Step:
        """An adversary's act, or what time brings: the honest look, censorship, a tick."""
        timely = [step for step in steps if step.label == "a tick" or step.label.startswith("H")]
        hostile = [step for step in steps if step not in timely]
        return rng.choice(timely if timely and (not hostile or rng.random() < laziness) else hostile)

    def _drain(self, board: Board, calls: list[Call]) -> None:
        """Boards remember what was played on them since they were cloned."""
        calls += [Call(now - NOW, sender, act, error) for now, sender, act, error in board.log]
        board.log.clear()

    def _call_anything(self, board: Board, rng: random.Random) -> None:
        """A call that the graph need not have: among adversaries, by strangers, in vain."""
        sender, act = rng.choice(list(self._list_calls(board, rng)))
        board.play(sender, act)

    def _list_calls(self, board: Board, rng: random.Random) -> Iterator[tuple[bytes, acts.Act]]:
        believers = get_believers(board)
        claims, hostile = list(board.state.claims), self.world.accounts[1:]
        anybody = rng.choice([*hostile, STRANGER])
        for claim_id, claim in board.state.claims.items():
            if claim.owner != HONEST:
                yield rng.choice((claim.owner, claim.owner, anybody)), believers.compute_reveal(claim_id)
                yield claim.owner, acts.SetOperator(claim_id, anybody)
            yield anybody, rng.choice((acts.Prune(claim_id), acts.ClaimCredit(claim_id)))
        for one, other in permutations(claims, 2):
            if board.rollup.get_round_of(one) == board.rollup.get_round_of(other):
                yield anybody, acts.OpenMatch(one, other, rng.choice((one, other)))
            yield anybody, rng.choice((acts.TimeoutReveal(one, other), acts.Timeout((one, other))))
        for match in board.state.matches.values():
            yield from self._list_moves(board, match, anybody)
        for account in hostile:
            yield account, rng.choice((acts.Stake(), acts.Withdraw()))
            end = rng.choice(self.world.ends)
            to = end.round + 1
            accumulator = board.state.batches[to].accumulator
            claimed = acts.AssertState(self.world.parents[end.round], end.root, to, accumulator)
            yield account, rng.choice((claimed, replace(claimed, expected_to=to + 1)))
        yield anybody, acts.Confirm(rng.choice([*self.world.ends]).id)

    def _list_moves(self, board: Board, match: Match, anybody: bytes) -> Iterator[tuple[bytes, acts.Act]]:
        """The move of the side on turn, unless it is the honest player's; by its owner or by others."""
        one, other = match.claims
        for claim_id, opponent in ((one, other), (other, one)):
            yield anybody, acts.Collect(claim_id, opponent)
            yield board.state.claims[claim_id].owner, acts.Collect(claim_id, opponent)
        owner = board.state.claims[match.claims[match.turn]].owner
        move = get_believers(board).compute_move(match)
        if move is not None:
            yield (anybody if owner == HONEST else owner), move
            yield anybody, move


def get_believers(board: Board) -> Believers:
    """Everybody believes in the end that he stands on."""
    believers, world = Believers(board), board.world
    for claim_id, claim in board.state.claims.items():
        believers.beliefs[claim_id] = world.ends[world.index[claim.node]].provider
    return believers


def _is_abstract(label: str) -> bool:
    return any(part in label for part in ABSTRACT)


def sample_plays(config: Config, seeds: range) -> Iterator[Play]:
    """One play for each seed."""
    return map(Sampler(config).sample, seeds)
