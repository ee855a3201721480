"""Everything that can happen next: the adversary's acts, the honest player's look, time.

Every act is a call of the shipped twin (or of its planted copy); the honest player is `compute_plan` itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from challenger.game.clock import is_in_time
from challenger.game.types import Claim, Match, Revert, Side, Staker, Status
from challenger.strategy import acts
from challenger.strategy.modes import DEFEND, PROPOSE
from challenger.strategy.moves import Move, compute_move
from challenger.strategy.strategy import compute_plan
from challenger.strategy.view import Facts, View
from optimist.base.merkle import ZERO
from tests.model.board import AFTER, BEFORE, Board, clone, tick
from tests.model.codec import SIDES, Codec
from tests.model.world import HONEST, End, World

HABITS = {"watcher": DEFEND, "always": PROPOSE}
LOOKS = 12  # more than any plan needs to come to rest within one tick


Choice = tuple[str, Callable[[Board], str]]  # what an adversary may try, and how; "" when it landed


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of the graph: what happened, and the state after it."""

    label: str
    board: Board
    fault: str = ""  # what the honest player met that it never should


class Rounds:
    """Successors of states of one world."""

    def __init__(self, world: World, codec: Codec, *, is_planted: bool = False) -> None:
        """`is_planted`: the protocol has a bug: nothing is left out because it should be refused."""
        self.is_planted = is_planted
        self.world = world
        self.codec = codec
        self.siblings = {
            end.id: {world.ends[i].id for i in world.round_ends[end.round] if i != end.index}
            for end in world.ends
        }
        self.moves: dict[tuple[bytes, bytes, int], Move | None] = {}

    def expand(self, board: Board) -> Iterator[Step]:
        """Every state that follows."""
        asked = [board.state.rounds[i] for i in self.world.parents if i in board.state.rounds]
        if all(each.confirmed != ZERO for each in asked) and not self.world.config.money:
            return  # all is decided: only payments are left
        yield from self._expand_adversary(board)
        if board.phase == AFTER:
            after = clone(board)
            tick(after)
            yield Step("a tick", after)
            return
        if board.pending:
            yield self.look(clone(board))
            return
        if self.world.config.front_run:
            planned = clone(board)
            planned.pending = tuple(self._plan(planned) or ())
            if planned.pending:
                names = ", ".join(type(act).__name__ for act in planned.pending)
                yield Step(f"H sends: {names}", planned)
        if board.censored:
            after = clone(board)
            after.censored -= 1
            after.phase = AFTER
            yield Step("H is censored", after)
        yield self.look(clone(board))

    # -------------------------------------------------------------------------------------- the honest player

    def look(self, board: Board) -> Step:
        """The honest player acts until its plan comes to rest. What it sent before lands first, if it can."""
        done = [type(act).__name__ for act in board.pending if board.play(HONEST, act) == ""]
        board.pending = ()
        for _ in range(LOOKS):
            plan = self._plan(board)
            if plan is None:
                return Step("H: " + ", ".join(done), board, "crash: L1 contradicts itself, H has no plan")
            landed = [type(act).__name__ for act in plan if board.play(HONEST, act) == ""]
            done += landed
            if not landed:
                break
        else:
            return Step("H: " + ", ".join(done), board, "restless: the plan does not come to rest")
        board.phase = AFTER
        label = "H: " + (", ".join(done) or "nothing to do")
        return Step(label, board, self._find_missed_turn(board) or self._find_locked_door(board))

    def _plan(self, board: Board) -> list[acts.Act] | None:
        """What the honest player wants now; None when a planted bug has made nonsense of what L1 says."""
        try:
            mode = HABITS[self.world.config.habit]
            return compute_plan(board.facts, self.world.truth, HONEST, mode).acts
        except KeyError:
            if not self.is_planted:
                raise
            return None

    def _find_locked_door(self, board: Board) -> str:
        """After a look the honest player holds the true end of every round that has a false one."""
        view = View(board.facts, self.world.truth, HONEST)
        for step in view.path:
            if view.get_false_claims(step) and not view.holds(step):
                return f"locked out: H cannot claim {self.world.ends[self.world.index[step.node]].name}"
        return ""

    def _find_missed_turn(self, board: Board) -> str:
        """After a look the honest player is on turn nowhere: it always has a legal move."""
        claims = board.state.claims
        for match in board.state.matches.values():
            mover = match.claims[match.turn]
            if claims[mover].owner == HONEST and all(map(board.rollup.is_live, match.claims)):
                return f"missed turn: H has no legal move at height {match.height} of {match.stage.name}"
        return ""

    # ------------------------------------------------------------------------------------------ the adversary

    def _expand_adversary(self, board: Board) -> Iterator[Step]:
        """Each act that L1 lets an adversary do, once for accounts that are alike."""
        spare = clone(board)
        for label, do in self._list_acts(board):
            if do(spare) == "":  # a refused act has changed nothing
                yield Step(label, spare)
                spare = clone(board)

    def _list_acts(self, board: Board) -> Iterator[Choice]:
        claims = [(i, c) for i, c in board.state.claims.items() if self.is_planted or c.status is Status.LIVE]
        yield from self._list_claims(board)
        for claim_id, claim in claims:
            if claim.owner == HONEST:
                continue
            end = self.world.ends[self.world.index[claim.node]]
            hurried = board.phase == BEFORE and self.world.config.lean
            quiet = hurried or self.world.config.silent
            if not claim.revealed_at and not end.is_true and not quiet:
                name = self.world.name_of(claim.owner)
                history = end.provider.get_history(end.round, end.round + 1)
                act = acts.Reveal(claim_id, history.words(history.height, 0))
                yield f"{name} reveals {end.name}", _play(claim.owner, act)
            siblings = self.siblings[claim.node]
            rivals = [(i, c) for i, c in claims if c.node in siblings]
            yield from self._list_acts_on_rivals(board, claim_id, claim, rivals)
        yield from self._list_moves(board)
        yield from self._list_public_acts(board)

    def _list_claims(self, board: Board) -> Iterator[Choice]:
        state, seen = board.state, set()
        for account in self.world.accounts[1:]:
            staker = state.stakers[account]
            if staker.out:
                continue
            if staker.last_claim == ZERO:
                if staker.bond in seen:
                    continue
                seen.add(staker.bond)
            name = self.world.name_of(account)
            if not staker.bond:
                yield f"{name} stakes", _play(account, acts.Stake())
                continue
            for end in self.world.ends:
                parent = self.world.parents[end.round]
                is_known = self.codec.claim_ids[end.index, account] in state.claims
                if not is_known and parent in state.nodes and not self._is_tied(board, staker, end):
                    accumulator = state.batches[end.round + 1].accumulator
                    act = acts.AssertState(parent, end.root, end.round + 1, accumulator)
                    yield f"{name} asserts {end.name}", _play(account, act)
            if self.world.config.elsewhere and staker.last_claim != ZERO:
                yield f"{name} loses its bond elsewhere", _lose_elsewhere(account)

    def _is_tied(self, board: Board, staker: Staker, end: End) -> bool:
        """Whether the shipped branch rule will refuse: the bond stands in this very round, undecided."""
        if self.is_planted or staker.last_claim == ZERO:
            return False
        last = self.world.ends[self.world.index[board.state.claims[staker.last_claim].node]]
        return last.round == end.round and board.rollup.is_open(self.world.parents[end.round])

    def _list_acts_on_rivals(
        self, board: Board, claim_id: bytes, claim: Claim, rivals: list[tuple[bytes, Claim]]
    ) -> Iterator[Choice]:
        """An adversary's claim against the live claims on other ends."""
        name = self.world.name_of(claim.owner)
        money = self.world.config.money
        for rival_id, rival in rivals:
            if rival.owner != HONEST:
                continue
            if not rival.revealed_at:
                act = acts.TimeoutReveal(rival_id, claim_id)
                yield f"{name} times H's reveal out", _play(claim.owner, act)
            left, right = min(claim_id, rival_id), max(claim_id, rival_id)
            opened = self.codec.match_ids[left, right] in board.state.matches and not self.is_planted
            hurried = board.phase == BEFORE and self.world.config.lean
            if claim.revealed_at and rival.revealed_at and not opened and not hurried:
                for first, whom in ((rival_id, "H"), (claim_id, name)):
                    match = acts.OpenMatch(left, right, first)
                    yield f"{name} opens its match with H, {whom} first", _play(claim.owner, match)
        for rival_id, rival in rivals:
            if money and rival.owner != HONEST:
                winner = self.world.name_of(rival.owner)
                yield f"{name} lets {winner} win", _give_up(claim_id, [rival_id], rival_id)
        if rivals:
            yield f"{name} gives up", _give_up(claim_id, [i for i, _ in rivals], ZERO)

    def _list_moves(self, board: Board) -> Iterator[Choice]:
        for match_id, match in board.state.matches.items():
            owner = board.state.claims[match.claims[match.turn]].owner
            name = self.world.name_of(owner)
            if owner != HONEST and not (board.phase == BEFORE and self.world.config.lean):
                move = self._find_move(board, match_id, match)
                if move is not None:
                    yield f"{name} moves: {type(move).__name__}", _play(owner, move)
            if self.is_planted or not is_in_time(board.now, match.last, match.clocks[match.turn]):
                yield f"anybody times {name} out", _play(self.world.accounts[1], acts.Timeout(match.claims))

    def _find_move(self, board: Board, match_id: bytes, match: Match) -> Move | None:
        """The only move that keeps an adversary's word. Other lists, and losing on purpose: README.md."""
        honest = SIDES[board.state.claims[match.claims[1]].owner == HONEST]
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

    def _list_public_acts(self, board: Board) -> Iterator[Choice]:
        anybody = self.world.accounts[1]
        for end in self.world.ends:
            asked = board.state.rounds.get(self.world.parents[end.round])
            if (
                end.id in board.state.nodes
                and asked is not None
                and (self.is_planted or asked.live_ends == 1)
            ):
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
                if owner != HONEST:  # who collects its own when it looks
                    yield f"{self.world.name_of(owner)} collects its refund", _play(owner, act)


def _play(account: bytes, act: acts.Act) -> Callable[[Board], str]:
    return lambda board: board.play(account, act)


def _give_up(claim_id: bytes, rivals: list[bytes], winner: bytes) -> Callable[[Board], str]:
    """An adversary's claim dies when a rival could have killed it, at once and without a match."""

    def do(board: Board) -> str:
        for rival_id in rivals:
            try:
                board.rollup.require_rivals(claim_id, rival_id)
            except Revert:
                continue
            board.rollup.eliminate(board.now, claim_id, winner)
            return ""
        return "no live rival"

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
