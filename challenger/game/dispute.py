"""Twin of `Dispute.sol`: matches between rival claims, from their histories down to one machine step.

A match keeps two promises at every height: both sides agree on `prev`, the state before `position`, and
disagree about the list that covers the next arity**height positions. Every move opens both lists, finds the
first child in which they differ, and leaves a match one height lower. Preimages decide; nobody names an
index.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from challenger.game.clock import compute_budget, is_in_time
from challenger.game.hashes import compute_chain_link, compute_final, compute_leaf, compute_match_id
from challenger.game.lists import (
    compute_first_difference,
    compute_list_hash,
    get_end,
    get_sub,
    get_words_length,
)
from challenger.game.rollup import Rollup
from challenger.game.types import Level, Match, Phase, Revert, Round, Side
from optimist.base.merkle import ZERO

Words = Sequence[bytes]

# Gas that the winner of a match is refunded for each of its moves, from the loser's pot.
MOVE_GAS = 150_000


class WitnessError(Exception):
    """A step proof does not fit the state that it claims to open; on chain the call reverts."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the game knows of the machine: how an input begins, and one step."""

    start: Callable[[bytes, bytes], bytes]  # (state root, input hash) -> initial machine state
    step: Callable[[bytes, bytes], bytes]  # (state, proof) -> next state; raises WitnessError


@dataclass(frozen=True, slots=True)
class Opening:
    """What stands behind the agreed leaf before the disputed input and behind the mover's end after it."""

    root: bytes
    batch: int
    rest: bytes  # chain of the inputs to come, the disputed one first; 0 when the next batch begins
    input_hash: bytes
    next_rest: bytes  # chain of the inputs after the disputed one
    next_root: bytes  # the state root that the mover claims


class Dispute:
    """All matches. Knows the assertions only through `Rollup`."""

    def __init__(self, rollup: Rollup, machine: Machine) -> None:
        self.rollup = rollup
        self.machine = machine
        self.parameters = rollup.parameters
        self.state = rollup.state

    # -------------------------------------------------------------------------------------- beginning

    def open_match(self, now: int, left: bytes, right: bytes, first: bytes) -> bytes:
        """Begin the match of two revealed rivals; `first` is the claim on turn. Returns the match id."""
        rollup, state = self.rollup, self.state
        for claim_id in (left, right):
            if not rollup.is_live(claim_id):
                raise Revert("ClaimNotLive", claim_id)
            if not state.claims[claim_id].revealed_at:
                raise Revert("NotRevealed", claim_id)
        rollup.require_rivals(left, right)
        match_id = compute_match_id(left, right)
        if match_id in state.matches:
            raise Revert("MatchExists", match_id)
        if first not in (left, right):
            raise Revert("NotInMatch", first)
        a, b = state.claims[left], state.claims[right]
        period = self.parameters.challenge_period
        state.matches[match_id] = Match(
            claims=(left, right),
            nodes=(a.top, b.top),
            prev=state.nodes[state.nodes[a.node].parent].end,
            position=0,
            height=self.parameters.input_height,
            level=Level.INPUTS,
            phase=Phase.BISECTION,
            turn=Side.A if first == left else Side.B,
            last=now,
            clocks=(
                compute_budget(period, a.revealed_at, state.nodes[b.node].born),
                compute_budget(period, b.revealed_at, state.nodes[a.node].born),
            ),
        )
        return match_id

    # ------------------------------------------------------------------------------------------ moves

    def dissect(self, now: int, match_id: bytes, left: Words, right: Words, following: Words) -> None:
        """One height down: open both lists, and the mover's own list of the first child that differs."""
        match = self._require_playable(match_id)
        self._require_in_time(match, now)
        if match.height < 2 or match.phase is not Phase.BISECTION:
            raise Revert("WrongStage", match.height, match.phase)
        child, before = self._open_lists(match, left, right)
        own = (left, right)[match.turn]
        arity, below = self.parameters.arity, match.height - 1
        length = get_words_length(below, arity)
        if len(following) != length:
            raise Revert("WrongLength", len(following), length)
        if compute_list_hash(following, arity) != get_sub(own, child):
            raise Revert("WrongList", compute_list_hash(following, arity), get_sub(own, child))
        # INVARIANT: the child list ends where its parent said; else a copied list could stall the match
        end = get_end(own, child, match.height)
        if get_end(following, arity - 1, below) != end:
            raise Revert("WrongEnd", get_end(following, arity - 1, below), end)

        match.prev = before
        match.nodes = (get_sub(left, child), get_sub(right, child))
        match.position += child * arity**below
        match.height = below
        self._charge(match, now)

    def commit_trace(
        self,
        sender: bytes,
        now: int,
        match_id: bytes,
        left: Words,
        right: Words,
        opening: Opening,
        trace: Words,
    ) -> None:
        """First commitment: name the disputed input, and the mover's history of machine states over it."""
        match = self._require_playable(match_id)
        self._require_in_time(match, now)
        if match.level is not Level.INPUTS or match.height != 1 or match.phase is not Phase.BISECTION:
            raise Revert("WrongStage", match.height, match.phase)
        self._require_mover(match, sender)
        child, before = self._open_lists(match, left, right)
        position = match.position + child
        inputs = self.get_input_count(self._get_round(match))
        if position >= inputs:
            raise Revert("Padding", position, inputs)
        batch = self._require_opening(opening, before)
        ends = [left[child], right[child]]
        own_end = compute_leaf(opening.next_root, batch, opening.next_rest)
        if own_end != ends[match.turn]:
            raise Revert("WrongLeaf", own_end, ends[match.turn])
        self._require_trace(trace, opening.next_root)

        ends[match.turn] = compute_list_hash(trace, self.parameters.arity)
        match.nodes = (ends[0], ends[1])
        match.prev = self.machine.start(opening.root, opening.input_hash)
        match.batch, match.rest = batch, opening.next_rest
        match.phase = Phase.SECOND_COMMIT
        match.position = position
        self._charge(match, now)

    def commit_second_trace(
        self, sender: bytes, now: int, match_id: bytes, next_root: bytes, trace: Words
    ) -> None:
        """Second commitment: the other side's history of machine states over the same input."""
        match = self._require_playable(match_id)
        self._require_in_time(match, now)
        if match.phase is not Phase.SECOND_COMMIT:
            raise Revert("WrongStage", match.height, match.phase)
        self._require_mover(match, sender)
        own_end = compute_leaf(next_root, match.batch, match.rest)
        if own_end != match.nodes[match.turn]:
            raise Revert("WrongLeaf", own_end, match.nodes[match.turn])
        self._require_trace(trace, next_root)

        nodes = list(match.nodes)
        nodes[match.turn] = compute_list_hash(trace, self.parameters.arity)
        match.nodes = (nodes[0], nodes[1])
        match.batch, match.rest = 0, ZERO
        match.level, match.height = Level.STEPS, self.parameters.step_height
        match.position, match.phase = 0, Phase.BISECTION
        self._charge(match, now)

    # -------------------------------------------------------------------------------------- decisions

    def prove_padding(self, now: int, match_id: bytes, left: Words, right: Words) -> None:
        """Past the last input of the range nothing may change: eliminate each side that says it does."""
        match = self._require_playable(match_id)
        self._require_in_time(match, now)
        if match.level is not Level.INPUTS or match.height != 1 or match.phase is not Phase.BISECTION:
            raise Revert("WrongStage", match.height, match.phase)
        child, before = self._open_lists(match, left, right)
        position, inputs = match.position + child, self.get_input_count(self._get_round(match))
        if position < inputs:
            raise Revert("NotPadding", position, inputs)
        self._decide(match, now, (left[child] != before, right[child] != before))

    def prove(self, now: int, match_id: bytes, left: Words, right: Words, proof: bytes) -> None:
        """Execute the first step in which the sides differ; eliminate each side that has another result."""
        match = self._require_playable(match_id)
        self._require_in_time(match, now)
        if match.level is not Level.STEPS or match.height != 1:
            raise Revert("WrongStage", match.height, match.phase)
        child, before = self._open_lists(match, left, right)
        after = self.machine.step(before, proof)
        self._decide(match, now, (left[child] != after, right[child] != after))

    def timeout(self, now: int, match_id: bytes) -> None:
        """Eliminate the side on turn when its clock has run out."""
        match = self._require_playable(match_id)
        if is_in_time(now, match.last, match.clocks[match.turn]):
            raise Revert("NotLate", now - match.last, match.clocks[match.turn])
        self._decide(match, now, (match.turn is Side.A, match.turn is Side.B))

    def collect(self, match_id: bytes, claim_id: bytes, gas_price: int) -> int:
        """Refund a side's moves from the pot of its dead opponent, once; `gas_price` is base fee plus tip.

        Returns the amount, which becomes credit of the side's claim.
        """
        match = self.state.matches.get(match_id)
        if match is None or claim_id not in match.claims:
            raise Revert("NotInMatch", claim_id)
        side = Side(match.claims.index(claim_id))
        opponent = match.claims[side.other]
        if match.collected[side]:
            raise Revert("AlreadyCollected", claim_id)
        if self.state.stakers[self.state.claims[claim_id].owner].out:
            raise Revert("StakerOut", self.state.claims[claim_id].owner)
        pot = self.state.pots.get(opponent, 0)
        if not pot:
            raise Revert("EmptyPot", opponent)
        price = min(gas_price, self.parameters.gas_price_cap)
        amount = min(match.moves[side] * MOVE_GAS * price, pot)
        collected = list(match.collected)
        collected[side] = True
        match.collected = (collected[0], collected[1])
        self.state.pots[opponent] = pot - amount
        self.state.credits[claim_id] = self.state.credits.get(claim_id, 0) + amount
        return amount

    # ---------------------------------------------------------------------------------------- reading

    def is_playable(self, match: Match) -> bool:
        """Whether both claims still count. A match that has lost one of them is void for ever."""
        return all(map(self.rollup.is_live, match.claims))

    def get_input_count(self, asked: Round) -> int:
        """Inputs in the range of a round."""
        batches = self.state.batches
        return batches[asked.to].cumulative - batches[asked.start].cumulative

    # ---------------------------------------------------------------------------------------- helpers

    def _get_round(self, match: Match) -> Round:
        node = self.state.claims[match.claims[0]].node
        return self.state.rounds[self.state.nodes[node].parent]

    def _require_playable(self, match_id: bytes) -> Match:
        match = self.state.matches.get(match_id)
        if match is None:
            raise Revert("UnknownMatch", match_id)
        for claim_id in match.claims:
            if not self.rollup.is_live(claim_id):
                raise Revert("ClaimNotLive", claim_id)
        return match

    def _require_in_time(self, match: Match, now: int) -> None:
        if not is_in_time(now, match.last, match.clocks[match.turn]):
            raise Revert("Late", now - match.last, match.clocks[match.turn])

    def _require_mover(self, match: Match, sender: bytes) -> None:
        claim = self.state.claims[match.claims[match.turn]]
        if sender not in (claim.owner, claim.operator):
            raise Revert("NotOwner", sender, claim.owner)

    def _open_lists(self, match: Match, left: Words, right: Words) -> tuple[int, bytes]:
        """Check both lists against the match; the first child that differs and the agreed state before it."""
        length = get_words_length(match.height, self.parameters.arity)
        for words, node in zip((left, right), match.nodes, strict=True):
            if len(words) != length:
                raise Revert("WrongLength", len(words), length)
            if compute_list_hash(words, self.parameters.arity) != node:
                raise Revert("WrongList", compute_list_hash(words, self.parameters.arity), node)
        child = compute_first_difference(left, right, match.height)
        if child is None:
            raise Revert("NoDifference")
        return child, match.prev if child == 0 else get_end(left, child - 1, match.height)

    def _require_opening(self, opening: Opening, before: bytes) -> int:
        """Authenticate the disputed input against the agreed leaf; the batch of the leaf after it."""
        leaf = compute_leaf(opening.root, opening.batch, opening.rest)
        if leaf != before:
            raise Revert("WrongLeaf", leaf, before)
        if opening.rest == ZERO:  # the batch is used up: the next one begins with its header
            batch = opening.batch + 1
            if batch > self.state.batch_count:
                raise Revert("UnknownBatch", batch, self.state.batch_count)
            chain = self.state.batches[batch].head
        else:
            batch, chain = opening.batch, opening.rest
        link = compute_chain_link(opening.input_hash, opening.next_rest)
        if link != chain:
            raise Revert("WrongInput", link, chain)
        return batch

    def _require_trace(self, trace: Words, next_root: bytes) -> None:
        arity, height = self.parameters.arity, self.parameters.step_height
        length = get_words_length(height, arity)
        if len(trace) != length:
            raise Revert("WrongLength", len(trace), length)
        end, final = get_end(trace, arity - 1, height), compute_final(next_root)
        if end != final:
            raise Revert("WrongEnd", end, final)

    def _charge(self, match: Match, now: int) -> None:
        clocks, moves = list(match.clocks), list(match.moves)
        clocks[match.turn] -= now - match.last
        moves[match.turn] += 1
        match.clocks, match.moves = (clocks[0], clocks[1]), (moves[0], moves[1])
        match.last = now
        match.turn = match.turn.other

    def _decide(self, match: Match, now: int, lost: tuple[bool, bool]) -> None:
        """Eliminate the losing sides. The winner gets the bounty only when it is not proven wrong itself."""
        for side in Side:
            if lost[side]:
                winner = ZERO if lost[side.other] else match.claims[side.other]
                self.rollup.eliminate(now, match.claims[side], winner)
