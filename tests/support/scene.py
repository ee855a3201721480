"""Building blocks for stories about the game: who claims what, when, and who is watching."""

from collections.abc import Callable

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

HONEST, E1, E2, E3 = address(1), address(11), address(12), address(13)


class Scene:
    """One toy deployment. R is the truth of a round, X and Y are false; `now` moves only when told."""

    def __init__(self, parameters: Parameters, inputs: list[list[bytes]]) -> None:
        self.parameters = parameters
        self.truth = AlphabetProvider(parameters, inputs)
        self.x = StepLiar(parameters, inputs, target=0, step=0, salt=1)
        self.y = StepLiar(parameters, inputs, target=0, step=0, salt=2)
        self.arena = Arena(parameters, MACHINE_RULES, self.truth.batches)
        self.start = self.arena.now = 1000

    def at(self, second: int) -> None:
        """Set the clock to so many seconds after the start."""
        assert self.start + second >= self.arena.now
        self.arena.now = self.start + second

    def node(self, provider: TraceProvider, parent: bytes = GENESIS_ASSERTION) -> bytes:
        """The node below `parent` that `provider` believes in."""
        to = self.arena.state.rounds[parent].to
        root = provider.get_end_root(to)
        assert root is not None
        return compute_assertion_id(parent, compute_leaf(root, to, ZERO))

    def claim_id(self, player: bytes, provider: TraceProvider, parent: bytes = GENESIS_ASSERTION) -> bytes:
        """The claim of a player on that node."""
        return compute_claim_id(self.node(provider, parent), player)

    def claim(self, player: bytes, provider: TraceProvider, parent: bytes = GENESIS_ASSERTION) -> str:
        """Stake if needed, and assert; the error, if any."""
        state = self.arena.state
        self.arena.play(player, acts.Stake())
        to = state.rounds[parent].to
        root = provider.get_end_root(to)
        assert root is not None
        accumulator = state.batches[to].accumulator
        return self.arena.play(player, acts.AssertState(parent, root, to, accumulator))

    def reveal(self, player: bytes, provider: TraceProvider, parent: bytes = GENESIS_ASSERTION) -> str:
        """Open the history of a player's claim."""
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

    def match(self, one: bytes, other: bytes) -> Match:
        """The match of two claims."""
        return self.arena.state.matches[compute_match_id(one, other)]

    def side(self, one: bytes, other: bytes) -> Side:
        """Which side of their match the first one is."""
        return Side.A if one < other else Side.B

    def kill(
        self, loser: bytes, lie: TraceProvider, winner: bytes, parent: bytes = GENESIS_ASSERTION
    ) -> None:
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

    def watch(
        self, until: Callable[[], bool] | None = None, *, limit: int = 200, also: object = None
    ) -> None:
        """The honest player looks once a second, after everybody else, until something holds or time is up.

        `also`: pairs of (player, provider) that play on by their belief before it.
        """
        others = also if isinstance(also, list) else []
        for _ in range(limit):
            for player, provider in others:
                self.arena.look_and_act(player, provider)
            self.arena.look_and_act(HONEST, self.truth)
            self.arena.check_ledger()
            if until is not None and until():
                return
            self.arena.now += 1
        assert until is None, "the story did not come to its end"

    def confirmed(self, parent: bytes = GENESIS_ASSERTION) -> bytes:
        """The node that a round was decided for; zero while it is not."""
        return self.arena.state.rounds[parent].confirmed
