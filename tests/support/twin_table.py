"""A table at which the game is played twice at once, in twin and contracts, by all kinds of players.

Every call goes through `Table.call`, which compares the whole state afterwards and keeps the tally. The verbs
built on it (stand, fight, move …) only choose calls; what a call does is for twin and contracts to say.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

from challenger.calls import Call, compute_call
from challenger.game.clock import compute_deadline, is_in_time
from challenger.game.types import Match, Parameters, Side, Status
from challenger.strategy import acts
from challenger.trace.alphabet import AlphabetProvider
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    compute_assertion_id,
    compute_claim_id,
    compute_leaf,
    compute_match_id,
)
from optimist.l1.events import Eliminated, Refunded
from tests.support.alphabet_liar import GarbageLiar, LeafLiar, PaddingLiar, StepLiar, TornLiar, TornTraceLiar
from tests.support.arena import address
from tests.support.believers import Believers
from tests.support.mirror import WEALTH, MirrorArena

HONEST: Final = address(1)
GWEI: Final = 10**9
FAIR, TINY = 10**18, 10**15 + 70  # wei: a bond that no refund exhausts, one that two do
SHAPES: Final = (
    Parameters(2, 2, 4, challenge_period=180, grace=12, min_period=12, bond=FAIR),
    Parameters(2, 3, 4, challenge_period=240, grace=0, min_period=1, bond=TINY, gas_price_cap=GWEI),
    Parameters(3, 2, 3, challenge_period=150, grace=30, min_period=0, bond=TINY),
    Parameters(4, 1, 2, challenge_period=96, grace=96, min_period=95, bond=FAIR, gas_price_cap=GWEI),
    Parameters(8, 2, 2, challenge_period=600, grace=10, min_period=5),
)
DECISIONS: Final = (acts.Prove, acts.ProvePadding, acts.Timeout)


@dataclass
class Tally:
    """What has happened, over any number of tables."""

    calls: int = 0
    functions: Counter[str] = field(default_factory=Counter)  # successes by contract.function
    errors: Counter[str] = field(default_factory=Counter)  # refusals by custom error
    places: Counter[str] = field(default_factory=Counter)  # refusals by contract.function and custom error

    def add(self, name: str, error: str) -> None:
        """One call."""
        self.calls += 1
        if error:
            self.errors[error] += 1
            self.places[f"{name} {error}"] += 1
        else:
            self.functions[name] += 1


class Table:
    """One deployment. `world.state` is the twin's."""

    def __init__(self, parameters: Parameters, tally: Tally) -> None:
        self.world = MirrorArena(parameters, [], max_batch=parameters.max_inputs)
        self.parameters = parameters
        self.state = self.world.state
        self.tally = tally
        self.truth = AlphabetProvider(parameters, self.world.inputs)
        self.providers: list[AlphabetProvider] = [self.truth]
        self.believers = Believers(self.world)
        self.wealth: dict[bytes, int] = {}
        self.agrees = True  # whether twin and contracts did at the end of the last call
        self._people = 0

    # -------------------------------------------------------------------------------------------- calls

    def call(self, sender: bytes, act: acts.Act) -> str:
        """Play an act in both; the custom error, or nothing when it landed. Raises AssertionError.

        An account that has become a contract sends nothing any more.
        """
        if sender in self.world.refusing:
            return "sends nothing"
        called = compute_call(act, self.parameters.bond)
        known, paid = self.world.contracts.event_count, self.world.paid_out
        self.agrees = False
        error = self.world.play(sender, act)
        if not error:
            self._follow(sender, act, self.world.paid_out - paid)
            self._count_inner(act, known)
        return self._finish(f"{called.contract}.{called.function}", error)

    def call_anything(self, sender: bytes, call: Call, rule: Callable[[], object]) -> str:
        """A call that is no act of a player; `rule` is what the twin makes of it."""
        self.agrees = False
        return self._finish(f"{call.contract}.{call.function}", self.world.play_call(sender, call, rule))

    def seal(self, rows: list[bytes]) -> None:
        """Seal a batch."""
        inputs = self.world.seal(rows)
        for provider in self.providers:
            provider.add_batch(inputs)
        self._finish("Inbox.appendBatch", "")

    def _finish(self, name: str, error: str) -> str:
        self.tally.add(name, error)
        self.world.compare()
        for account, wealth in self.wealth.items():
            assert self.world.contracts.get_wealth(account) == wealth, f"wei of {account.hex()}"
        self.agrees = True
        return error

    def _follow(self, sender: bytes, act: acts.Act, paid: int) -> None:
        """Who pays and who is paid."""
        account, change = sender, paid
        if isinstance(act, acts.Stake):
            change = -self.parameters.bond
        elif isinstance(act, acts.ClaimCredit):
            account = self.state.claims[act.claim].owner
        self.wealth[account] = self.wealth.get(account, WEALTH) + change
        for claim_id in self.state.claims.keys() - self.believers.beliefs.keys():
            self.believers.beliefs[claim_id] = self.truth  # until somebody says what it was about

    def _count_inner(self, act: acts.Act, known: int) -> None:
        """Calls between the contracts: what the Dispute asked the Rollup for."""
        if isinstance(act, (*DECISIONS, acts.Collect)):
            for located in self.world.contracts.read_events(known):
                if isinstance(located.event, Eliminated):
                    self.tally.add("Rollup.eliminate", "")
                elif isinstance(located.event, Refunded):
                    self.tally.add("Rollup.refund", "")

    def close(self) -> None:
        """Nothing is in the contracts that the twin does not have, and the events tell it all."""
        self.world.compare_predicates_and_absences()
        self.world.compare_events()
        self.world.check_ledger()

    # --------------------------------------------------------------------------------------------- time

    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.world.now += seconds

    def get_deadlines(self) -> list[int]:
        """The seconds to come at which something begins or ends."""
        state, period = self.state, self.parameters.challenge_period
        found = {node.born + period for node in state.nodes.values()}
        found |= {node.created_at + self.parameters.min_period for node in state.nodes.values()}
        for asked in state.rounds.values():
            found |= {asked.rival_at + period, asked.until, asked.decided_at + self.parameters.grace}
        found |= {compute_deadline(m.last, m.clocks[m.turn]) for m in state.matches.values()}
        return sorted(second for second in found if second > self.world.now)

    # ------------------------------------------------------------------------------------------- people

    def meet(self) -> bytes:
        """Somebody new."""
        self._people += 1
        return address(1000 + self._people)

    def get_open_rounds(self) -> list[bytes]:
        """Rounds that can be answered, the latest first."""
        rounds = reversed(self.state.rounds.items())
        return [
            i for i, asked in rounds if asked.to <= self.state.batch_count and self.world.rollup.is_open(i)
        ]

    def get_fresh_round(self) -> bytes:
        """A round in which nobody stands yet, as deep as possible; time and batches are made for it."""
        tip = self.get_tip()
        if self.state.rounds[tip].live_ends and not self.is_joinable(tip):
            self.settle()
            tip = self.get_tip()
        asked = self.state.rounds[tip]
        while self.state.batch_count < asked.to:
            self.seal([b"\x05" + self._people.to_bytes(2, "big")])
        ripe = self.state.nodes[tip].created_at + self.parameters.min_period
        self.wait(max(0, ripe - self.world.now))
        return tip

    def get_tip(self) -> bytes:
        """The last confirmed node."""
        return next(i for i in reversed(self.state.rounds) if self.world.rollup.is_confirmed(i))

    def is_joinable(self, round_id: bytes) -> bool:
        """Whether a round still takes any end."""
        asked = self.state.rounds[round_id]
        if asked.live_ends == 1:
            born = self.state.nodes[asked.xor_live].born
            return self.world.now < born + self.parameters.challenge_period
        return asked.live_ends == 0 or self.world.now < asked.until

    def make_liar(self, kind: str, round_id: bytes, place: int, salt: int) -> AlphabetProvider:
        """Somebody who lies about a range in a named way; `place` says where in it."""
        first, last = self.state.nodes[round_id].batch, self.state.rounds[round_id].to
        start, count = self.truth.batches[first].cumulative, self.world.rollup.get_input_count(round_id)
        target, inputs = start + place % count, self.world.inputs
        spare = self.parameters.max_inputs - count
        if kind == "padding" and spare:
            liar: AlphabetProvider = PaddingLiar(self.parameters, inputs, last, count + place % spare, salt)
        elif kind == "leaf":
            liar = LeafLiar(self.parameters, inputs, target, batch_delta=salt)
        elif kind == "torn":
            liar = TornLiar(self.parameters, inputs, last, salt)
        elif kind == "torn trace":
            liar = TornTraceLiar(self.parameters, inputs, target, 0, salt)
        elif kind == "garbage":
            liar = GarbageLiar(self.parameters, inputs)
        else:
            liar = StepLiar(self.parameters, inputs, target, place // count, salt)
        self.providers.append(liar)
        return liar

    def stand(self, who: bytes, provider: AlphabetProvider, round_id: bytes) -> bytes | None:
        """Stake if need be, and claim; the claim if it stands now."""
        root, asked = provider.get_end_root(self.state.rounds[round_id].to), self.state.rounds[round_id]
        if root is None or asked.to > self.state.batch_count:
            return None
        if who not in self.state.stakers or not self.state.stakers[who].bond:
            self.call(who, acts.Stake())
        accumulator = self.state.batches[asked.to].accumulator
        if self.call(who, acts.AssertState(round_id, root, asked.to, accumulator)):
            return None
        claim = compute_claim_id(compute_assertion_id(round_id, compute_leaf(root, asked.to, ZERO)), who)
        self.believers.beliefs[claim] = provider
        return claim

    def look(self, who: bytes, provider: AlphabetProvider) -> None:
        """The strategy itself plays for somebody who believes in `provider`."""
        known = set(self.state.claims)
        for act in self.world.plan(who, provider).acts:
            self.call(who, act)
        self.believers.beliefs |= dict.fromkeys(self.state.claims.keys() - known, provider)

    def reveal(self, claim_id: bytes, who: bytes | None = None) -> str:
        """Open what its owner believes."""
        act = self.believers.compute_reveal(claim_id)
        return self.call(who or self.state.claims[claim_id].owner, act)

    def open(self, one: bytes, other: bytes, first: bytes) -> bytes | None:
        """Begin a match of two claims; its id if it began."""
        left, right = sorted((one, other))
        error = self.call(HONEST, acts.OpenMatch(left, right, first))
        return None if error else compute_match_id(left, right)

    # ------------------------------------------------------------------------------------------- matches

    def get_playable(self) -> list[Match]:
        """Matches in which somebody can still move."""
        return [
            match
            for match in self.state.matches.values()
            if all(map(self.world.rollup.is_live, match.claims)) and self.is_in_time(match)
        ]

    def is_in_time(self, match: Match) -> bool:
        """Whether the side on turn may still move."""
        return is_in_time(self.world.now, match.last, match.clocks[match.turn])

    def get_late(self) -> Iterator[Match]:
        """Matches that the clock has decided."""
        for match in list(self.state.matches.values()):
            if all(map(self.world.rollup.is_live, match.claims)) and not self.is_in_time(match):
                yield match

    def get_owner(self, match: Match) -> bytes:
        """Of the claim on turn."""
        return self.state.claims[match.claims[match.turn]].owner

    def move(self, match: Match) -> str:
        """The side on turn does what it believes in."""
        act = self.believers.compute_move(match)
        return "no move" if act is None else self.call(self.get_owner(match), act)

    def play(self, match: Match, moves: int, pause: int = 0) -> None:
        """So many moves, if there are as many."""
        for _ in range(moves):
            if not all(map(self.world.rollup.is_live, match.claims)) or self.move(match):
                return
            self.wait(pause)

    def begin_fight(
        self, round_id: bytes, providers: tuple[AlphabetProvider, AlphabetProvider], *, swap: bool
    ) -> Match | None:
        """Two newcomers claim, reveal, and open a match; `swap`: the second one moves first."""
        claims = [self.stand(self.meet(), provider, round_id) for provider in providers]
        one, other = claims
        if one is None or other is None or self.reveal(one) or self.reveal(other):
            return None
        match_id = self.open(one, other, other if swap else one)
        return None if match_id is None else self.state.matches[match_id]

    # ---------------------------------------------------------------------------------------- aftermath

    def reap(self) -> None:
        """Everything that anybody may do for anybody now."""
        for match in self.get_late():
            self.call(HONEST, acts.Timeout(match.claims))
        for claim_id, claim in list(self.state.claims.items()):
            is_open = self.world.rollup.is_open(self.world.rollup.get_round_of(claim_id))
            if is_open and claim.status is Status.LIVE and self.state.stakers[claim.owner].out:
                self.call(HONEST, acts.Prune(claim_id))
        for match in list(self.state.matches.values()):
            for side in Side:
                owner, loser = (self.state.claims[match.claims[each]].owner for each in (side, side.other))
                if match.moves[side] and loser in self.state.pots and not self.state.stakers[owner].out:
                    self.call(owner, acts.Collect(match.claims[side], match.claims[side.other]))

    def settle(self) -> None:
        """Bring every round to its end by the clock, confirm what stands alone, and pay everybody."""
        for _ in range(4):
            self.reap()
            self._fight_on()
            for round_id in list(self.state.rounds):
                self.confirm_round(round_id)
            self.wait(self.parameters.challenge_period)
        for claim_id, claim in list(self.state.claims.items()):
            if claim.credit and self.world.rollup.is_confirmed(claim.node):
                self.call(HONEST, acts.ClaimCredit(claim_id))
        for who, staker in list(self.state.stakers.items()):
            if staker.bond:
                self.call(who, acts.Withdraw())

    def _fight_on(self) -> None:
        """Silence kills: who has not revealed, or lets the clock of a match run out."""
        for one, other in self.get_rivals():
            if self.world.rollup.is_live(one) and self.world.rollup.is_live(other):
                if not self.state.claims[one].revealed_at:
                    self._time_out_reveal(one, other)
                elif (
                    self.state.claims[other].revealed_at
                    and compute_match_id(one, other) not in self.state.matches
                ):
                    self.open(one, other, other)

    def _time_out_reveal(self, claim_id: bytes, rival_id: bytes) -> None:
        born = self.state.nodes[self.state.claims[rival_id].node].born
        if self.world.now >= born + self.parameters.challenge_period:
            self.call(HONEST, acts.TimeoutReveal(claim_id, rival_id))

    def get_rivals(self) -> list[tuple[bytes, bytes]]:
        """Pairs of live claims on different ends of one round, in both orders."""
        rollup = self.world.rollup
        live = [i for i in self.state.claims if rollup.is_live(i)]
        by_round: dict[bytes, list[bytes]] = {}
        for claim_id in live:
            by_round.setdefault(rollup.get_round_of(claim_id), []).append(claim_id)
        return [
            (one, other)
            for claims in by_round.values()
            for one, other in permutations(claims, 2)
            if self.state.claims[one].node != self.state.claims[other].node
        ]

    def confirm_round(self, round_id: bytes) -> None:
        """Confirm the sole end of a round, as soon as that is possible."""
        asked, rollup = self.state.rounds[round_id], self.world.rollup
        if asked.live_ends == 1 and rollup.is_confirmed(round_id) and rollup.is_open(round_id):
            self.wait(max(0, rollup.compute_ripe_at(asked.xor_live) - self.world.now))
            self.call(HONEST, acts.Confirm(asked.xor_live))
