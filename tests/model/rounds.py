"""Everything that can happen next: the adversary's acts, the honest player's look, time.

Every act is a call of the shipped twin (or of its planted copy); the honest player is `compute_plan` itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from challenger.game.types import Claim, Match, Revert, Side, Status
from challenger.strategy import acts
from challenger.strategy.modes import DEFEND, PROPOSE
from challenger.strategy.moves import Move, compute_move
from challenger.strategy.strategy import compute_plan
from challenger.strategy.view import Facts, View
from optimist.base.merkle import ZERO
from tests.model.board import AFTER, Board, tick
from tests.model.codec import Codec
from tests.model.world import HONEST, World

HABITS = {"watcher": DEFEND, "always": PROPOSE}
LOOKS = 12  # more than any plan needs to come to rest within one tick


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of the graph: what happened, and the state after it."""

    label: str
    board: Board
    fault: str = ""  # what the honest player met that it never should


Fresh = Callable[[], Board]  # another copy of the state that is being expanded


class Rounds:
    """Successors of states of one world."""

    def __init__(self, world: World, codec: Codec) -> None:
        self.world = world
        self.codec = codec
        self.moves: dict[tuple[bytes, bytes, int], Move | None] = {}

    def expand(self, fresh: Fresh) -> Iterator[Step]:
        """Every state that follows. `fresh` makes a copy of the state for each act that lands."""
        board = fresh()
        if all(asked.confirmed != ZERO for asked in map(board.state.rounds.get, self.world.parents) if asked):
            return
        yield from self._expand_adversary(board, fresh)
        if board.phase == AFTER:
            board = fresh()
            tick(board)
            yield Step("a tick", board)
            return
        if board.censored:
            board = fresh()
            board.censored -= 1
            board.phase = AFTER
            yield Step("H is censored", board)
        yield self.look(fresh())

    # -------------------------------------------------------------------------------------- the honest player

    def look(self, board: Board) -> Step:
        """The honest player acts until its plan comes to rest."""
        done: list[str] = []
        mode = HABITS[self.world.config.habit]
        for _ in range(LOOKS):
            plan = compute_plan(board.facts, self.world.truth, HONEST, mode)
            if plan.alarms:
                return Step("H: " + ", ".join(done), board, f"alarm: {plan.alarms[0]}")
            landed = [act for act in plan.acts if board.play(HONEST, act) == ""]
            done += [type(act).__name__ for act in landed]
            if not landed:
                break
        else:
            return Step("H: " + ", ".join(done), board, "restless: the plan does not come to rest")
        board.phase = AFTER
        return Step("H: " + (", ".join(done) or "nothing to do"), board, self._find_missed_turn(board))

    def _find_missed_turn(self, board: Board) -> str:
        """After a look the honest player is on turn nowhere: it always has a legal move."""
        claims = board.state.claims
        for match in board.state.matches.values():
            mover = match.claims[match.turn]
            if claims[mover].owner == HONEST and all(map(board.rollup.is_live, match.claims)):
                return f"missed turn: H has no legal move at height {match.height} of {match.stage.name}"
        return ""

    # ------------------------------------------------------------------------------------------ the adversary

    def _expand_adversary(self, board: Board, fresh: Fresh) -> Iterator[Step]:
        """Each act that L1 lets an adversary do, once for accounts that are alike."""
        for label, do in list(self._list_acts(board)):
            if do(board) == "":
                yield Step(label, board)
                board = fresh()

    def _list_acts(self, board: Board) -> Iterator[tuple[str, Callable[[Board], str]]]:
        claims = [(i, c) for i, c in board.state.claims.items() if c.status is Status.LIVE]
        yield from self._list_claims(board)
        for claim_id, claim in claims:
            end = self.world.ends[self.world.index[claim.node]]
            if claim.owner == HONEST:
                continue
            name = f"{self.world.name_of(claim.owner)}"
            if not claim.revealed_at and not end.is_true:
                history = end.provider.get_history(end.round, end.round + 1)
                act = acts.Reveal(claim_id, history.words(history.height, 0))
                yield f"{name} reveals {end.name}", _play(claim.owner, act)
            for rival_id, rival in claims:
                if rival.node != claim.node:
                    yield from self._list_acts_on_pair(claim_id, claim, rival_id, rival)
        yield from self._list_moves(board)
        yield from self._list_public_acts(board)

    def _list_claims(self, board: Board) -> Iterator[tuple[str, Callable[[Board], str]]]:
        state, seen = board.state, set()
        for account in self.world.accounts[1:]:
            staker = state.stakers[account]
            if staker.out:
                continue
            alike = staker.last_claim
            if alike == ZERO:
                if (alike, staker.bond) in seen:
                    continue
                seen.add((alike, staker.bond))
            name = self.world.name_of(account)
            if not staker.bond:
                yield f"{name} stakes", _play(account, acts.Stake())
                continue
            for end in self.world.ends:
                parent = self.world.parents[end.round]
                if parent in state.nodes and board.rollup.is_open(parent):
                    accumulator = state.batches[end.round + 1].accumulator
                    act = acts.AssertState(parent, end.root, end.round + 1, accumulator)
                    yield f"{name} asserts {end.name}", _play(account, act)
            if self.world.config.elsewhere and staker.last_claim != ZERO:
                yield f"{name} loses its bond elsewhere", _lose_elsewhere(account)

    def _list_acts_on_pair(
        self, claim_id: bytes, claim: Claim, rival_id: bytes, rival: Claim
    ) -> Iterator[tuple[str, Callable[[Board], str]]]:
        """An adversary's claim, and a live claim on another end."""
        name = self.world.name_of(claim.owner)
        if rival.owner == HONEST:
            yield f"{name} times H's reveal out", _play(claim.owner, acts.TimeoutReveal(rival_id, claim_id))
            left, right = min(claim_id, rival_id), max(claim_id, rival_id)
            for first, whom in ((rival_id, "H"), (claim_id, name)):
                act = acts.OpenMatch(left, right, first)
                yield f"{name} opens its match with H, {whom} first", _play(claim.owner, act)
            yield f"{name} gives up", _give_up(claim_id, rival_id, ZERO)
        elif self.world.config.money:
            winner = self.world.name_of(rival.owner)
            yield f"{name} lets {winner} win", _give_up(claim_id, rival_id, rival_id)
        else:
            yield f"{name} gives up", _give_up(claim_id, rival_id, ZERO)

    def _list_moves(self, board: Board) -> Iterator[tuple[str, Callable[[Board], str]]]:
        for match_id, match in board.state.matches.items():
            owner = board.state.claims[match.claims[match.turn]].owner
            name = self.world.name_of(owner)
            if owner != HONEST:
                move = self._find_move(board, match_id, match)
                if move is not None:
                    yield f"{name} moves: {type(move).__name__}", _play(owner, move)
            yield f"anybody times {name} out", _play(self.world.accounts[1], acts.Timeout(match.claims))

    def _find_move(self, board: Board, match_id: bytes, match: Match) -> Move | None:
        """The only move that keeps an adversary's word. Other lists, and losing on purpose: README.md."""
        honest = Side(int(board.state.claims[match.claims[1]].owner == HONEST))
        spot = self.codec.number_spot(match, honest, board.disputed.get(match_id, -1))
        key = (*match.claims, spot)
        if key not in self.moves:
            claim = board.state.claims[match.claims[match.turn]]
            end = self.world.ends[self.world.index[claim.node]]
            lists = self.world.true_lists | self.world.tops
            facts = Facts(board.parameters, board.state, board.now, lists, board.disputed)
            view = View(facts, end.provider, claim.owner)
            duels = [duel for duel in view.duels if duel.id == match_id]
            move = compute_move(view, duels[0]) if duels else None
            if isinstance(move, acts.Prove | acts.ProvePadding):
                move = None  # it would be proven wrong: that is to give up
            if not duels:
                return None
            self.moves[key] = move
        return self.moves[key]

    def _list_public_acts(self, board: Board) -> Iterator[tuple[str, Callable[[Board], str]]]:
        anybody = self.world.accounts[1]
        for end in self.world.ends:
            if end.id in board.state.nodes:
                yield f"anybody confirms {end.name}", _play(anybody, acts.Confirm(end.id))
        for claim_id, claim in board.state.claims.items():
            name = self.world.name_of(claim.owner)
            node = self.world.ends[self.world.index[claim.node]].name
            if board.state.stakers[claim.owner].out:
                yield f"anybody prunes {name}'s claim on {node}", _play(anybody, acts.Prune(claim_id))
            if self.world.config.money and claim.credit:
                yield f"anybody claims {name}'s credit", _play(anybody, acts.ClaimCredit(claim_id))
        if not self.world.config.money:
            return
        for account in self.world.accounts[1:]:
            yield f"{self.world.name_of(account)} withdraws", _play(account, acts.Withdraw())
        for match in board.state.matches.values():
            for side in Side:
                act = acts.Collect(match.claims[side], match.claims[side.other])
                owner = board.state.claims[match.claims[side]].owner
                yield f"anybody collects {self.world.name_of(owner)}'s refund", _play(anybody, act)


def _play(account: bytes, act: acts.Act) -> Callable[[Board], str]:
    return lambda board: board.play(account, act)


def _give_up(claim_id: bytes, rival_id: bytes, winner: bytes) -> Callable[[Board], str]:
    """An adversary's claim dies whenever a rival could have killed it, at once and without a match."""

    def do(board: Board) -> str:
        try:
            board.rollup.require_rivals(claim_id, rival_id)
        except Revert as revert:
            return revert.name
        board.rollup.eliminate(board.now, claim_id, winner)
        return ""

    return do


def _lose_elsewhere(account: bytes) -> Callable[[Board], str]:
    """The bond is split below a false end, where nobody honest looks."""

    def do(board: Board) -> str:
        staker = board.state.stakers[account]
        board.state.balance -= staker.bond
        board.state.burnt += staker.bond
        staker.bond, staker.out = 0, True
        return ""

    return do
