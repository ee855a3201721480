"""Everything that the contracts of the game store, held against the twin word by word.

It is read through the getters, as bytes. Order and number of the words are the ABI's: a field that only one
of both has is found at once. That takes some 20 microseconds a record, cheap enough after every call.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any, Final, Protocol

from challenger.game.rollup import Rollup
from challenger.game.types import Match
from optimist.base.keccak import tagged
from optimist.base.tags import POSITION
from optimist.derive.commitments import compute_claim_id, compute_match_id
from optimist.l1.codec import Abi

WORD: Final = 32
Word = int | bytes


class Reader(Protocol):
    """Contracts that can be read."""

    abis: dict[str, Abi]

    def read_many(self, reads: Iterable[tuple[str, bytes]]) -> bytes:
        """What getters answer, one after the other; each is (contract, selector and one word)."""

    def get_balance(self, contract: str) -> int:
        """Wei that a contract holds."""


def compare_whole_state(rollup: Rollup, contracts: Reader, sealed_at: Sequence[int]) -> None:
    """All records that the twin has, the Inbox's batches, and who holds how much. Raises AssertionError.

    sealed_at: by batch, the last second of its inputs, which the game has no use for.
    """
    state, check = rollup.state, Check(contracts)
    for node_id, node in state.nodes.items():
        check.record("Rollup", "getNode", node_id, node)
    for round_id, asked in state.rounds.items():
        check.record("Rollup", "getRound", round_id, asked)
    for claim_id, claim in state.claims.items():
        check.record("Rollup", "getClaim", claim_id, claim)
    for address, staker in state.stakers.items():
        check.record("Rollup", "getStaker", address, staker)
    for match_id, match in state.matches.items():
        check.fields("Dispute", "getMatch", match_id, _get_match_fields(match))
    check.words("Inbox", "batchCount", b"", [state.batch_count])
    for number, (batch, last) in enumerate(zip(state.batches, sealed_at, strict=True)):
        words: dict[str, Word] = {"acc": batch.accumulator, "head": batch.head}
        words |= {"cum": batch.cumulative, "last": last}
        check.fields("Inbox", "getBatch", number.to_bytes(8, "big"), words)
    check.run()
    held = contracts.get_balance("Rollup"), contracts.get_balance("Dispute")
    assert held == (state.balance + state.burnt, 0), f"wei held {held}; twin {state.balance} + {state.burnt}"


def compare_predicates_and_absences(rollup: Rollup, contracts: Reader) -> None:
    """What follows from the records; and what the twin does not have, the contracts have not either.

    Absent are claims of anybody on anything, and matches of any two. Raises AssertionError.
    """
    state, check = rollup.state, Check(contracts)
    for node_id in state.nodes:
        check.words("Rollup", "isConfirmed", node_id, [rollup.is_confirmed(node_id)])
        check.words("Rollup", "isOpen", node_id, [rollup.is_open(node_id)])
        for address in state.stakers:
            claim_id = compute_claim_id(node_id, address)
            check.words("Rollup", "isLive", claim_id, [rollup.is_live(claim_id)])
            if claim_id not in state.claims:
                check.nothing("Rollup", "getClaim", claim_id)
    for pair in combinations(sorted(state.claims), 2):
        if (match_id := compute_match_id(*pair)) not in state.matches:
            check.nothing("Dispute", "getMatch", match_id)
    check.run()


class Check:
    """Collects what is to be read and what it should be, so that it is one call."""

    def __init__(self, contracts: Reader) -> None:
        self._contracts = contracts
        self._reads: list[tuple[str, str, bytes]] = []  # contract, getter, key
        self._words: list[bytes] = []  # by read

    def words(self, contract: str, getter: str, key: bytes, words: Sequence[Word]) -> None:
        """A struct, or one word."""
        self._reads.append((contract, getter, key))
        self._words.append(b"".join(map(_to_word, words)))

    def record(self, contract: str, getter: str, key: bytes, record: Any) -> None:
        """A struct whose fields the twin calls by the same names."""
        names = _get_field_names(self._contracts.abis[contract], getter)
        self.words(contract, getter, key, [getattr(record, name) for name in names])

    def fields(self, contract: str, getter: str, key: bytes, values: Mapping[str, Word]) -> None:
        """A struct, field by field."""
        names = _get_field_names(self._contracts.abis[contract], getter)
        assert values.keys() == set(names), f"{getter} has the fields {names}"
        self.words(contract, getter, key, [values[name] for name in names])

    def nothing(self, contract: str, getter: str, key: bytes) -> None:
        """A record that is not there."""
        names = _get_field_names(self._contracts.abis[contract], getter)
        self.words(contract, getter, key, [0] * len(names))

    def run(self) -> None:
        """Read it all. Raises AssertionError with every word that differs."""
        found = self._contracts.read_many(map(self._encode, self._reads))
        if found != b"".join(self._words):
            raise AssertionError("\n".join(["contracts and twin differ:", *self._explain(found)]))

    def _encode(self, read: tuple[str, str, bytes]) -> tuple[str, bytes]:
        contract, getter, key = read
        selector = self._contracts.abis[contract].functions[getter].selector
        return contract, selector + key.rjust(WORD, b"\0")

    def _explain(self, found: bytes) -> Iterator[str]:
        at = 0
        for (contract, getter, key), expected in zip(self._reads, self._words, strict=True):
            names = _get_field_names(self._contracts.abis[contract], getter) or (getter,)
            for i, name in enumerate(names):
                ours, theirs = expected[WORD * i : WORD * (i + 1)], found[at : at + WORD]
                at += WORD
                if ours != theirs:
                    where = f"{contract}.{getter}({key.hex()}).{name}"
                    yield f"  {where}: contracts {_show(theirs)}, twin {_show(ours)}"
        if at != len(found):
            yield f"  the contracts answer {len(found)} bytes, not {at}"


@cache
def _get_field_names(abi: Abi, getter: str) -> tuple[str, ...]:
    return tuple(part.name for part in abi.functions[getter].outputs[0].components)


def _get_match_fields(match: Match) -> dict[str, Word]:
    stands = match.position
    batch = stands.batch.to_bytes(8, "big")
    return {
        "position": tagged(POSITION, stands.round, *stands.nodes, stands.prev, batch, stands.rest),
        "start": match.start,
        "last": match.last,
        "clock_a": match.clocks[0],
        "clock_b": match.clocks[1],
        "height": match.height,
        "stage": match.stage,
        "turn_b": match.turn,
        "moves_a": match.moves[0],
        "moves_b": match.moves[1],
    }


def _to_word(value: Word) -> bytes:
    return value.rjust(WORD, b"\0") if isinstance(value, bytes) else int(value).to_bytes(WORD, "big")


def _show(word: bytes) -> str:
    return str(int.from_bytes(word, "big")) if not any(word[:12]) else word.hex()
