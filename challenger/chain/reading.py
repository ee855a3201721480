"""Events of the contracts to the state of the game: what a player knows comes from L1's logs alone. Pure.

`read_game` starts from nothing at every look, so a restart, a reorg and a first start are the same thing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from challenger.game.dispute import descend, end_move
from challenger.game.lists import Words, compute_list_hash, get_end, get_sub
from challenger.game.types import (
    Batch,
    Claim,
    Match,
    Node,
    Position,
    Round,
    Side,
    Stage,
    Staker,
    State,
    Status,
)
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, GENESIS_LEAF
from optimist.l1 import events
from optimist.l1.events import Located


@dataclass(slots=True)
class Game:
    """What the events tell: the contracts' state, every list that was opened, which inputs are disputed."""

    state: State = field(default_factory=State)
    lists: dict[bytes, Words] = field(default_factory=dict)  # by hash
    disputed: dict[bytes, int] = field(default_factory=dict)  # by match at level 2: position of the input


def read_game(
    located: Iterable[Located], *, arity: int, genesis_time: int, count_inputs: Callable[[int], int]
) -> Game:
    """The game after these events, which must be all of them.

    genesis_time: when the Rollup was created. count_inputs: inputs up to and with a batch, as a node knows
    them (to decode the rows of all batches again at every look would cost more with every batch).
    """
    game = Game()
    state = game.state
    state.nodes[GENESIS_ASSERTION] = Node(ZERO, GENESIS_LEAF, 0, genesis_time, 0)
    state.rounds[ZERO] = Round(to=0, full=False, confirmed=GENESIS_ASSERTION)
    reader = _Reader(game, arity, count_inputs)
    for each in located:
        reader.read(each.event)
    return game


class _Reader:
    """One method for each family of events."""

    def __init__(self, game: Game, arity: int, count_inputs: Callable[[int], int]) -> None:
        self._game = game
        self._state = game.state
        self._arity = arity
        self._count_inputs = count_inputs
        self._pots: dict[bytes, Claim] = {}  # by owner: the claim that its bond was lost for

    def read(self, event: events.Event) -> None:
        match event:
            case events.BatchSealed():
                self._read_batch(event)
            case events.NodeCreated() | events.RivalAppeared() | events.Confirmed():
                self._read_round(event)
            case events.Staked() | events.BondWithdrawn() | events.OperatorSet():
                self._read_staker(event)
            case events.Claimed() | events.Revealed() | events.Eliminated() | events.Pruned():
                self._read_claim(event)
            case events.Refunded() | events.CreditPaid() | events.Collected():
                self._read_money(event)
            case events.MatchOpened() | events.Dissected() | events.TraceCommitted():
                self._read_match(event)
            case _:
                pass  # queue, Vault, and what only tells why

    def _read_batch(self, event: events.BatchSealed) -> None:
        self._state.batches.append(Batch(event.acc, event.head, self._count_inputs(event.batch)))

    def _read_round(self, event: events.NodeCreated | events.RivalAppeared | events.Confirmed) -> None:
        rounds = self._state.rounds
        match event:
            case events.NodeCreated():
                rounds[event.node] = Round(to=event.next_to, full=event.next_full)
                if event.node != GENESIS_ASSERTION:  # created_at: that of its first claim, in the same call
                    self._state.nodes[event.node] = Node(event.parent, event.end, event.to, -1, 0)
            case events.RivalAppeared():
                asked = rounds[event.round]
                asked.incumbent, asked.rival_at, asked.until = event.incumbent, event.rival_at, event.until
            case events.Confirmed():
                rounds[event.parent].confirmed = event.node

    def _read_staker(self, event: events.Staked | events.BondWithdrawn | events.OperatorSet) -> None:
        match event:
            case events.Staked():
                self._get_staker(event.staker).bond = event.bond
                self._state.balance += event.bond
            case events.BondWithdrawn():
                self._get_staker(event.staker).bond = 0
                self._state.balance -= event.bond
            case events.OperatorSet():
                self._state.claims[event.claim].operator = event.operator

    def _read_claim(
        self, event: events.Claimed | events.Revealed | events.Eliminated | events.Pruned
    ) -> None:
        match event:
            case events.Claimed():
                self._join(event)
            case events.Revealed():
                claim = self._state.claims[event.claim]
                claim.top, claim.revealed_at = event.top, event.time
                self._game.lists[event.top] = tuple(event.list)
            case events.Eliminated():
                self._drop(event.claim, event.time)
                self._split_bond(event)
            case events.Pruned():
                self._drop(event.claim, event.time)

    def _join(self, event: events.Claimed) -> None:
        node = self._state.nodes[event.node]
        if node.created_at < 0:
            node.created_at = event.time
        node.live += 1
        if node.live == 1:
            node.born = event.born
            asked = self._state.rounds[node.parent]
            asked.live_ends += 1
            asked.xor_live = _xor(asked.xor_live, event.node)
        self._state.claims[event.claim] = Claim(event.node, event.owner, bytes(20))
        self._get_staker(event.owner).last_claim = event.claim

    def _drop(self, claim_id: bytes, time: int) -> None:
        claim = self._state.claims[claim_id]
        claim.status = Status.DEAD
        node = self._state.nodes[claim.node]
        asked = self._state.rounds[node.parent]
        node.live -= 1
        if node.live == 0:
            asked.live_ends -= 1
            asked.xor_live = _xor(asked.xor_live, claim.node)
            asked.decided_at = time

    def _split_bond(self, event: events.Eliminated) -> None:
        """A pot says that the bond was still whole; a staker that was out already has nothing to split."""
        if not event.pot:
            return
        claim = self._state.claims[event.claim]
        staker = self._get_staker(claim.owner)
        lost = staker.bond - event.pot - event.bounty
        staker.out, staker.bond, claim.pot = True, 0, event.pot
        self._pots[claim.owner] = claim
        if event.winner != ZERO:
            self._state.claims[event.winner].credit += event.bounty
        self._state.balance -= lost
        self._state.burnt += lost

    def _read_money(self, event: events.Refunded | events.CreditPaid | events.Collected) -> None:
        claims = self._state.claims
        match event:
            case events.Refunded():
                self._pots[claims[event.pot].owner].pot -= event.amount
                claims[event.claim].credit += event.amount
            case events.CreditPaid():
                claims[event.claim].credit = 0
                self._state.balance -= event.amount
            case events.Collected():
                found = self._state.matches[event.id]
                moves = list(found.moves)
                moves[found.claims.index(event.claim)] = 0
                found.moves = (moves[0], moves[1])

    def _read_match(self, event: events.MatchOpened | events.Dissected | events.TraceCommitted) -> None:
        match event:
            case events.MatchOpened():
                self._set_match(event, (event.a, event.b))
            case events.Dissected():
                self._follow(self._state.matches[event.id], event)
                self._keep(event.next)
            case events.TraceCommitted():
                self._keep(event.trace)
                self._set_match(event, self._state.matches[event.id].claims)
                if event.state.stage == Stage.HALF:
                    self._game.disputed[event.id] = event.state.start

    def _follow(self, match: Match, event: events.Dissected) -> None:
        """The list of the side that is not on turn was opened before, by its own last move or its history."""
        other = match.turn.other
        words, height = self._game.lists[match.position.nodes[other]], match.height
        child = (event.start - match.start) // self._arity ** (height - 1)
        own, rival = compute_list_hash(event.next, self._arity), get_sub(words, child)
        before = match.position.prev if child == 0 else get_end(words, child - 1, height)
        descend(match, child, (own, rival) if other is Side.B else (rival, own), before, self._arity)
        end_move(match, event.time)

    def _set_match(
        self, event: events.MatchOpened | events.TraceCommitted, claims: tuple[bytes, bytes]
    ) -> None:
        stands, now = event.position, event.state
        self._state.matches[event.id] = Match(
            claims=claims,
            position=Position(
                stands.round, (stands.node_a, stands.node_b), stands.prev, stands.batch, stands.rest
            ),
            start=now.start,
            height=now.height,
            stage=Stage(now.stage),
            turn=Side(now.turn_b),
            last=now.last,
            clocks=(now.clock_a, now.clock_b),
            moves=(now.moves_a, now.moves_b),
        )

    def _keep(self, words: list[bytes]) -> None:
        self._game.lists[compute_list_hash(words, self._arity)] = tuple(words)

    def _get_staker(self, address: bytes) -> Staker:
        return self._state.stakers.setdefault(address, Staker())


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))
