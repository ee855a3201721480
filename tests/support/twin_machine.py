"""The table of `twin_table.py` in the hands of Hypothesis: any call by anybody at any time, whole fights.

Some rules call what they find, mostly in vain; others prepare what random calls would never reach: a fight to
its last step, a bond lost on two floors, mistakes of each kind. All is compared after every single call.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from challenger.strategy import acts
from challenger.trace.alphabet import AlphabetProvider
from tests.support.match_mistakes import ABOUT_MATCHES
from tests.support.misprint import misprint
from tests.support.mistake_setup import NOWHERE
from tests.support.mistakes import ABOUT_BONDS, ABOUT_CLAIMS, Mistake
from tests.support.spoiling import Cut, spoil
from tests.support.twin_table import HONEST, SHAPES, Table, Tally

LIES: Final = ("step", "padding", "leaf", "torn", "garbage")
PLAYED_LIES: Final = ("step", "padding", "step", "leaf", "torn")  # those that can be revealed
SMALL: Final = st.integers(0, 40)
LONG_FIGHT: Final = 40  # moves; more than any shape has
Lie = tuple[str, int, int]
LIE: Final = st.tuples(st.sampled_from(PLAYED_LIES), SMALL, st.integers(1, 3))


class TwinMachine(RuleBasedStateMachine):
    """One deployment, from its first call to its last. `tally` counts over all of them."""

    tally: ClassVar[Tally] = Tally()
    cuts: ClassVar[tuple[Cut, ...]] = ()  # what is different in the twin, for tests of this machine

    @initialize(shape=st.sampled_from(SHAPES))
    def deploy(self, shape: Any) -> None:
        """Twin and contracts with some parameters."""
        self.table = Table(shape, self.tally)
        if self.cuts:
            spoil(self.table.world, *self.cuts)
        self.state = self.table.state

    def teardown(self) -> None:
        """Nothing is left that the twin does not know. After a failure, that failure is what counts."""
        if hasattr(self, "table") and self.table.agrees:
            self.table.close()

    def _lie(self, lie: Lie, round_id: bytes) -> AlphabetProvider:
        return self.table.make_liar(lie[0], round_id, lie[1], lie[2])

    def _get_people(self) -> list[bytes]:
        return [HONEST, *self.state.stakers]

    # --------------------------------------------------------------------------------------------- time

    @rule(seconds=st.sampled_from((1, 12, 40, 100)))
    def wait(self, seconds: int) -> None:
        """Some time passes."""
        self.table.wait(seconds)

    @rule(which=SMALL, offset=st.sampled_from((0, -1, 1)))
    def wait_for_a_deadline(self, which: int, offset: int) -> None:
        """Until the second at which something ends, or the one before or after it."""
        deadlines = self.table.get_deadlines()
        if deadlines:
            self.table.wait(max(0, deadlines[which % len(deadlines)] + offset - self.table.world.now))

    @rule(rows=st.lists(st.binary(max_size=3), max_size=2))
    def seal(self, rows: list[bytes]) -> None:
        """The sequencer seals a batch: what it may hold with its header depends on the shape."""
        room = self.table.parameters.max_inputs - 1
        self.table.seal([b"\x05" + row for row in rows[:room]])

    # ------------------------------------------------------------------------------------ any call at all

    @rule(data=st.data(), lie=st.tuples(st.sampled_from(LIES), SMALL, st.integers(1, 3)))
    def claim_anything(self, data: st.DataObject, lie: Lie) -> None:
        """Somebody old or new stands on something old or new, in a round of any state."""
        rounds = [i for i, asked in self.state.rounds.items() if asked.to <= self.state.batch_count]
        if not rounds:
            return
        round_id = data.draw(st.sampled_from(rounds[::-1]))
        known = self.table.providers[-4:]
        which = data.draw(st.integers(0, len(known)))
        provider = self._lie(lie, round_id) if which == len(known) else known[which]
        people = self._get_people()
        who = data.draw(st.sampled_from([*people[-6:], b""])) or self.table.meet()
        self.table.stand(who, provider, round_id)

    @precondition(lambda self: self.state.claims)
    @rule(data=st.data())
    def call_anything_about_claims(self, data: st.DataObject) -> None:
        """What can be said about one claim, or about two; whether it makes sense or not."""
        claims, people = list(self.state.claims)[::-1], self._get_people()
        one, other = (data.draw(st.sampled_from([*claims, NOWHERE])) for _ in range(2))
        who = data.draw(st.sampled_from(people))
        left, right = sorted((one, other))
        owner = self.state.claims[one].owner if one in self.state.claims else HONEST
        calls: tuple[acts.Act, ...] = (
            acts.SetOperator(one, who),
            acts.TimeoutReveal(one, other),
            acts.OpenMatch(left, right, one),
            acts.Timeout((left, right)),
            acts.Prune(one),
            acts.Collect(one, other),
            acts.ClaimCredit(one),
        )
        sender = data.draw(st.sampled_from([owner, who]))
        act = data.draw(st.sampled_from(calls))
        self.table.call(sender, act)

    @precondition(lambda self: self.table.believers.beliefs)
    @rule(data=st.data())
    def reveal_anything(self, data: st.DataObject) -> None:
        """The owner of any claim, or somebody else, opens its history, at any time."""
        claim = data.draw(st.sampled_from(list(self.table.believers.beliefs)[::-1]))
        owner = self.state.claims[claim].owner
        who = data.draw(st.sampled_from([owner, *self._get_people()[-4:]]))
        self.table.reveal(claim, who)

    @precondition(lambda self: self.state.matches)
    @rule(data=st.data(), moves=st.integers(1, 5), wrong=st.booleans())
    def move_anything(self, data: st.DataObject, moves: int, wrong: bool) -> None:
        """Any match, playable or void, goes on; or its next move has a misprint."""
        match = data.draw(st.sampled_from(list(self.state.matches.values())[::-1]))
        if wrong:
            act = self.table.believers.compute_move(match)
            if act is not None:
                self.table.call(self.table.get_owner(match), misprint(act, _choose(data)))
        else:
            self.table.play(match, moves)

    @rule(data=st.data())
    def confirm_anything(self, data: st.DataObject) -> None:
        """Any node, ripe or not."""
        node = data.draw(st.sampled_from(list(self.state.nodes)[::-1]))
        self.table.call(HONEST, acts.Confirm(node))

    @rule(data=st.data())
    def stake_or_withdraw(self, data: st.DataObject) -> None:
        """Anybody lays down a bond or takes it back."""
        who = data.draw(st.sampled_from(self._get_people()[::-1]))
        self.table.call(who, acts.Stake() if data.draw(st.booleans()) else acts.Withdraw())

    @rule(data=st.data())
    def look_and_act(self, data: st.DataObject) -> None:
        """The strategy itself plays for somebody, who believes the truth or a lie."""
        who = data.draw(st.sampled_from(self._get_people()))
        provider = data.draw(st.sampled_from(self.table.providers[:4]))
        self.table.look(who, provider)

    # -------------------------------------------------------------------------------------------- fights

    @rule(lie=LIE, swap=st.booleans(), truth_is_second=st.booleans(), pause=st.sampled_from((0, 1, 3)))
    def fight_to_the_end(self, lie: Lie, swap: bool, truth_is_second: bool, pause: int) -> None:
        """The truth against a liar, down to the proof, and a refund."""
        round_id = self.table.get_fresh_round()
        sides = (self.table.truth, self._lie(lie, round_id))
        match = self.table.begin_fight(round_id, sides[::-1] if truth_is_second else sides, swap=swap)
        if match is not None:
            self.table.play(match, LONG_FIGHT, pause)
            self.table.reap()

    @rule(lies=st.lists(LIE, min_size=2, max_size=3), swap=st.booleans(), moves=SMALL)
    def fight_of_liars(self, lies: list[Lie], swap: bool, moves: int) -> None:
        """Liars against each other in one round; a proof may prove both wrong."""
        round_id = self.table.get_fresh_round()
        believed = [self._lie(lie, round_id) for lie in lies]
        for one, other in pairwise(believed):
            match = self.table.begin_fight(round_id, (one, other), swap=swap)
            if match is not None:
                self.table.play(match, moves)

    @rule(lie=LIE, moves=st.integers(0, 9), helped=st.booleans())
    def fall_silent(self, lie: Lie, moves: int, helped: bool) -> None:
        """A fight in which somebody stops moving; both may have operators who moved for them."""
        round_id = self.table.get_fresh_round()
        sides = (self.table.truth, self._lie(lie, round_id))
        match = self.table.begin_fight(round_id, sides, swap=bool(moves % 2))
        if match is None:
            return
        if helped:
            for claim in match.claims:
                self.table.call(self.state.claims[claim].owner, acts.SetOperator(claim, HONEST))
        for _ in range(moves):
            act = self.table.believers.compute_move(match)
            if act is None or self.table.call(HONEST if helped else self.table.get_owner(match), act):
                break
        self.table.wait(match.clocks[match.turn])
        self.table.reap()

    @rule(lie=LIE, proof=st.booleans(), deeper=st.booleans())
    def lose_a_bond_on_two_floors(self, lie: Lie, proof: bool, deeper: bool) -> None:
        """One bond stands on a false end and on what follows it: lost on one floor, pruned on the other."""
        table, round_id = self.table, self.table.get_fresh_round()
        liar, cheat = self._lie(lie, round_id), table.meet()
        honest, false = table.stand(table.meet(), table.truth, round_id), table.stand(cheat, liar, round_id)
        if honest is None or false is None:
            return
        node = self.state.claims[false].node
        while self.state.batch_count < self.state.rounds[node].to:
            table.seal([b"\x05floor"])
        table.wait(table.parameters.min_period)
        above = table.stand(cheat, liar, node)
        if above is not None and deeper:
            table.stand(table.meet(), liar, round_id)  # keeps the false end alive
        if proof and not table.reveal(honest) and not table.reveal(false):
            match_id = table.open(honest, false, false)
            if match_id is not None:
                table.play(self.state.matches[match_id], LONG_FIGHT)
        table.wait(table.parameters.challenge_period)
        table.call(HONEST, acts.TimeoutReveal(false, honest))
        table.reap()

    @rule(mistakes=st.lists(st.sampled_from(ABOUT_BONDS), min_size=1, max_size=3), data=st.data())
    def make_mistakes_about_bonds(self, mistakes: list[Mistake], data: st.DataObject) -> None:
        """Some of the mistakes that have a name."""
        self._make(mistakes, data)

    @rule(mistakes=st.lists(st.sampled_from(ABOUT_CLAIMS), min_size=1, max_size=4), data=st.data())
    def make_mistakes_about_claims(self, mistakes: list[Mistake], data: st.DataObject) -> None:
        """Some of the mistakes that have a name."""
        self._make(mistakes, data)

    @rule(mistakes=st.lists(st.sampled_from(ABOUT_MATCHES), min_size=1, max_size=4), data=st.data())
    def make_mistakes_about_matches(self, mistakes: list[Mistake], data: st.DataObject) -> None:
        """Some of the mistakes that have a name."""
        self._make(mistakes, data)

    def _make(self, mistakes: list[Mistake], data: st.DataObject) -> None:
        for mistake in mistakes:
            mistake(self.table, _choose(data))

    @rule()
    def reap(self) -> None:
        """Everything that anybody may do for anybody."""
        self.table.reap()

    @rule()
    def settle(self) -> None:
        """The clock decides what is undecided, and everybody is paid."""
        self.table.settle()


def _choose(data: st.DataObject) -> Callable[[Sequence[Any]], Any]:
    return lambda options: data.draw(st.sampled_from(list(options)))
