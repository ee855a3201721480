"""How the open rounds end if every honest act lands: the game played on in a shadow, event by event.

What those do who stand on something false is a habit:

    concede        they lose whatever they can, at once          -> nothing can be confirmed earlier
    silent         they do nothing any more                      -> what usually happens
    last second    they move at the last second of their clocks, reveal and let claims that nobody honest
                   holds die when it costs most time              -> nothing can be confirmed later

None of them brings a new end into a round; whoever does pays another bond, and its clock runs from then on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from challenger.game.types import Claim, Match, Side, Stage, Staker, State
from challenger.game.types import Status as ClaimStatus
from challenger.monitor.shadow import Act, Decide, Move, Shadow, count_moves_left
from challenger.monitor.snapshot import Snapshot, Step, compute_path, is_standing
from challenger.strategy import acts
from challenger.strategy.entry import Entry, compute_defence_time, count_open
from optimist.derive.commitments import GENESIS_ASSERTION, compute_claim_id, compute_match_id

ANYBODY = b""  # who confirms


class Habit(Enum):
    """What those do who stand on something false."""

    CONCEDE = "concede"
    SILENT = "silent"
    LAST_SECOND = "lastSecond"


@dataclass(frozen=True, slots=True)
class Happening:
    """One act that lands. `by`: the sender's address; empty when anybody may have sent it."""

    at: int
    by: bytes
    act: Act
    is_honest: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """A round that comes to its end."""

    node: bytes
    at: int


@dataclass(slots=True)
class Future:
    """What happens. A round that is missing in `decided` never comes to an end by itself."""

    habit: Habit
    decided: dict[bytes, Decision] = field(default_factory=dict)
    happenings: list[Happening] = field(default_factory=list)


def foresee(snapshot: Snapshot, defenders: frozenset[bytes], habit: Habit, latency: int = 0) -> Future:
    """Play on from `snapshot`. `defenders` do all that honest parties do, each act `latency` seconds late."""
    player = _Player(snapshot, defenders, habit, 0 if habit is Habit.CONCEDE else latency)
    player.run()
    return player.future


@dataclass(frozen=True, slots=True)
class _Round:
    """A round of the true path with its living claims."""

    step: Step
    truth: list[bytes]  # claims of defenders on the true end
    copies: list[bytes]  # claims of others on it
    false: list[bytes]
    lost: list[bytes]  # claims on false ends whose owners are out

    @property
    def claims(self) -> list[bytes]:
        """All of them."""
        return [*self.truth, *self.copies, *self.false, *self.lost]


class _Player:
    def __init__(self, snapshot: Snapshot, defenders: frozenset[bytes], habit: Habit, latency: int) -> None:
        self._snapshot = snapshot
        self._defenders = sorted(defenders)
        self._habit = habit
        self._latency = latency
        self._now = snapshot.now
        self._parameters = snapshot.parameters
        self._shadow = Shadow(snapshot.parameters, snapshot.state)
        self._start = snapshot.path[0].parent if snapshot.path else GENESIS_ASSERTION
        self._since: dict[tuple[bytes, Act], int] = {}  # when an honest act was first wanted
        self._doomed: set[bytes] = set()  # stakers who could have lost their bond by now
        self._rounds: list[_Round] | None = None
        self.future = Future(habit)

    @property
    def _state(self) -> State:
        return self._shadow.state

    def run(self) -> None:
        """Play until nothing can happen any more."""
        while True:
            while self._oppose() or self._defend() or self._confirm():
                pass
            later = [moment for moment in self._get_moments() if moment > self._now]
            if not later:
                return
            self._now = min(later)

    def _land(self, sender: bytes, act: Act, *, is_honest: bool) -> bool:
        landed = self._shadow.play(sender, act, self._now)
        if landed:
            self.future.happenings.append(Happening(self._now, sender, act, is_honest))
            if not isinstance(act, Move | acts.Reveal | acts.OpenMatch):
                self._rounds = None
        return landed

    # ------------------------------------------------------------------------------------------- looking

    def _get_rounds(self) -> list[_Round]:
        """The undecided rounds of the true path. Kept until somebody comes, dies, or a round is decided."""
        if self._rounds is None:
            self._rounds = self._find_rounds()
        return self._rounds

    def _find_rounds(self) -> list[_Round]:
        path = compute_path(self._state, self._snapshot.roots, self._start)
        if path:
            self._start = path[0].parent
        rounds = {step.parent: _Round(step, [], [], [], []) for step in path}
        for claim_id, claim in self._state.claims.items():
            asked = rounds.get(self._state.nodes[claim.node].parent)
            if asked is None or claim.status is not ClaimStatus.LIVE:
                continue
            if claim.node == asked.step.node:
                is_ours = is_standing(self._state, claim) and self._get_defender(claim) is not None
                (asked.truth if is_ours else asked.copies).append(claim_id)
            else:
                (asked.false if is_standing(self._state, claim) else asked.lost).append(claim_id)
        return list(rounds.values())

    def _get_duels(self) -> Iterator[tuple[bytes, Match, Side]]:
        """Playable matches of a defender's true claim against a false one, and the true side."""
        rounds = self._get_rounds()
        truth = {claim for asked in rounds for claim in asked.truth}
        false = {claim for asked in rounds for claim in asked.false}
        for match_id, match in self._state.matches.items():
            a, b = match.claims
            if a in truth and b in false:
                yield match_id, match, Side.A
            elif b in truth and a in false:
                yield match_id, match, Side.B

    def _get_claim(self, claim_id: bytes) -> Claim:
        return self._state.claims[claim_id]

    def _get_defender(self, claim: Claim) -> bytes | None:
        """Who of the defenders may play for a claim."""
        return next((who for who in (claim.owner, claim.operator) if who in self._defenders), None)

    def _get_moments(self) -> Iterator[int]:
        """Seconds at which something may become possible."""
        period, grace = self._parameters.challenge_period, self._parameters.grace
        for asked in self._get_rounds():
            yield self._state.nodes[asked.step.parent].created_at + self._parameters.min_period
            if decided := self._state.rounds[asked.step.parent].decided_at:
                yield decided + grace
            for node in {self._get_claim(claim).node for claim in asked.claims}:
                born = self._state.nodes[node].born
                yield from (born + period - 1, born + period)
        for _, match, _ in self._get_duels():
            late = match.last + match.clocks[match.turn]
            yield from (late - 1, late)
        for since in self._since.values():
            yield since + self._latency

    # ------------------------------------------------------------------------------------- honest parties

    def _defend(self) -> bool:
        """Send what is wanted for long enough; whether something landed."""
        wanted = list(self._get_wishes())
        self._since = {wish: self._since.get(wish, self._now) for wish in wanted}
        landed = False
        for (sender, act), since in list(self._since.items()):
            if since + self._latency <= self._now:
                landed |= self._land(sender, act, is_honest=True)
        return landed

    def _get_wishes(self) -> Iterator[tuple[bytes, Act]]:
        rounds = self._get_rounds()
        anybody = self._defenders[0] if self._defenders else ANYBODY
        for asked in rounds:
            for claim in asked.lost:
                yield anybody, acts.Prune(claim)
            if asked.false:
                yield from self._get_wishes_against(asked)
        for match_id, match, side in self._get_duels():
            owner = self._get_defender(self._get_claim(match.claims[side])) or ANYBODY
            left = count_moves_left(match, self._parameters)
            if left == 0 and (match.turn is side or self._is_open(match, side.other)):
                yield owner, Decide(match_id, side.other)
            elif match.turn is side:
                yield owner, Move(match_id, match.stage, match.height)
            if match.turn is not side and self._now - match.last >= match.clocks[match.turn]:
                yield anybody, acts.Timeout(match.claims)
        disputed = [i for i, asked in enumerate(rounds) if asked.false]
        if disputed:
            for defender in self._defenders:
                yield from self._get_claims_to_make(defender, rounds[: disputed[-1] + 1])

    def _get_wishes_against(self, asked: _Round) -> Iterator[tuple[bytes, Act]]:
        period, node = self._parameters.challenge_period, self._state.nodes.get(asked.step.node)
        for own in asked.truth:
            owner = self._get_defender(self._get_claim(own)) or ANYBODY
            if not self._get_claim(own).revealed_at:
                yield owner, self._shadow.make_history(own)
            for rival in asked.false:
                if not self._get_claim(rival).revealed_at:
                    if node is not None and self._now - node.born >= period:
                        yield owner, acts.TimeoutReveal(rival, own)
                elif self._get_claim(own).revealed_at and self._has_no_match(own, rival):
                    yield owner, acts.OpenMatch(min(own, rival), max(own, rival), first=rival)

    def _is_open(self, match: Match, side: Side) -> bool:
        """Whether the last list of the side on turn is known from another match: a proof needs both lists."""
        return match.position.nodes[side] in self._snapshot.opened and match.stage is Stage.STEPS

    def _has_no_match(self, one: bytes, other: bytes) -> bool:
        return compute_match_id(one, other) not in self._state.matches

    def _get_claims_to_make(self, defender: bytes, rounds: list[_Round]) -> Iterator[tuple[bytes, Act]]:
        """Our own claim on every undecided node down to the last dispute."""
        staker = self._state.stakers.get(defender, Staker())
        stake = acts.Stake()
        # What is on its way is not taken back because time has passed since.
        waited = self._now - self._since.get((defender, stake), self._now)
        entries = [self._view_entry(asked, defender, waited) for asked in rounds]
        needed = compute_defence_time(self._parameters, self._latency)
        count = count_open(entries, has_bond=staker.bond > 0, needed=needed)
        if count and not staker.bond and not staker.out:
            yield defender, stake
        for asked, entry in zip(rounds[:count], entries, strict=False):
            step = asked.step
            if not entry.is_held:
                accumulator = self._state.batches[step.to].accumulator
                yield defender, acts.AssertState(step.parent, step.end_root, step.to, accumulator)

    def _view_entry(self, asked: _Round, defender: bytes, waited: int) -> Entry:
        step = asked.step
        if compute_claim_id(step.node, defender) in self._state.claims:
            return Entry(None, is_disputed=bool(asked.false), is_held=True)
        closes = self._shadow.rollup.compute_join_end(self._state.rounds[step.parent], step.node)
        left = None if closes is None else closes - self._now + waited
        return Entry(left, is_disputed=bool(asked.false), is_held=False)

    # ---------------------------------------------------------------------------------------- opponents

    def _oppose(self) -> bool:
        match self._habit:
            case Habit.CONCEDE:
                return self._concede()
            case Habit.SILENT:
                return False
            case Habit.LAST_SECOND:
                return self._delay()

    def _concede(self) -> bool:
        """Whoever has a true rival dies by it, without a match."""
        landed = False
        for asked in self._get_rounds():
            rivals = [*asked.truth, *asked.copies]
            for claim in asked.false if rivals else []:
                self._shadow.rollup.eliminate(self._now, claim, rivals[0])
                self._rounds = None
                landed = True
        return landed

    def _delay(self) -> bool:
        """Everything that postpones a decision, as late as it can be done. True when something landed."""
        rounds = self._get_rounds()
        self._note_the_doomed()
        landed = False
        for asked in rounds:
            if asked.false and not asked.truth:
                # Copies of the truth that nobody honest holds: they lose on purpose, so that it is born anew.
                for copy in asked.copies:
                    self._abandon(copy)
                    landed = True
            for wish in list(self._get_delays(asked)):
                landed |= self._land(*wish, is_honest=False)
        for wish in list(self._get_late_moves()):
            landed |= self._land(*wish, is_honest=False)
        return landed

    def _abandon(self, claim: bytes) -> None:
        self._shadow.abandon(claim, self._now)
        self._rounds = None

    def _note_the_doomed(self) -> None:
        """Who has lost the bond, or has a rival to lose it to."""
        for claim in self._state.claims.values():
            is_rivalled = self._state.rounds[self._state.nodes[claim.node].parent].live_ends > 1
            if self._state.stakers[claim.owner].out or (is_rivalled and is_standing(self._state, claim)):
                self._doomed.add(claim.owner)

    def _get_delays(self, asked: _Round) -> Iterator[tuple[bytes, Act]]:
        """Histories when they cost us most, and the time-out of ours.

        The time from both reveals to the opening of a match is nobody's. So an opponent opens none, and
        reveals before we have, to gain the time that we take for it; else at the last second.
        """
        waits_for_us = not asked.truth or any(not self._get_claim(own).revealed_at for own in asked.truth)
        node = self._state.nodes.get(asked.step.node)
        last = node.born + self._parameters.challenge_period - 1 if node and node.live else self._now
        for rival in asked.false:
            claim = self._get_claim(rival)
            if not claim.revealed_at and (waits_for_us or self._now >= last):
                yield claim.owner, self._shadow.make_history(rival)
            for own in asked.truth:
                if not self._get_claim(own).revealed_at:
                    yield claim.owner, acts.TimeoutReveal(own, rival)

    def _get_late_moves(self) -> Iterator[tuple[bytes, Act]]:
        for match_id, match, side in list(self._get_duels()):
            owner = self._get_claim(match.claims[side.other]).owner
            if match.turn is side:
                yield owner, acts.Timeout(match.claims)
            elif count_moves_left(match, self._parameters) <= 1:
                continue  # its very last turn: silence costs it nothing more, and lasts a second longer
            elif self._now >= match.last + match.clocks[match.turn] - 1:
                yield owner, Move(match_id, match.stage, match.height)

    # --------------------------------------------------------------------------------------------- the end

    def _confirm(self) -> bool:
        """Anybody confirms what can be confirmed, true or false."""
        for asked in self._get_rounds()[:1]:
            state = self._state.rounds[asked.step.parent]
            if state.live_ends != 1 or self._now < self._shadow.rollup.compute_ripe_at(state.xor_live):
                continue
            if self._habit is Habit.LAST_SECOND and self._postpone(asked):
                return True
            node = state.xor_live
            if self._land(ANYBODY, acts.Confirm(node), is_honest=node == asked.step.node):
                self.future.decided[asked.step.parent] = Decision(node, self._now)
                return True
        return False

    def _postpone(self, asked: _Round) -> bool:
        """Prune a copy of the truth whose owner has lost the bond: each one costs a grace period."""
        for claim in asked.copies:
            if self._get_claim(claim).owner in self._doomed:
                self._abandon(claim)
                return True
        return False
