"""The game played on from here in our heads: the twin on a copy of the state, with moves of unknown content.

Who stands where, whose clock runs and who may be confirmed when does not depend on what the lists say, only
on who tells the truth. So a move in a shadow has the effect of a legal one (a height less, the mover's clock
charged, the other side on turn), and a proof has the outcome that the truth gives it. Everything else is
checked by the twin's own rules.
"""

from copy import copy
from dataclasses import dataclass, replace

from challenger.game.dispute import Dispute, Machine, end_move
from challenger.game.lists import History
from challenger.game.rollup import Rollup
from challenger.game.types import Match, Parameters, Revert, Side, Stage, State, Status
from challenger.strategy import acts
from optimist.base.merkle import ZERO


@dataclass(frozen=True, slots=True)
class Move:
    """A legal move of the side on turn. The words tell one move of a match from the next."""

    match: bytes
    stage: Stage
    height: int


@dataclass(frozen=True, slots=True)
class Decide:
    """The proof that ends a match: `loser` told the lie."""

    match: bytes
    loser: Side


Act = (
    acts.Stake
    | acts.AssertState
    | acts.Reveal
    | acts.TimeoutReveal
    | acts.OpenMatch
    | acts.Timeout
    | acts.Prune
    | acts.Confirm
    | Move
    | Decide
)


def count_moves_left(match: Match, parameters: Parameters) -> int:
    """Moves until a proof can end a match: dissections of inputs, two traces, dissections of steps."""
    below = parameters.step_height - 1
    match match.stage:
        case Stage.INPUTS:
            return match.height - 1 + 2 + below
        case Stage.HALF:
            return 1 + below
        case _:
            return match.height - 1


class Shadow:
    """A copy of the game that can be played on without L1."""

    def __init__(self, parameters: Parameters, state: State) -> None:
        self.parameters = parameters
        self.state = clone_state(state)
        self.rollup = _ShadowRollup(parameters, self.state, 0)
        self.dispute = _ShadowDispute(self.rollup)

    def play(self, sender: bytes, act: Act, now: int) -> bool:
        """Do it as L1 would; False when L1 would refuse."""
        rollup, dispute = self.rollup, self.dispute
        try:
            match act:
                case acts.Stake():
                    rollup.stake(sender, self.parameters.bond)
                case acts.AssertState(parent, end_root, to, accumulator):
                    rollup.assert_state(sender, now, parent, end_root, to, accumulator)
                case acts.Reveal(claim, words):
                    rollup.reveal(sender, now, claim, words)
                case acts.TimeoutReveal(claim, rival):
                    rollup.timeout_reveal(now, claim, rival)
                case acts.OpenMatch(left, right, first):
                    dispute.open_match(now, left, right, first)
                case acts.Timeout(claims):
                    dispute.timeout(now, claims)
                case acts.Prune(claim):
                    rollup.prune(now, claim)
                case acts.Confirm(node):
                    rollup.confirm(now, node)
                case Move(match_id):
                    dispute.move(now, match_id)
                case Decide(match_id, loser):
                    dispute.decide(now, match_id, loser)
        except Revert:
            return False
        return True

    def abandon(self, claim_id: bytes, now: int) -> None:
        """Let a claim die without any loss for its owner: more than L1 allows, for a bound on the worst."""
        self.rollup.drop(claim_id, now)

    def make_history(self, claim_id: bytes) -> acts.Reveal:
        """Some history that L1 accepts for a claim: only its end is checked."""
        end = self.state.nodes[self.state.claims[claim_id].node].end
        history = History(self.parameters.arity, self.parameters.input_height, [end])
        return acts.Reveal(claim_id, history.words(history.height, 0))


class _ShadowRollup(Rollup):
    """Rounds whose claims may vanish."""

    def drop(self, claim_id: bytes, now: int) -> None:
        """Take a claim off the count of its node."""
        self._drop(now, self.state.claims[claim_id])


class _ShadowDispute(Dispute):
    """Matches without lists."""

    def __init__(self, rollup: Rollup) -> None:
        super().__init__(rollup, _NO_MACHINE)

    def move(self, now: int, match_id: bytes) -> None:
        """What `dissect`, `commit_trace` and `commit_second_trace` do to stage, height, turn and clocks."""
        match = self._require_shadow(now, match_id)
        match match.stage:
            case Stage.INPUTS if match.height == 1:
                match.stage = Stage.HALF
            case Stage.HALF:
                match.stage, match.height = Stage.STEPS, self.parameters.step_height
            case _ if match.height > 1:
                match.height -= 1
            case _:
                raise Revert("WrongStage", match.stage, match.height)
        match.position = replace(match.position, nodes=(_UNKNOWN, _UNKNOWN))
        end_move(match, now)

    def decide(self, now: int, match_id: bytes, loser: Side) -> None:
        """What `prove` does, when one side told the truth."""
        match = self._require_shadow(now, match_id)
        if match.stage is not Stage.STEPS or match.height != 1:
            raise Revert("WrongStage", match.stage, match.height)
        self._decide(match, now, (loser is Side.A, loser is Side.B))

    def _require_shadow(self, now: int, match_id: bytes) -> Match:
        match = self.state.matches[match_id]
        return self._require_playable(now, match.position.round, match.claims)


_UNKNOWN = bytes(32)  # hash of a list that we cannot know


def _refuse(*_: bytes) -> bytes:
    raise Revert("FalseWitness")


_NO_MACHINE = Machine(start=_refuse, step=_refuse)


def clone_state(state: State) -> State:
    """A copy that can be changed. Batches are shared: a shadow seals none.

    Left out is what nothing can happen to any more: claims on decided rounds, unless a bond stands on them,
    and matches that have lost a claim.
    """
    last = {staker.last_claim for staker in state.stakers.values()}
    claims = {
        key: copy(claim)
        for key, claim in state.claims.items()
        if state.rounds[state.nodes[claim.node].parent].confirmed == ZERO or key in last
    }
    return replace(
        state,
        nodes={key: copy(node) for key, node in state.nodes.items()},
        rounds={key: copy(asked) for key, asked in state.rounds.items()},
        claims=claims,
        matches={
            key: copy(match)
            for key, match in state.matches.items()
            if all(claim in claims and claims[claim].status is Status.LIVE for claim in match.claims)
        },
        stakers={key: copy(staker) for key, staker in state.stakers.items()},
    )
