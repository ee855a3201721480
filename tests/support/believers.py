"""What each claim's owner believes in, and the moves that follow from it.

The strategy plays for the truth alone; here anybody plays for anything, legal or not.
"""

from challenger.game.dispute import Fork
from challenger.game.lists import History, Words, compute_first_difference
from challenger.game.types import Match, Side, Stage
from challenger.strategy import acts
from challenger.trace.alphabet import AlphabetProvider
from optimist.derive.commitments import compute_match_id
from tests.support.arena import Arena

Move = acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace | acts.ProvePadding | acts.Prove


class Believers:
    """The beliefs behind the claims of an arena. `beliefs` is by claim; whoever is not in it cannot move."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena
        self.beliefs: dict[bytes, AlphabetProvider] = {}

    def compute_reveal(self, claim_id: bytes) -> acts.Reveal:
        """The history that the claim's owner believes in."""
        node = self.arena.state.nodes[self.arena.state.claims[claim_id].node]
        start = self.arena.state.nodes[node.parent].batch
        history = self.beliefs[claim_id].get_history(start, node.batch)
        return acts.Reveal(claim_id, history.words(history.height, 0))

    def compute_move(self, match: Match) -> Move | None:
        """The move of the side on turn."""
        fork, history = self.get_fork(match), self._get_history(match, match.turn)
        if history is None:
            return None
        provider, start = self.beliefs[match.claims[match.turn]], self._get_start(match)
        if match.stage is Stage.HALF:
            root = provider.get_root_after(start, match.start)
            trace = history.words(history.height, 0)
            return acts.CommitSecondTrace(match.claims, match.position, root, trace)
        if fork is None:
            return None
        child, below = compute_first_difference(*fork.lists, match.height), match.height - 1
        position = match.start + (child or 0) * history.arity**below
        if below:
            return acts.Dissect(fork, history.list_at(below, position))
        if match.stage is Stage.STEPS:
            disputed = self.arena.disputed[compute_match_id(*match.claims)]
            return acts.Prove(fork, provider.get_step_proof(start, disputed, position))
        if position >= self.arena.rollup.get_input_count(match.position.round):
            return acts.ProvePadding(fork)
        return self._commit_first(fork, provider, start, position)

    def _commit_first(
        self, fork: Fork, provider: AlphabetProvider, start: int, position: int
    ) -> acts.CommitTrace:
        opening, root = provider.get_opening(start, position), provider.get_root_after(start, position)
        trace = provider.get_trace(start, position)
        return acts.CommitTrace(fork, opening, root, trace.words(trace.height, 0))

    def get_fork(self, match: Match) -> Fork | None:
        """Both lists, as far as they were opened or their owners believe in them."""
        if match.stage is Stage.HALF:
            return None
        left, right = (self._get_list(match, side) for side in Side)
        if left is None or right is None:
            return None
        return Fork(match.claims, match.position.round, match.position.prev, (left, right))

    def _get_list(self, match: Match, side: Side) -> Words | None:
        known = self.arena.lists.get(match.position.nodes[side])
        history = self._get_history(match, side)
        if known is not None or history is None:
            return known
        return history.list_at(match.height, match.start)

    def _get_history(self, match: Match, side: Side) -> History | None:
        claim = match.claims[side]
        if claim not in self.beliefs:
            return None
        provider, start = self.beliefs[claim], self._get_start(match)
        if match.stage is Stage.INPUTS:
            return provider.get_history(start, self.arena.state.rounds[match.position.round].to)
        return provider.get_trace(start, self.arena.disputed[compute_match_id(*match.claims)])

    def _get_start(self, match: Match) -> int:
        return self.arena.state.nodes[match.position.round].batch
