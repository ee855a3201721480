"""Twin of `Dispute.sol`: matches between rival claims, from their histories down to one machine step.

A match keeps two promises at every height: both sides agree on `prev`, the state before `start`, and they
disagree about the list of the next arity**height positions. A move opens both lists, finds the first child in
which they differ, and leaves a match one height lower. Preimages decide; nobody names an index.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from challenger.game.clock import is_in_time
from challenger.game.lists import (
    Words,
    compute_first_difference,
    compute_list_hash,
    get_end,
    get_sub,
    get_words_length,
)
from challenger.game.rollup import Rollup
from challenger.game.types import Match, Position, Revert, Side, Stage
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    compute_assertion_id,
    compute_chain_link,
    compute_leaf,
    compute_match_id,
)
from optimist.vm.state import compute_final_state

MOVE_GAS = 150_000  # refunded for each move of a winner
TIP = 2 * 10**9  # wei, in refunds: blocks take it at once; whoever bids more pays the rest himself


@dataclass(frozen=True, slots=True)
class Machine:
    """What the game knows of the machine: how an input begins, and one step."""

    start: Callable[[bytes, bytes], bytes]  # (state root, input hash) -> initial machine state
    step: Callable[[bytes, bytes], bytes]  # (state, proof) -> next state; raises Revert on a false proof


@dataclass(frozen=True, slots=True)
class Fork:
    """The lists of both sides over the span in dispute. `claims` as in the match: smaller id first."""

    claims: tuple[bytes, bytes]
    round: bytes
    prev: bytes  # as in the position of the match
    lists: tuple[Words, Words]


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens the agreed leaf before the disputed input, and that input."""

    root: bytes
    batch: int
    rest: bytes  # chain of the inputs to come, the disputed one first; 0 when the next batch begins
    input_hash: bytes
    next_rest: bytes  # chain of the inputs after the disputed one


# What a move does to a match, whoever follows it: this twin, or a reader of L1's events.


def descend(match: Match, child: int, nodes: tuple[bytes, bytes], before: bytes, arity: int) -> None:
    """One height down. nodes: of the child, in both lists; before: the agreed state before it."""
    match.height -= 1
    match.start += child * arity**match.height
    match.position = Position(match.position.round, nodes, before)


def end_move(match: Match, now: int) -> None:
    """Time off the mover's clock, one more move to refund, turn to the other side."""
    clocks, moves = list(match.clocks), list(match.moves)
    clocks[match.turn] -= now - match.last
    moves[match.turn] += 1
    match.clocks, match.moves = (clocks[0], clocks[1]), (moves[0], moves[1])
    match.last, match.turn = now, match.turn.other


class Dispute:
    """All matches. Knows the assertions only through `Rollup`."""

    def __init__(self, rollup: Rollup, machine: Machine) -> None:
        self.rollup = rollup
        self.machine = machine
        self.parameters = rollup.parameters
        self.state = rollup.state

    # ------------------------------------------------------------------------------------------ beginning

    def open_match(self, now: int, left: bytes, right: bytes, first: bytes) -> bytes:
        """Begin the match of two revealed rivals, smaller claim id first; `first` moves first. Its id."""
        state = self.state
        if left >= right:
            raise Revert("NotOrdered", left, right)
        if first not in (left, right):
            raise Revert("NotInMatch", first)
        match_id = compute_match_id(left, right)
        if match_id in state.matches:
            raise Revert("MatchExists", match_id)
        round_id = self.rollup.require_rivals(left, right)
        for claim_id in (left, right):
            if not state.claims[claim_id].revealed_at:
                raise Revert("NotRevealed", claim_id)
        a, b = state.claims[left], state.claims[right]
        state.matches[match_id] = Match(
            claims=(left, right),
            position=Position(round_id, (a.top, b.top), round_id),
            start=0,
            height=self.parameters.input_height,
            stage=Stage.INPUTS,
            turn=Side.A if first == left else Side.B,
            last=now,
            clocks=(self.rollup.compute_clock(left, right), self.rollup.compute_clock(right, left)),
        )
        return match_id

    # ---------------------------------------------------------------------------------------------- moves

    def dissect(self, now: int, fork: Fork, following: Words) -> None:
        """One height down: open both lists, and the mover's own list of the first child that differs."""
        match = self._require_playable(now, fork.round, fork.claims)
        if match.stage is Stage.HALF or match.height < 2:
            raise Revert("WrongStage", match.stage, match.height)
        child, before = self._open_lists(match, fork)
        arity, below = self.parameters.arity, match.height - 1
        self._require_length(following, below)
        own = fork.lists[match.turn]
        if compute_list_hash(following, arity) != get_sub(own, child):
            raise Revert("WrongList", compute_list_hash(following, arity), get_sub(own, child))
        # INVARIANT: a child ends where its parent said; else a copied child could leave the other stuck
        end = get_end(own, child, match.height)
        if following[-1] != end:
            raise Revert("WrongEnd", following[-1], end)

        left, right = fork.lists
        descend(match, child, (get_sub(left, child), get_sub(right, child)), before, arity)
        end_move(match, now)

    def commit_trace(
        self, sender: bytes, now: int, fork: Fork, opening: Opening, next_root: bytes, trace: Words
    ) -> None:
        """First commitment: name the disputed input, and the mover's history of machine states over it.

        Only the mover's own end is opened: a rival's may have no preimage at all.
        """
        match = self._require_playable(now, fork.round, fork.claims)
        if match.stage is not Stage.INPUTS or match.height != 1:
            raise Revert("WrongStage", match.stage, match.height)
        self._require_mover(match.claims[match.turn], sender)
        child, before = self._open_lists(match, fork)
        position, inputs = match.start + child, self.rollup.get_input_count(fork.round)
        if position >= inputs:
            raise Revert("Padding", position, inputs)
        batch = self._require_opening(opening, fork.round, position, before)
        start = self.machine.start(opening.root, opening.input_hash)
        ends = (fork.lists[0][child], fork.lists[1][child])
        committed = self._commit(
            Position(fork.round, ends, start, batch, opening.next_rest), match.turn, next_root, trace
        )

        match.position, match.start, match.stage = committed, position, Stage.HALF
        end_move(match, now)

    def commit_second_trace(
        self,
        sender: bytes,
        now: int,
        claims: tuple[bytes, bytes],
        position: Position,
        next_root: bytes,
        trace: Words,
    ) -> None:
        """Second commitment: the other side's history of machine states over the same input."""
        match = self._require_playable(now, position.round, claims)
        if match.stage is not Stage.HALF:
            raise Revert("WrongStage", match.stage, match.height)
        self._require_mover(match.claims[match.turn], sender)
        if position != match.position:
            raise Revert("WrongPosition")
        committed = self._commit(position, match.turn, next_root, trace)

        match.position = replace(committed, batch=0, rest=ZERO)
        match.stage, match.height, match.start = Stage.STEPS, self.parameters.step_height, 0
        end_move(match, now)

    # ------------------------------------------------------------------------------------------ decisions

    def prove_padding(self, now: int, fork: Fork) -> None:
        """Past the last input of the range nothing may change: eliminate each side that says it does."""
        match = self._require_playable(now, fork.round, fork.claims)
        if match.stage is not Stage.INPUTS or match.height != 1:
            raise Revert("WrongStage", match.stage, match.height)
        child, before = self._open_lists(match, fork)
        position, inputs = match.start + child, self.rollup.get_input_count(fork.round)
        if position < inputs:
            raise Revert("NotPadding", position, inputs)
        left, right = fork.lists
        self._decide(match, now, (left[child] != before, right[child] != before))

    def prove(self, now: int, fork: Fork, proof: bytes) -> None:
        """Execute the first step in which the sides differ; eliminate every side with another result."""
        match = self._require_playable(now, fork.round, fork.claims)
        if match.stage is not Stage.STEPS or match.height != 1:
            raise Revert("WrongStage", match.stage, match.height)
        child, before = self._open_lists(match, fork)
        after = self.machine.step(before, proof)
        left, right = fork.lists
        self._decide(match, now, (left[child] != after, right[child] != after))

    def timeout(self, now: int, claims: tuple[bytes, bytes]) -> None:
        """Eliminate the side on turn when its clock has run out."""
        match = self._require_match(self.rollup.get_round_of(claims[0]), claims)
        clock = match.clocks[match.turn]
        if is_in_time(now, match.last, clock):
            raise Revert("NotLate", now - match.last, clock)
        self._decide(match, now, (match.turn is Side.A, match.turn is Side.B))

    def collect(self, sender: bytes, claim_id: bytes, opponent: bytes, base_fee: int) -> int:
        """Refund a side's moves from the pot of its opponent's owner as credit, once; returns wei."""
        # INVARIANT: who paid for the moves chooses the block, and with it the price
        self._require_mover(claim_id, sender)
        match = self.state.matches.get(compute_match_id(claim_id, opponent))
        side = Side.A if claim_id < opponent else Side.B
        if match is None or not match.moves[side]:
            raise Revert("NothingToCollect", claim_id)
        price = min(base_fee + TIP, self.parameters.gas_price_cap)
        paid = self.rollup.refund(claim_id, opponent, match.moves[side] * MOVE_GAS * price)
        match.moves = (0, match.moves[1]) if side is Side.A else (match.moves[0], 0)
        return paid

    # --------------------------------------------------------------------------------------------- checks

    def _require_match(self, round_id: bytes, claims: tuple[bytes, bytes]) -> Match:
        match_id = compute_match_id(*claims)
        match = self.state.matches.get(match_id)
        if match is None or claims != match.claims:  # named in the other order, they are no match
            raise Revert("UnknownMatch", match_id)
        # INVARIANT: a match that has lost one of its claims is void for ever, for both sides
        self.rollup.require_live(round_id, *claims)
        return match

    def _require_playable(self, now: int, round_id: bytes, claims: tuple[bytes, bytes]) -> Match:
        match = self._require_match(round_id, claims)
        clock = match.clocks[match.turn]
        if not is_in_time(now, match.last, clock):
            raise Revert("Late", now - match.last, clock)
        return match

    def _require_mover(self, claim_id: bytes, sender: bytes) -> None:
        if not self.rollup.may_move(claim_id, sender):
            raise Revert("NotMover", sender, claim_id)

    def _require_length(self, words: Sequence[bytes], height: int) -> None:
        length = get_words_length(height, self.parameters.arity)
        if len(words) != length:
            raise Revert("WrongLength", len(words), length)

    def _open_lists(self, match: Match, fork: Fork) -> tuple[int, bytes]:
        """Check both lists against the match; the first child that differs and the agreed state before it."""
        arity = self.parameters.arity
        left, right = fork.lists
        for words in fork.lists:
            self._require_length(words, match.height)
        nodes = (compute_list_hash(left, arity), compute_list_hash(right, arity))
        given = Position(fork.round, nodes, fork.prev)
        if given != match.position:
            raise Revert("WrongPosition")
        child = compute_first_difference(left, right, match.height)
        if child is None:
            raise Revert("NoDifference")
        return child, fork.prev if child == 0 else get_end(left, child - 1, match.height)

    def _require_opening(self, opening: Opening, round_id: bytes, position: int, before: bytes) -> int:
        """Authenticate the disputed input against the agreed leaf; the batch of the leaf after it.

        Before the first input of the range stands the round's own node, whose id commits to its end.
        """
        leaf = compute_leaf(opening.root, opening.batch, opening.rest)
        if position == 0:
            leaf = compute_assertion_id(self.state.nodes[round_id].parent, leaf)
        if leaf != before:
            raise Revert("WrongLeaf", leaf, before)
        batch, chain = opening.batch, opening.rest
        if chain == ZERO:  # the batch is used up: the next one begins with its header
            batch += 1
            batches = self.state.batches
            chain = batches[batch].head if batch < len(batches) else ZERO
        link = compute_chain_link(opening.input_hash, opening.next_rest)
        if link != chain:
            raise Revert("WrongInput", link, chain)
        return batch

    def _commit(self, position: Position, turn: Side, next_root: bytes, trace: Words) -> Position:
        """The position in which the mover's leaf has become its trace, which must end in the leaf's root."""
        leaf = compute_leaf(next_root, position.batch, position.rest)
        if leaf != position.nodes[turn]:
            raise Revert("WrongLeaf", leaf, position.nodes[turn])
        self._require_length(trace, self.parameters.step_height)
        # INVARIANT: the leaves differ in their roots alone, so the last ends of both traces differ
        end = compute_final_state(next_root)
        if trace[-1] != end:
            raise Revert("WrongEnd", trace[-1], end)
        top = compute_list_hash(trace, self.parameters.arity)
        left, right = position.nodes
        return replace(position, nodes=(top, right) if turn is Side.A else (left, top))

    # -------------------------------------------------------------------------------------------- effects

    def _decide(self, match: Match, now: int, lost: tuple[bool, bool]) -> None:
        """Eliminate the losing sides. The winner gets the bounty only when it is not proven wrong itself."""
        for side in Side:
            if lost[side]:
                winner = ZERO if lost[side.other] else match.claims[side.other]
                self.rollup.eliminate(now, match.claims[side], winner)
