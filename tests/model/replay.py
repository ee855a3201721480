"""The model's plays on the contracts: every call again, with the same outcome, and the same end.

The model has no Inbox, so its ids are not those of a deployment. A play is translated: ends, claims, accounts
and ticks have their counterparts, and a move is what the same belief leads to. The surroundings are alike in
what the game can see: inputs of a range, steps of an input, places of the lies.
"""

import copy
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from challenger.game.types import Claim, Match, Node, Parameters, Round, Side, State
from challenger.strategy import acts
from challenger.trace.alphabet import AlphabetProvider, get_steps
from optimist.base.merkle import ZERO
from optimist.derive.actions import Header
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    compute_assertion_id,
    compute_claim_id,
    compute_input_hash,
    compute_leaf,
    compute_match_id,
)
from tests.model.plays import Play
from tests.model.world import NOW, World
from tests.support.alphabet_liar import StepLiar
from tests.support.believers import Believers
from tests.support.mirror import MirrorArena, scale

TICK: Final = 12  # s
FOUNDER: Final = b"\xf0" * 20


class Replayer:
    """A deployment like a world of the model; every play begins on it anew."""

    def __init__(self, world: World) -> None:
        self.world = world
        parameters: Parameters = scale(world.parameters, TICK)
        self.mirror = MirrorArena(parameters, [], max_batch=parameters.max_inputs)
        self._seal_alike()
        self.believers = Believers(self.mirror)
        self.claims: dict[bytes, bytes] = {}  # of the model to those here, of one play
        self.nodes = {GENESIS_ASSERTION: self._found()}  # of the model to those here
        self.providers: dict[bytes, AlphabetProvider] = {}  # by node of the model
        self.roots: dict[bytes, bytes] = {}
        self._place_ends()
        for account in world.accounts[1:]:
            assert self.mirror.play(account, acts.Stake()) == ""
        self.start = self.mirror.now
        self.first = copy.deepcopy(self.mirror.state)
        self.mirror.contracts.mark()

    def _seal_alike(self) -> None:
        """Batches of as many inputs as in the model; each takes as many steps, and none is rejected."""
        for batch in self.world.inputs:
            steps = {get_steps(compute_input_hash(item)) for item in batch}
            number = self.mirror.state.batch_count + 1
            while not _is_alike(Header(number, self.mirror.now, self.mirror.now).encode(), steps):
                self.mirror.now += 1
            rows: list[bytes] = []
            row = 0
            while len(rows) < len(batch) - 1:
                item = b"\x05" + row.to_bytes(4, "big")
                if _is_alike(item, steps):
                    rows.append(item)
                row += 1
            self.mirror.seal(rows)

    def _found(self) -> bytes:
        """Somebody has the INIT input confirmed: the node that the model takes for genesis."""
        truth = AlphabetProvider(self.mirror.parameters, self.mirror.inputs)
        root, accumulator = truth.end_roots[1], self.mirror.state.batches[1].accumulator
        node = compute_assertion_id(GENESIS_ASSERTION, compute_leaf(root, 1, ZERO))
        self._play(acts.Stake(), acts.AssertState(GENESIS_ASSERTION, root, 1, accumulator))
        self.mirror.now += self.mirror.parameters.challenge_period
        self._play(acts.Confirm(node), acts.Withdraw())
        return node

    def _play(self, *founding: acts.Act) -> None:
        for act in founding:
            assert self.mirror.play(FOUNDER, act) == ""

    def _place_ends(self) -> None:
        """The ends of the model, under the ids that they have here."""
        inputs, parameters = self.mirror.inputs, self.mirror.parameters
        salts = [0] * len(self.world.parents)
        for end in self.world.ends:
            provider = AlphabetProvider(parameters, inputs)
            if not end.is_true:
                salts[end.round] += 1
                first = self.mirror.state.batches[end.round + 1].cumulative
                provider = StepLiar(parameters, inputs, first, 0, salt=salts[end.round])
            batch = end.round + 2
            root = provider.end_roots[batch]
            parent = self.nodes[self.world.parents[end.round]]
            self.nodes[end.id] = compute_assertion_id(parent, compute_leaf(root, batch, ZERO))
            self.providers[end.id], self.roots[end.root] = provider, root

    # ------------------------------------------------------------------------------------------- replaying

    def replay(self, play: Play) -> None:
        """Play it again. Raises AssertionError where model, twin and contracts do not agree."""
        self._rewind()
        claims = play.end.state.claims
        self.claims = {i: compute_claim_id(self.nodes[c.node], c.owner) for i, c in claims.items()}
        self.believers.beliefs = {self.claims[i]: self.providers[c.node] for i, c in claims.items()}
        for number, call in enumerate(play.calls):
            self.mirror.now = self.start + call.tick * TICK
            error = self.mirror.play(call.sender, self._translate(call.act))
            said = f"the model says {call.error!r}, L1 {error!r}"
            assert error == call.error, f"call {number}, {type(call.act).__name__}: {said}"
            if not error:
                self.mirror.compare()
        self.mirror.compare()  # a refused call changes nothing; many in a row are compared together
        self.mirror.compare_predicates_and_absences()
        self.mirror.compare_events()
        self._compare_ends(play.end.state)

    def _rewind(self) -> None:
        """Back to where the model begins."""
        self.mirror.contracts.rewind()
        first = copy.deepcopy(self.first)
        for field in fields(State):
            setattr(self.mirror.state, field.name, getattr(first, field.name))
        self.mirror.lists.clear()
        self.mirror.disputed.clear()

    def _translate(self, act: acts.Act) -> acts.Act:  # noqa: PLR0911 - one arm per function
        """What the same player would do here."""
        match act:
            case acts.Stake() | acts.Withdraw():
                return act
            case acts.SetOperator(claim, operator):
                return acts.SetOperator(self.claims[claim], operator)
            case acts.AssertState(parent, root, to, accumulator):
                batches = [batch.accumulator for batch in self.world.truth.batches]
                known = self.mirror.state.batches[batches.index(accumulator) + 1].accumulator
                return acts.AssertState(self.nodes[parent], self.roots[root], to + 1, known)
            case acts.Reveal(claim, _):
                return self.believers.compute_reveal(self.claims[claim])
            case acts.TimeoutReveal(claim, rival):
                return acts.TimeoutReveal(self.claims[claim], self.claims[rival])
            case acts.OpenMatch(left, right, first):
                return acts.OpenMatch(*self._translate_pair(left, right), self.claims[first])
            case acts.Timeout((left, right)):
                return acts.Timeout(self._translate_pair(left, right))
            case acts.Prune(claim):
                return acts.Prune(self.claims[claim])
            case acts.Confirm(node):
                return acts.Confirm(self.nodes[node])
            case acts.Collect(claim, opponent):
                return acts.Collect(self.claims[claim], self.claims[opponent])
            case acts.ClaimCredit(claim):
                return acts.ClaimCredit(self.claims[claim])
            case acts.CommitSecondTrace(claims, _):
                return self._translate_move(act, *claims)
            case _:
                return self._translate_move(act, *act.fork.claims)

    def _translate_pair(self, left: bytes, right: bytes) -> tuple[bytes, bytes]:
        """Ids have another order here: what was in order stays in order, and what was not, not."""
        low, high = sorted((self.claims[left], self.claims[right]))
        return (low, high) if left < right else (high, low)

    def _translate_move(self, act: acts.Act, left: bytes, right: bytes) -> acts.Act:
        match_id = compute_match_id(*self._translate_pair(left, right))
        move = self.believers.compute_move(self.mirror.state.matches[match_id])
        assert type(move) is type(act), f"{type(move).__name__} here, {type(act).__name__} in the model"
        return move

    # ------------------------------------------------------------------------------------------ comparing

    def _compare_ends(self, model: State) -> None:
        """The model's last state is the one here, word by word, but for what hashes say."""
        here = self.mirror.state
        assert len(here.nodes) == len(model.nodes) + 1  # genesis, and what the model takes for it
        assert len(here.claims) == len(model.claims) + 1  # the founder's
        for node_id, node in model.nodes.items():
            if node_id != GENESIS_ASSERTION:
                _expect("node", self._read_node(node), here.nodes[self.nodes[node_id]])
        for round_id, asked in model.rounds.items():
            _expect("round", self._read_round(asked), here.rounds[self.nodes[round_id]])
        for claim_id, claim in model.claims.items():
            _expect("claim", self._read_claim(claim), here.claims[self.claims[claim_id]])
        for match in model.matches.values():
            pair = self._translate_pair(*match.claims)
            _expect("match", self._read_match(match), here.matches[compute_match_id(*pair)])
        assert len(here.matches) == len(model.matches)
        for account, staker in model.stakers.items():
            wanted = {"bond": staker.bond, "out": staker.out, "last_claim": ZERO}
            wanted["last_claim"] = self.claims.get(staker.last_claim, ZERO)
            _expect("staker", wanted, here.stakers[account])
        assert (here.balance, here.burnt) == (model.balance, model.burnt)

    def _read_node(self, node: Node) -> dict[str, Any]:
        times = {"created_at": self._when(node.created_at), "born": self._when(node.born)}
        return times | {"parent": self.nodes[node.parent], "batch": node.batch + 1, "live": node.live}

    def _read_round(self, asked: Round) -> dict[str, Any]:
        times = {name: self._when(getattr(asked, name)) for name in ("rival_at", "until", "decided_at")}
        nodes = {name: self._which(getattr(asked, name)) for name in ("incumbent", "confirmed")}
        return times | nodes | {"to": asked.to + 1, "full": asked.full, "live_ends": asked.live_ends}

    def _read_claim(self, claim: Claim) -> dict[str, Any]:
        same = ("owner", "operator", "status", "credit", "pot")
        return {name: getattr(claim, name) for name in same} | {
            "node": self.nodes[claim.node],
            "revealed_at": self._when(claim.revealed_at),
        }

    def _read_match(self, match: Match) -> dict[str, Any]:
        left, right = (self.claims[claim] for claim in match.claims)
        sides = (Side.A, Side.B) if left < right else (Side.B, Side.A)
        return {
            "start": match.start,
            "height": match.height,
            "stage": match.stage,
            "turn": sides[match.turn],
            "last": self._when(match.last),
            "clocks": tuple(match.clocks[side] * TICK for side in sides),
            "moves": tuple(match.moves[side] for side in sides),
        }

    def _when(self, second: int) -> int:
        return self.start + (second - NOW) * TICK if second else 0

    def _which(self, node: bytes) -> bytes:
        return self.nodes[node] if node != ZERO else ZERO


def _expect(kind: str, wanted: Mapping[str, Any], found: object) -> None:
    for name, value in wanted.items():
        assert getattr(found, name) == value, f"{kind}.{name}: the model says {value}, L1 {found}"


def _is_alike(item: bytes, steps: set[int]) -> bool:
    """Whether the toy machine needs as many steps, and does not reject it."""
    digest = compute_input_hash(item)
    return {get_steps(digest)} == steps and digest[31] % 5 != 0
