"""Every match of a small law, played out: whatever a liar commits to, the honest side answers and wins.

Positions are visited once: what follows depends on the position alone. The honest side is `compute_move`; the
judge is the shipped twin, or a copy with a planted bug.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice, product
from typing import Any, Final

from challenger.game.dispute import Fork, Machine
from challenger.game.lists import Words, compute_first_difference, get_sub
from challenger.game.types import Revert, Side, Stage, Status
from challenger.strategy import acts
from challenger.strategy.moves import InconsistentHistoryError, compute_move
from challenger.trace.alphabet import MACHINE_RULES
from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from optimist.vm.state import compute_final_state
from tests.model.ring import FALSE_ROOT, GARBAGE, NOW, WIDTH, Law, Ring, Spot, hash_of
from tests.model.world import ARITY, HONEST
from tests.support.twin_source import SHIPPED, Protocol

NO_SUB: Final = keccak(b"a list that nobody has")

Way = tuple[str, Any]  # the last move, and the way to the position before it, None at the beginning


@dataclass(slots=True)
class MatchReport:
    """What the matches of one law have shown."""

    law: Law
    counts: Counter[str] = field(default_factory=Counter)
    violation: str = ""
    trace: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line, and the counterexample below it."""
        counted = ", ".join(f"{number} {what}" for what, number in self.counts.items())
        head = f"{self.law}: {counted}: {self.violation or 'no violation'}"
        return "\n".join([head, *(f"  {i:2} {line}" for i, line in enumerate(self.trace, 1))])


def list_lists(letters: list[list[bytes]], known: dict[bytes, Words]) -> list[bytes]:
    """Hashes of all lists of two ends over an alphabet for each; their words are added to `known`."""
    hashes = []
    for words in product(*letters):
        known[hash_of(words)] = words
        hashes.append(hash_of(words))
    return list(dict.fromkeys(hashes))


def list_tops(
    halves: list[list[list[bytes]]], true_subs: list[bytes], lasts: Iterable[bytes], known: dict[bytes, Words]
) -> Iterator[Words]:
    """All lists of height 2: each sub true, any list, the true one of the other half or nobody's; each end
    whatever the alphabet has, whether the sub ends in it or not. `lasts`: the last end.
    """
    subs = [[*list_lists(half, known), true_subs[1 - i], NO_SUB] for i, half in enumerate(halves)]
    yield from product(subs[0], halves[0][-1], subs[1], lasts)


def _unfold(way: Way | None) -> list[str]:
    labels: list[str] = []
    while way is not None:
        labels.append(way[0])
        way = way[1]
    return labels[::-1]


class Matches:
    """All matches of one law from one side against one false end."""

    def __init__(self, ring: Ring, report: MatchReport, *, is_planted: bool, is_thin: bool) -> None:
        self.ring = ring
        self.is_thin = is_thin
        self.report = report
        self.is_planted = is_planted
        self.seen: set[Spot] = set()
        self.known: dict[bytes, Words] = {}  # every list that the adversary could open
        self.true_lists: dict[bytes, Words] = {}
        self.traces: dict[tuple[int, bytes, bool], list[Words]] = {}
        self._learn_truth()

    def _learn_truth(self) -> None:
        histories = [self.ring.history]
        histories += [self.ring.truth.get_trace(0, i) for i in range(len(self.ring.law.steps))]
        for history in histories:
            for height in (1, 2):
                for index in range(ARITY ** (2 - height)):
                    words = history.words(height, index)
                    self.true_lists[hash_of(words)] = words

    def run(self) -> None:
        """Every top list that the adversary can reveal, either side on turn first; then move by move."""
        ring = self.ring
        letters = [ring.list_leaves(i, is_thin=self.is_thin) for i in range(WIDTH)]
        true_subs = [ring.history.node(1, 0), ring.history.node(1, 1)]
        last = ring.leaves[ring.false_node]
        frontier: list[tuple[Spot, Way]] = []
        for top in list_tops([letters[:2], letters[2:]], true_subs, [last], self.known):
            self.known[hash_of(top)] = top
            self.report.counts["false histories"] += 1
            for first in (ring.ours, ring.theirs):
                self.report.counts["matches"] += 1
                dispute = ring.place(None)
                dispute.rollup.reveal(ring.adversary, NOW, ring.theirs, top)
                dispute.open_match(NOW, *ring.claims, first)
                frontier.append((ring.read(dispute.state), (f"E reveals {self._name_list(top)}", None)))
        while frontier and not self.report.violation:
            frontier = self._visit(frontier)

    def _visit(self, frontier: list[tuple[Spot, "Way"]]) -> list[tuple[Spot, "Way"]]:
        """All new positions one move further; stops at the first violation."""
        following: list[tuple[Spot, Way]] = []
        for spot, way in frontier:
            if spot in self.seen:
                continue
            self.seen.add(spot)
            self.report.counts["positions"] += 1
            moves = self._answer if spot.turn is self.ring.honest else self._attack
            for label, after in moves(spot):
                if isinstance(after, str):
                    self.report.violation = after
                    self.report.trace = _unfold((label, way))
                    return following
                if after is not None:
                    following.append((after, (label, way)))
        return following

    # ------------------------------------------------------------------------------------- the honest side

    def _answer(self, spot: Spot) -> Iterator[tuple[str, Spot | str | None]]:
        """The one move of the honest player: there must be one, and it must land."""
        dispute = self.ring.place(spot)
        self._help(dispute, None)
        node = spot.position.nodes[self.ring.evil]
        lists = {node: self.known[node]} if node in self.known else {}
        view = self.ring.look(spot, dispute.state, lists)
        try:
            move = compute_move(view, view.duels[0])
        except InconsistentHistoryError as error:
            yield "H looks", f"stuck: {error}"
            return
        if move is None:
            yield "H looks", f"stuck: no move at height {spot.height} of {spot.stage.name}"
            return
        name = type(move).__name__
        try:
            self._play(dispute, HONEST, move)
        except Revert as revert:
            yield f"H: {name}", f"stuck: {name} is refused: {revert}"
            return
        yield f"H: {name}", self._judge(dispute, spot, name)

    def _judge(self, dispute: Any, spot: Spot, name: str) -> Spot | str | None:
        claims = dispute.state.claims
        if claims[self.ring.ours].status is Status.DEAD:
            return f"lost: {name} eliminates the honest claim"
        if claims[self.ring.theirs].status is Status.DEAD:
            self.report.counts[f"decided by {name}"] += 1
            return None
        if name in ("Prove", "ProvePadding"):
            return f"draw: {name} eliminates nobody"
        return self.ring.read(dispute.state, spot)

    def _play(self, dispute: Any, sender: bytes, move: acts.Act) -> None:
        match move:
            case acts.Dissect(fork, following):
                dispute.dissect(NOW, fork, following)
            case acts.CommitTrace(fork, opening, next_root, trace):
                dispute.commit_trace(sender, NOW, fork, opening, next_root, trace)
            case acts.CommitSecondTrace(claims, position, next_root, trace):
                dispute.commit_second_trace(sender, NOW, claims, position, next_root, trace)
            case acts.ProvePadding(fork):
                dispute.prove_padding(NOW, fork)
            case acts.Prove(fork, proof):
                dispute.prove(NOW, fork, proof)
            case _:
                raise AssertionError(f"{move} is no move")

    # ----------------------------------------------------------------------------------------- the adversary

    def _attack(self, spot: Spot) -> Iterator[tuple[str, Spot | str | None]]:
        """Silence, by which it dies, and every move that the judge accepts."""
        self.report.counts["silences"] += 1
        dispute = self.ring.place(spot)
        for move, child in self._list_moves(spot):
            self._help(dispute, child)
            name = type(move).__name__
            try:
                self._play(dispute, self.ring.adversary, move)
            except Revert:
                self.report.counts["refused moves"] += 1
                continue
            yield f"E: {self._describe(move, child)}", self._judge(dispute, spot, name)
            dispute = self.ring.place(spot)

    def _help(self, dispute: Any, child: int | None) -> None:
        """What some planted bugs ask for: who chooses the child, and which leaves can be opened."""
        if not self.is_planted:
            return
        dispute.forms = self.ring.forms
        dispute.choose = compute_first_difference if child is None else lambda *_: child

    def _list_moves(self, spot: Spot) -> Iterator[tuple[acts.Act, int | None]]:
        """Moves to try; for a judge that lets the mover choose, with the child chosen."""
        if spot.stage is Stage.HALF:
            yield from self._list_second_commitments(spot)
            return
        mine, theirs = self._get_list(spot, self.ring.evil), self._get_list(spot, self.ring.honest)
        if mine is None or theirs is None:
            return  # nobody can open garbage
        lists = (theirs, mine) if self.ring.evil else (mine, theirs)
        fork = Fork(self.ring.claims, spot.position.round, spot.position.prev, lists)
        first = compute_first_difference(*lists, spot.height)
        if first is not None:
            yield from ((move, first) for move in self._list_moves_at(spot, fork, mine, first))
        if self.is_planted:  # what a sound judge does not even ask for
            for child, prev in product(range(ARITY), (spot.position.prev, GARBAGE)):
                if (child, prev) != (first, spot.position.prev):
                    claimed = Fork(fork.claims, fork.round, prev, fork.lists)
                    yield from (
                        (m, child) for m in islice(self._list_moves_at(spot, claimed, mine, child), 4)
                    )

    def _list_moves_at(self, spot: Spot, fork: Fork, mine: Words, child: int) -> Iterator[acts.Act]:
        if spot.height > 1:
            sub = get_sub(mine, child)
            following = self.known.get(sub, self.true_lists.get(sub))
            if following is not None:
                yield acts.Dissect(fork, following)
        elif spot.stage is Stage.INPUTS and spot.start + child < len(self.ring.law.steps):
            position = spot.start + child
            opening = self.ring.get_opening(position)
            for root in self._list_roots(mine[child]):
                for trace in self._list_traces(position, root, mine[child]):
                    yield acts.CommitTrace(fork, opening, root, trace)

    def _list_second_commitments(self, spot: Spot) -> Iterator[tuple[acts.Act, int | None]]:
        leaf = spot.position.nodes[self.ring.evil]
        for root in self._list_roots(leaf):
            for trace in self._list_traces(spot.start, root, leaf):
                yield acts.CommitSecondTrace(self.ring.claims, spot.position, root, trace), None

    def _get_list(self, spot: Spot, side: Side) -> Words | None:
        node = spot.position.nodes[side]
        return self.true_lists.get(node, self.known.get(node))

    def _list_roots(self, leaf: bytes) -> list[bytes]:
        """Roots to open a leaf with: the one that fits, and what a careless judge would take as well."""
        form = self.ring.forms.get(leaf)
        roots = [form[0]] if form else []
        return list(dict.fromkeys([*roots, *self.ring.truth.roots, FALSE_ROOT])) if self.is_planted else roots

    def _list_traces(self, position: int, root: bytes, leaf: bytes) -> list[Words]:
        """All traces that end in a root, when it is the leaf's; else, and besides, some to be refused."""
        fits = self.ring.forms.get(leaf, (GARBAGE, 0, ZERO))[0] == root
        if (position, root, fits) not in self.traces:
            letters = [
                self.ring.list_states(position, step, root, is_thin=self.is_thin) for step in range(WIDTH)
            ]
            true = self.ring.truth.get_trace(0, position)
            true_subs = [true.node(1, 0), true.node(1, 1)]
            final = compute_final_state(root)
            traces = [(*true.words(2, 0)[:-1], letter) for letter in letters[-1]]
            if fits:
                traces += list_tops([letters[:2], letters[2:]], true_subs, [final], self.known)
            self.known.update((hash_of(trace), trace) for trace in traces)
            self.traces[position, root, fits] = traces
        return self.traces[position, root, fits]

    # ------------------------------------------------------------------------------------------- in words

    def _describe(self, move: acts.Act, child: int | None) -> str:
        match move:
            case acts.Dissect(_, following):
                return f"Dissect child {child} into {self._name_list(following)}"
            case acts.CommitTrace(_, _, root, trace) | acts.CommitSecondTrace(_, _, root, trace):
                return f"{type(move).__name__} to {self._name_word(root)} by {self._name_list(trace)}"
            case _:
                return type(move).__name__

    def _name_list(self, words: Words) -> str:
        """Ends after positions are L1, L2 …, after steps 1.1, 1.2 …; a dash marks a false one."""
        return "[" + " ".join(map(self._name_word, words)) + "]"

    def _name_word(self, word: bytes) -> str:
        if word in self.ring.names:
            return self.ring.names[word]
        words = self.true_lists.get(word, self.known.get(word))
        return "nobody's list" if words is None else self._name_list(words)


def play_all(
    law: Law,
    protocol: Protocol = SHIPPED,
    machine: Machine = MACHINE_RULES,
    *,
    sides: Iterable[Side] = tuple(Side),
    is_planted: bool = False,
    is_thin: bool = False,
) -> MatchReport:
    """All matches of a law: both sides, every false end that somebody can open.

    `is_planted`: the judge has a bug: what a sound one refuses or does not ask for is tried as well.
    `is_thin`: a smaller alphabet.
    """
    report = MatchReport(law)
    for side in sides:
        for false_root in (FALSE_ROOT, ZERO):
            ring = Ring(law, side, false_root, protocol, machine)
            if ring.true_node != ring.false_node and not report.violation:
                Matches(ring, report, is_planted=is_planted, is_thin=is_thin).run()
    return report
