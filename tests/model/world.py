"""The small world that is explored: few rounds, few false ends, one honest account, some adversaries.

Everything in it is the project's own: ids, hashes, lists, the toy machine. Nodes, accounts and places in a
match get small numbers, so that a whole state fits some dozen bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Final

from challenger.game.lists import History, Words
from challenger.game.types import Parameters
from challenger.trace.alphabet import MAX_STEPS, AlphabetProvider
from optimist.base.merkle import ZERO
from optimist.derive.commitments import (
    GENESIS_ASSERTION,
    compute_assertion_id,
    compute_input_hash,
    compute_leaf,
)
from tests.support.alphabet_liar import StepLiar
from tests.support.arena import address

ARITY: Final = 2
HONEST: Final = address(1)
NOW: Final = 1000  # the second that a decoded state is placed at: nothing depends on it
REFUND: Final = 150_000  # wei: refund of a move at a price of 1 wei
BOND: Final = 100 * REFUND  # so that every share of it is a small number of refunds
GAS_PRICE_CAP: Final = 15  # a move refunds 15 of 100 units: three moves exhaust a pot of 40


@dataclass(frozen=True, slots=True)
class Config:
    """Size of one exploration. Time is counted in ticks: what the honest player needs for one look."""

    adversaries: int
    period: int  # T, the challenge period
    censored: int  # Cmax: ticks in which nothing of the honest player lands, whichever the adversary chooses
    heights: tuple[int, int] = (2, 2)  # of input lists and step lists: their sum M is the moves of a match
    rounds: int = 1  # nested: round i + 1 is about the true end of round i
    false_ends: int = 1  # in each round
    habit: str = "watcher"  # claims while a false end lives; "always": claims every round at once
    grace: int = 1
    money: bool = False  # credits, pots, withdrawals are part of the state
    lean: bool = False  # adversaries reveal, open and move only after the honest look: README.md says why
    silent: bool = False  # adversaries never reveal: no match is played
    front_run: bool = False  # adversaries act between the honest look and the landing of what it planned
    elsewhere: bool = False  # adversaries may lose their bond in a part of the tree that nobody looks at

    @property
    def moves(self) -> int:
        """Moves of one match, the proof at its end counted."""
        return sum(self.heights) + 1

    @property
    def bound(self) -> int:
        """Ticks after the honest claim by which every false claim beside it must be dead."""
        return self.period + self.censored + self.moves // 2 + 1

    def __str__(self) -> str:
        height, steps = self.heights
        flags = ("money", "lean", "silent", "front_run", "elsewhere")
        extras = "".join(f" {name.replace('_', '-')}" for name in flags if getattr(self, name))
        return (
            f"{self.habit} E{self.adversaries} ends{1 + self.false_ends} rounds{self.rounds} "
            f"T{self.period} C{self.censored} heights {height}+{steps} grace{self.grace}{extras}"
        )


class Truth(AlphabetProvider):
    """The truth, computed once."""

    get_history = lru_cache(None)(AlphabetProvider.get_history)
    get_trace = lru_cache(None)(AlphabetProvider.get_trace)
    get_step_proof = lru_cache(None)(AlphabetProvider.get_step_proof)


class Lie(StepLiar):
    """One false history, computed once."""

    get_history = lru_cache(None)(StepLiar.get_history)
    get_trace = lru_cache(None)(StepLiar.get_trace)


def list_all(histories: Iterable[History]) -> dict[bytes, tuple[int, Words]]:
    """Every list of some histories, with its height, by its hash."""
    lists = {}
    for history in histories:
        for height in range(1, history.height + 1):
            for index in range(history.arity ** (history.height - height)):
                lists[history.node(height, index)] = (height, history.words(height, index))
    return lists


def find_input(steps: int, *, rejected: bool = False, skip: int = 0) -> bytes:
    """An input that the toy machine needs so many steps for, and rejects or not."""
    for number in count():
        item = number.to_bytes(4, "big")
        digest = compute_input_hash(item)
        fits = 1 + digest[30] % MAX_STEPS == steps and (digest[31] % 5 == 0) == rejected
        if fits and skip == 0:
            return item
        skip -= fits
    raise AssertionError("unreachable")


@dataclass(frozen=True, slots=True)
class End:
    """A node that may come to be: an answer in one of the rounds."""

    index: int
    name: str
    round: int
    id: bytes
    root: bytes
    is_true: bool
    provider: AlphabetProvider  # who believes in it


class World:
    """The fixed surroundings of all states of a configuration."""

    def __init__(self, config: Config) -> None:
        self.config = config
        height, step_height = config.heights
        self.parameters = Parameters(
            arity=ARITY,
            input_height=height,
            step_height=step_height,
            challenge_period=config.period,
            grace=config.grace,
            min_period=0,
            bond=BOND,
            gas_price_cap=GAS_PRICE_CAP,
        )
        # A range that is full but for one place: the next batch does not fit, so each round has one batch.
        inputs = ARITY**height - (1 if height > 1 else 0)
        steps = ARITY**step_height
        self.inputs = [
            [find_input(steps, skip=inputs * batch + i) for i in range(inputs)]
            for batch in range(config.rounds)
        ]
        self.truth = Truth(self.parameters, self.inputs)
        self.accounts = [HONEST, *(address(100 + i) for i in range(config.adversaries))]
        self.parents: list[bytes] = []  # of the rounds
        self.ends: list[End] = []
        self.round_ends: list[list[int]] = []
        parent = GENESIS_ASSERTION
        for number in range(config.rounds):
            self.parents.append(parent)
            self.round_ends.append([])
            true = self._add_end(f"R{number + 1}", number, self.truth)
            for i in range(config.false_ends):
                lie = Lie(self.parameters, self.inputs, target=inputs * number, step=0, salt=i + 1)
                self._add_end(f"{'XYZ'[i]}{number + 1}", number, lie)
            parent = true.id
        self.index = {end.id: end.index for end in self.ends}
        self.unions: dict[tuple[bytes, bytes], bytes] = {}
        self._list_what_may_be_opened()

    def _list_what_may_be_opened(self) -> None:
        """Lists of all lies. The honest player needs them only where a match has opened them, tops apart."""
        self.true_lists = {
            node: words
            for number in range(self.config.rounds)
            for node, (_, words) in list_all(self._get_histories(self.truth, number)).items()
        }
        self.tops: dict[bytes, Words] = {}
        self.hidden: list[bytes] = []  # hashes of the lists below them, in a fixed order
        self.hidden_words: dict[bytes, Words] = {}
        for end in self.ends:
            if end.is_true:
                continue
            for node, (height, words) in list_all(self._get_histories(end.provider, end.round)).items():
                if node in self.true_lists:
                    continue
                top = {history.root for history in self._get_histories(end.provider, end.round)}
                if node in top:
                    self.tops[node] = words
                elif height == 1:
                    self.hidden.append(node)
                    self.hidden_words[node] = words

    def _get_histories(self, provider: AlphabetProvider, number: int) -> tuple[History, History]:
        """The history of a round's range, and the trace of its first input, the one that lies are about."""
        return provider.get_history(number, number + 1), provider.get_trace(number, 0)

    def _add_end(self, name: str, number: int, provider: AlphabetProvider) -> End:
        root = provider.get_end_root(number + 1)
        assert root is not None
        node = compute_assertion_id(self.parents[number], compute_leaf(root, number + 1, ZERO))
        end = End(len(self.ends), name, number, node, root, provider is self.truth, provider)
        self.ends.append(end)
        self.round_ends[number].append(end.index)
        return end

    def unite(self, left: bytes, right: bytes) -> bytes:
        """Exclusive or of two sets of nodes."""
        if (left, right) not in self.unions:
            number = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
            self.unions[left, right] = number.to_bytes(32, "big")
        return self.unions[left, right]

    def name_of(self, account: bytes) -> str:
        """H, E1, E2 …"""
        number = self.accounts.index(account)
        return f"E{number}" if number else "H"
