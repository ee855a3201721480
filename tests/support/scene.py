"""Building blocks for stories about the game: who claims what, when, and who is watching.

A scene is played by the contracts and by their twin at once. A spoilt scene is played by a twin from which a
check was taken out: it shows what the check is for.
"""

from collections.abc import Callable, Iterable, Sequence
from types import UnionType
from typing import Final

from challenger.game.dispute import Fork
from challenger.game.lists import Words
from challenger.game.types import Match, Parameters, Side
from challenger.strategy import acts
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider
from challenger.trace.provider import TraceProvider
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    compute_assertion_id,
    compute_claim_id,
    compute_leaf,
    compute_match_id,
)
from tests.support.alphabet_liar import StepLiar
from tests.support.arena import Arena, address
from tests.support.mirror import START
from tests.support.spoiling import Cut, spoil
from tests.support.stage import Stage

HONEST, E1, E2, E3, FOUNDER = address(1), address(11), address(12), address(13), address(99)
SLOT: Final = 12  # s between two blocks of L1
T: Final = 16 * SLOT
PARAMETERS: Final = Parameters(
    arity=2, input_height=2, step_height=4, challenge_period=T, grace=2 * SLOT, min_period=0
)
# Each batch begins with its header. INIT, input 0, is confirmed before the story begins; then come the ranges
# 1 to 4 (full), 5 to 8 (full), 9 to 10, 11 to 13.
ROWS: Final = (
    (b"\x05a", b"\x05b", b"\x05c"),
    (b"\x05d", b"\x05e", b"\x05f"),
    (b"\x05g",),
    (b"\x05h", b"\x05i"),
)


class Scene:
    """One toy deployment. R is the truth of a round, X and Y are false; `now` moves only when told."""

    def __init__(
        self,
        parameters: Parameters = PARAMETERS,
        rows: Sequence[Sequence[bytes]] = ROWS,
        *,
        cuts: Sequence[Cut] = (),
        twin_only: bool = False,
    ) -> None:
        """`rows`: the sequenced inputs of batch 2 and later. `cuts` take checks out of the twin, which then
        plays alone, as it does with `twin_only`.
        """
        self.parameters = parameters
        self.stage = Stage(parameters, [list(row) for row in rows], max_batch=parameters.max_inputs)
        self.inputs = self.stage.inputs
        self.arena: Arena = self.stage
        self.truth = AlphabetProvider(parameters, self.inputs)
        self.is_spoilt = bool(cuts)
        if cuts or twin_only:
            self.arena = Arena(parameters, MACHINE_RULES, self.stage.state.batches, START)
            self.arena.state.rounds[GENESIS_ASSERTION].to = 1  # as on the stage: it was there first
            spoil(self.arena, *cuts)
        self.x = self.lie(target=1, step=0, salt=1)
        self.y = self.lie(target=1, step=0, salt=2)
        self.base = GENESIS_ASSERTION
        self.base = self._found()
        self.start = self.arena.now

    def _found(self) -> bytes:
        """Let INIT be confirmed; the node after it."""
        node = self.node(self.truth)
        self.arena.now += max(SLOT, self.parameters.min_period)
        for act in (acts.Stake(), None, acts.Confirm(node), acts.Withdraw()):
            error = self.claim(FOUNDER, self.truth) if act is None else self.arena.play(FOUNDER, act)
            assert error in ("", "AlreadyStaked"), error
            self.arena.now += self.parameters.challenge_period if act is None else 0
        self.arena.log.clear()
        return node

    def lie(self, target: int, step: int, salt: int = 7) -> StepLiar:
        """A history that is false from one step of one input on."""
        return StepLiar(self.parameters, self.inputs, target, step, salt)

    def seal(self, *rows: bytes) -> None:
        """One more batch, now; everybody in the story knows it."""
        self.stage.now = self.arena.now
        inputs = self.stage.seal(list(rows))
        for provider in (self.truth, self.x, self.y):
            provider.add_batch(inputs)
        if self.arena is not self.stage:
            self.arena.state.batches.append(self.stage.state.batches[-1])

    @property
    def second(self) -> int:
        """Seconds since the start."""
        return self.arena.now - self.start

    def at(self, second: int) -> None:
        """Set the clock to so many seconds after the start."""
        assert self.start + second >= self.arena.now
        self.arena.now = self.start + second

    # ------------------------------------------------------------------------------------------- names

    def node(self, provider: TraceProvider, parent: bytes | None = None) -> bytes:
        """The node below `parent` (default: where the story begins) that `provider` believes in."""
        parent = parent or self.base
        to = self.arena.state.rounds[parent].to
        root = provider.get_end_root(to)
        assert root is not None
        return compute_assertion_id(parent, compute_leaf(root, to, ZERO))

    def claim_id(self, player: bytes, provider: TraceProvider, parent: bytes | None = None) -> bytes:
        """The claim of a player on that node."""
        return compute_claim_id(self.node(provider, parent), player)

    def match(self, one: bytes, other: bytes) -> Match:
        """The match of two claims."""
        return self.arena.state.matches[compute_match_id(one, other)]

    def side(self, one: bytes, other: bytes) -> Side:
        """Which side of their match the first one is."""
        return Side.A if one < other else Side.B

    def is_out(self, player: bytes) -> bool:
        """Whether a player has lost its bond."""
        staker = self.arena.state.stakers.get(player)
        return staker is not None and staker.out

    # -------------------------------------------------------------------------------------------- acts

    def claim(self, player: bytes, provider: TraceProvider, parent: bytes | None = None) -> str:
        """Stake if needed, and assert; the error, if any."""
        parent = parent or self.base
        state = self.arena.state
        self.arena.play(player, acts.Stake())
        to = state.rounds[parent].to
        root = provider.get_end_root(to)
        assert root is not None
        accumulator = state.batches[to].accumulator
        return self.arena.play(player, acts.AssertState(parent, root, to, accumulator))

    def reveal(self, player: bytes, provider: TraceProvider, parent: bytes | None = None) -> str:
        """Open the history of a player's claim."""
        parent = parent or self.base
        start, to = self.arena.state.nodes[parent].batch, self.arena.state.rounds[parent].to
        history = provider.get_history(start, to)
        claim = self.claim_id(player, provider, parent)
        return self.arena.play(player, acts.Reveal(claim, history.words(history.height, 0)))

    def reveal_words(self, player: bytes, claim: bytes, words: Words) -> str:
        """Open a history that no provider stands behind."""
        return self.arena.play(player, acts.Reveal(claim, words))

    def open(self, caller: bytes, one: bytes, other: bytes, first: bytes) -> str:
        """Begin the match of two claims."""
        return self.arena.play(caller, acts.OpenMatch(min(one, other), max(one, other), first))

    def begin(
        self, lie: TraceProvider, *, honest_first: bool, liar: bytes = E1, player: bytes = HONEST
    ) -> tuple[bytes, bytes]:
        """Both claim, reveal and open; returns the two claims, the honest one first."""
        assert self.claim(liar, lie) == ""
        assert self.claim(player, self.truth) == ""
        assert self.reveal(liar, lie) == ""
        assert self.reveal(player, self.truth) == ""
        honest, evil = self.claim_id(player, self.truth), self.claim_id(liar, lie)
        assert self.open(player, honest, evil, honest if honest_first else evil) == ""
        return honest, evil

    def advance_to(
        self,
        lie: TraceProvider,
        claims: tuple[bytes, bytes],
        is_there: Callable[[Match], bool],
        *,
        liar: bytes = E1,
        player: bytes = HONEST,
    ) -> Match:
        """Let both move, in no time at all, until their match is where it is wanted."""
        for _ in range(20):
            match = self.match(*claims)
            if is_there(match):
                return match
            mover = match.claims[match.turn]
            who, belief = (player, self.truth) if mover == claims[0] else (liar, lie)
            for act in self.arena.plan(who, belief).acts:
                if isinstance(act, acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace):
                    assert self.arena.play(who, act) == ""
        raise AssertionError(f"the match did not get there: {self.match(*claims)}")

    def fork(self, claims: tuple[bytes, bytes]) -> Fork:
        """Both lists where a match stands, as far as they were ever opened."""
        match = self.match(*claims)
        left, right = (self.arena.lists[node] for node in match.position.nodes)
        return Fork(match.claims, match.position.round, match.position.prev, (left, right))

    def kill(self, loser: bytes, lie: TraceProvider, winner: bytes, parent: bytes | None = None) -> None:
        """Within this very second, one hand plays both sides of a match so that the lie loses by proof."""
        for _ in range(60):
            if self.arena.state.stakers[loser].out:
                return
            for player, provider in ((loser, lie), (winner, self.truth)):
                own = self.claim_id(player, provider, parent)
                for act in self.arena.plan(player, provider).acts:
                    if not isinstance(act, acts.AssertState | acts.Confirm) and own:
                        self.arena.play(player, act)
        raise AssertionError("the match did not end")

    # ----------------------------------------------------------------------------------------- watching

    def watch(
        self,
        until: Callable[[], bool] | None = None,
        *,
        limit: int = 60 * SLOT,
        also: Iterable[tuple[bytes, TraceProvider]] = (),
    ) -> None:
        """The honest player looks once a slot, after everybody else, until something holds or time is up.

        `limit`: seconds. `also`: players that play on by their belief, before it.
        """
        others = list(also)
        end = self.arena.now + limit
        while self.arena.now < end:
            for player, provider in others:
                self.arena.look_and_act(player, provider)
            self.arena.look_and_act(HONEST, self.truth)
            if not self.is_spoilt:
                self.arena.check_ledger()
            if until is not None and until():
                return
            self.arena.now = min(end, self.arena.now + SLOT)
        assert until is None, "the story did not come to its end"

    def confirmed(self, parent: bytes | None = None) -> bytes:
        """The node that a round was decided for; zero while it is not."""
        return self.arena.state.rounds[parent or self.base].confirmed

    def assert_truth_wins(self, parent: bytes | None = None) -> None:
        """From here on the honest player needs nobody: it keeps its bond, and the round goes to the truth."""
        self.watch(lambda: self.confirmed(parent) != ZERO)
        assert self.confirmed(parent) == self.node(self.truth, parent)
        assert not self.is_out(HONEST)

    def count(self, kind: type | UnionType, *, by: bytes | None = None) -> int:
        """Acts of a kind that landed."""
        return sum(
            isinstance(act, kind) and not error and by in (None, sender)
            for _, sender, act, error in self.arena.log
        )
