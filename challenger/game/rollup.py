"""Twin of `Rollup.sol`: the tree of assertions, bonds, confirmation.

Every function takes the caller and the time, checks what the contract checks in the contract's order, and
raises `Revert` with the contract's error before anything has changed.
"""

from collections.abc import Sequence

from challenger.game.clock import compute_budget
from challenger.game.lists import compute_list_hash, get_end, get_words_length
from challenger.game.types import NOBODY, Claim, Node, Parameters, Revert, Round, Staker, State, Status
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    GENESIS_LEAF,
    compute_assertion_id,
    compute_claim_id,
    compute_leaf,
)
from optimist.derive.timing import compute_due_at, compute_ripe_at

POT_PERCENT = 40  # of a lost bond: pays for the winner's gas
BOUNTY_PERCENT = (
    10  # of a lost bond: to the winning claim; the rest is burnt, so that losing on purpose costs half
)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


class Rollup:
    """Assertions about the state after ranges of batches, each backed by the bond of whoever claims it."""

    def __init__(self, parameters: Parameters, state: State, now: int) -> None:
        """`state` gets the genesis node when it has no node yet; its round begins at batch 0."""
        self.parameters = parameters
        self.state = state
        if not state.nodes:
            self._create_node(ZERO, GENESIS_LEAF, 0, now)

    # ------------------------------------------------------------------------------------- predicates

    def is_confirmed(self, node: bytes) -> bool:
        """Whether the node's round has decided for it; genesis is confirmed."""
        if node == GENESIS_ASSERTION:
            return True
        found = self.state.nodes.get(node)
        return found is not None and self.state.rounds[found.parent].confirmed == node

    def is_rejected(self, node: bytes) -> bool:
        """Whether the node's round has decided for another one."""
        if node == GENESIS_ASSERTION:
            return False
        return self.state.rounds[self.state.nodes[node].parent].confirmed not in (ZERO, node)

    def is_open(self, round_id: bytes) -> bool:
        """Whether the round can still be played: undecided, and its parent not rejected."""
        asked = self.state.rounds.get(round_id)
        return asked is not None and asked.confirmed == ZERO and not self.is_rejected(round_id)

    def is_live(self, claim_id: bytes) -> bool:
        """Whether the claim still counts: not eliminated, its owner not out, its round open."""
        return self._is_standing(claim_id) and self.is_open(self.get_round_of(claim_id))

    def may_move(self, claim_id: bytes, sender: bytes) -> bool:
        """Whether `sender` may reveal and commit for the claim."""
        claim = self.state.claims.get(claim_id)
        return claim is not None and sender != NOBODY and sender in (claim.owner, claim.operator)

    def get_round_of(self, claim_id: bytes) -> bytes:
        """The round that a claim is about; zero when there is no such claim."""
        claim = self.state.claims.get(claim_id)
        return ZERO if claim is None else self.state.nodes[claim.node].parent

    def get_input_count(self, round_id: bytes) -> int:
        """Inputs in the range of a round."""
        batches = self.state.batches
        last, first = self.state.rounds[round_id].to, self.state.nodes[round_id].batch
        return batches[last].cumulative - batches[first].cumulative

    # ---------------------------------------------------------------------------------------- stakers

    def stake(self, sender: bytes, value: int) -> None:
        """Lay down one bond."""
        staker = self.state.stakers.get(sender, Staker())
        if staker.out:
            raise Revert("StakerOut", sender)
        if staker.bond:
            raise Revert("AlreadyStaked", sender)
        if value != self.parameters.bond:
            raise Revert("WrongBond", value, self.parameters.bond)
        staker.bond = value
        self.state.stakers[sender] = staker
        self.state.balance += value

    def withdraw(self, sender: bytes) -> None:
        """Take the bond back: only when nothing that depends on it is undecided."""
        staker = self.state.stakers.get(sender, Staker())
        if not staker.bond:
            raise Revert("NotStaked", sender)
        if staker.last_claim != ZERO and not self.is_confirmed(self.state.claims[staker.last_claim].node):
            raise Revert("ClaimUndecided", staker.last_claim)
        amount, staker.bond = staker.bond, 0
        self.state.balance -= amount

    def set_operator(self, sender: bytes, claim_id: bytes, operator: bytes) -> None:
        """Name a second key that may reveal and commit for a claim."""
        claim = self.state.claims.get(claim_id)
        if claim is None or claim.status is not Status.LIVE:
            raise Revert("ClaimNotLive", claim_id)
        if sender != claim.owner:
            raise Revert("NotOwner", sender, claim.owner)
        if operator == NOBODY:
            raise Revert("ZeroAddress")
        claim.operator = operator

    # ------------------------------------------------------------------------------------- assertions

    def assert_state(
        self,
        sender: bytes,
        now: int,
        parent: bytes,
        end_root: bytes,
        expected_to: int,
        expected_acc: bytes,
    ) -> bytes:
        """Claim that the state root after the parent's range is `end_root`; returns the claim's id.

        `expected_to` and `expected_acc` pin what the caller has executed: on another history it reverts.
        """
        state = self.state
        staker = state.stakers.get(sender, Staker())
        if not staker.bond:
            raise Revert("NotStaked", sender)
        self._require_open(parent)
        asked = state.rounds[parent]
        self._require_range(asked.to, expected_to, expected_acc)
        self._require_branch(staker, parent)
        end = compute_leaf(end_root, asked.to, ZERO)
        node_id = compute_assertion_id(parent, end)
        claim_id = compute_claim_id(node_id, sender)
        if claim_id in state.claims:
            raise Revert("ClaimExists", claim_id)
        node = state.nodes.get(node_id)
        if node is None:
            due = compute_due_at(
                state.nodes[parent].created_at, self.parameters.min_period, is_full=asked.full
            )
            if now < due:
                raise Revert("TooEarly", now, due)
        self._require_joinable(asked, node_id, now)

        if asked.live_ends == 1 and node_id != asked.xor_live:
            asked.incumbent = asked.xor_live
            asked.rival_at = now
            asked.until = state.nodes[asked.xor_live].born + self.parameters.challenge_period
        if node is None:
            node = self._create_node(parent, end, asked.to, now)
        if node.live == 0:
            node.born = now
            asked.live_ends += 1
            asked.xor_live = _xor(asked.xor_live, node_id)
        node.live += 1
        state.claims[claim_id] = Claim(node_id, sender, NOBODY)
        staker.last_claim = claim_id
        return claim_id

    def _require_open(self, round_id: bytes) -> None:
        if round_id not in self.state.nodes:
            raise Revert("UnknownNode", round_id)
        if not self.is_open(round_id):
            raise Revert("RoundClosed", round_id)

    def _require_range(self, to: int, expected_to: int, expected_acc: bytes) -> None:
        if expected_to != to:
            raise Revert("UnexpectedRange", expected_to, to)
        if to > self.state.batch_count:
            raise Revert("RangeNotSealed", to, self.state.batch_count)
        accumulator = self.state.batches[to].accumulator
        if expected_acc != accumulator:
            raise Revert("WrongHistory", expected_acc, accumulator)

    def _require_branch(self, staker: Staker, parent: bytes) -> None:
        """One bond, one branch: it stands on the parent itself, or on nothing that is still undecided."""
        claims = self.state.claims
        if staker.last_claim == ZERO:
            free = self.is_confirmed(parent)
        else:
            last_node = claims[staker.last_claim].node
            free = last_node == parent or (self.is_confirmed(parent) and self.is_confirmed(last_node))
        if not free:
            raise Revert("WrongBranch", parent, staker.last_claim)

    def _require_joinable(self, asked: Round, node_id: bytes, now: int) -> None:
        """Who may join: an empty round and the sole live node stay open, all else for a limited time."""
        closes = self.compute_join_end(asked, node_id)
        if closes is not None and now >= closes:
            raise Revert("JoinClosed", now, closes)

    def compute_join_end(self, asked: Round, node_id: bytes) -> int | None:
        """The first second at which an end of the round takes no more claims; None: it takes them still."""
        period = self.parameters.challenge_period
        if asked.live_ends == 0 or (asked.live_ends == 1 and node_id == asked.xor_live):
            return None
        if asked.live_ends == 1:
            return self.state.nodes[asked.xor_live].born + period
        return asked.rival_at + period if node_id == asked.incumbent else asked.until

    def _create_node(self, parent: bytes, end: bytes, batch: int, now: int) -> Node:
        """A new node, and with it the range that its children will be about."""
        state = self.state
        node_id = compute_assertion_id(parent, end)
        node = state.nodes[node_id] = Node(parent, end, batch, created_at=now, born=0)
        to = self._compute_range_end(batch)
        state.rounds[node_id] = Round(to=to, full=to < state.batch_count)
        return node

    def _compute_range_end(self, start: int) -> int:
        """The largest sealed batch whose inputs fit one history, but at least the next one."""
        batches = self.state.batches
        limit = batches[start].cumulative + self.parameters.max_inputs
        low, high = start, self.state.batch_count
        while low < high:
            middle = (low + high + 1) // 2
            if batches[middle].cumulative <= limit:
                low = middle
            else:
                high = middle - 1
        return max(start + 1, low)

    # -------------------------------------------------------------------------------------- histories

    def reveal(self, sender: bytes, now: int, claim_id: bytes, words: Sequence[bytes]) -> None:
        """Open the history of a claim. No deadline: to reveal late costs that much time in every match."""
        if not self.is_live(claim_id):
            raise Revert("ClaimNotLive", claim_id)
        claim = self.state.claims[claim_id]
        if not self.may_move(claim_id, sender):
            raise Revert("NotOwner", sender, claim.owner)
        if claim.revealed_at:
            raise Revert("AlreadyRevealed", claim_id)
        arity, height = self.parameters.arity, self.parameters.input_height
        length = get_words_length(height, arity)
        if len(words) != length:
            raise Revert("WrongLength", len(words), length)
        end = self.state.nodes[claim.node].end
        if get_end(words, arity - 1, height) != end:
            raise Revert("WrongEnd", get_end(words, arity - 1, height), end)
        claim.top = compute_list_hash(words, arity)
        claim.revealed_at = now

    def timeout_reveal(self, now: int, claim_id: bytes, rival_id: bytes) -> None:
        """Eliminate a claim that has not revealed within the challenge period of a live rival's birth."""
        self.require_rivals(claim_id, rival_id)
        claim, rival = self.state.claims[claim_id], self.state.claims[rival_id]
        if claim.revealed_at:
            raise Revert("AlreadyRevealed", claim_id)
        late = self.state.nodes[rival.node].born + self.parameters.challenge_period
        if now < late:
            raise Revert("TooEarly", now, late)
        self.eliminate(now, claim_id, ZERO)

    def compute_clock(self, claim_id: bytes, rival_id: bytes) -> int:
        """Seconds that a revealed claim has for its moves against a rival."""
        revealed_at = self.state.claims[claim_id].revealed_at
        rival_born = self.state.nodes[self.state.claims[rival_id].node].born
        return compute_budget(self.parameters.challenge_period, revealed_at, rival_born)

    def require_rivals(self, left: bytes, right: bytes) -> bytes:
        """Both claims are live and answer the same question differently; returns the round."""
        round_id = self.get_round_of(left)
        self.require_live(round_id, left, right)
        claims = self.state.claims
        if claims[left].node == claims[right].node or self.get_round_of(right) != round_id:
            raise Revert("NotRivals", left, right)
        return round_id

    def require_live(self, round_id: bytes, left: bytes, right: bytes) -> None:
        """Both claims stand, and the round that they are said to be of is open."""
        for claim_id in (left, right):
            if not self._is_standing(claim_id):
                raise Revert("ClaimNotLive", claim_id)
        if not self.is_open(round_id):
            raise Revert("RoundClosed", round_id)

    def _is_standing(self, claim_id: bytes) -> bool:
        claim = self.state.claims.get(claim_id)
        return claim is not None and claim.status is Status.LIVE and not self.state.stakers[claim.owner].out

    # ----------------------------------------------------------------------------- death and decision

    def eliminate(self, now: int, claim_id: bytes, winner: bytes) -> None:
        """Kill a claim and split its owner's bond unless that is lost already. `winner` 0: no bounty."""
        state = self.state
        claim = state.claims[claim_id]
        self._drop(now, claim)
        staker = state.stakers[claim.owner]
        if staker.out:
            return
        lost, staker.bond = staker.bond, 0
        staker.out = True
        pot, bounty = lost * POT_PERCENT // 100, lost * BOUNTY_PERCENT // 100 if winner != ZERO else 0
        claim.pot = pot
        if winner != ZERO:
            state.claims[winner].credit += bounty
        state.balance -= lost - pot - bounty
        state.burnt += lost - pot - bounty

    def prune(self, now: int, claim_id: bytes) -> None:
        """Take a claim whose owner has lost the bond elsewhere off the count of its node."""
        claim = self.state.claims.get(claim_id)
        if claim is None or claim.status is not Status.LIVE:
            raise Revert("ClaimNotLive", claim_id)
        if not self.state.stakers[claim.owner].out:
            raise Revert("StakerNotOut", claim.owner)
        self._require_open(self.state.nodes[claim.node].parent)
        self._drop(now, claim)

    def _drop(self, now: int, claim: Claim) -> None:
        node = self.state.nodes[claim.node]
        asked = self.state.rounds[node.parent]
        claim.status = Status.DEAD
        node.live -= 1
        if node.live == 0:
            asked.live_ends -= 1
            asked.xor_live = _xor(asked.xor_live, claim.node)
            asked.decided_at = now

    def confirm(self, now: int, node_id: bytes) -> None:
        """Decide a round for its sole live node."""
        node = self.state.nodes.get(node_id)
        if node is None:
            raise Revert("UnknownNode", node_id)
        if not self.is_confirmed(node.parent):
            raise Revert("ParentUnconfirmed", node.parent)
        asked = self.state.rounds[node.parent]
        if asked.confirmed != ZERO:
            raise Revert("RoundClosed", node.parent)
        if node.live == 0 or asked.live_ends != 1:
            raise Revert("NotSoleEnd", node.live, asked.live_ends)
        ripe = self.compute_ripe_at(node_id)
        if now < ripe:
            raise Revert("TooEarly", now, ripe)
        asked.confirmed = node_id

    def compute_ripe_at(self, node_id: bytes) -> int:
        """The first second at which the node could be confirmed as things stand."""
        node = self.state.nodes[node_id]
        asked = self.state.rounds[node.parent]
        period, grace = self.parameters.challenge_period, self.parameters.grace
        return compute_ripe_at(node.born, period, asked.decided_at, grace)

    def refund(self, claim_id: bytes, opponent: bytes, amount: int) -> int:
        """Credit a claim from the pot of an opponent's owner, whichever claim the bond was lost for."""
        claims = self.state.claims
        claim = claims[claim_id]
        if self.state.stakers[claim.owner].out:
            raise Revert("StakerOut", claim.owner)
        loser = self.state.pots.get(claims[opponent].owner)
        if loser is None:
            raise Revert("EmptyPot", opponent)
        paid = min(amount, loser.pot)
        loser.pot -= paid
        claim.credit += paid
        return paid

    def claim_credit(self, claim_id: bytes) -> int:
        """Pay a claim's credit to its owner, once its node is confirmed; returns the amount."""
        claim = self.state.claims.get(claim_id)
        if claim is None or not self.is_confirmed(claim.node):
            raise Revert("NotConfirmed", claim_id)
        if self.state.stakers[claim.owner].out:
            raise Revert("StakerOut", claim.owner)
        amount, claim.credit = claim.credit, 0
        if not amount:
            raise Revert("NoCredit", claim_id)
        self.state.balance -= amount
        return amount
