"""Everything that the contracts of the game store, held against the twin word by word.

It is read through the getters, as bytes. Order and number of the words are the ABI's: a field that only one
of both has is found at once. That takes some 20 microseconds a record, cheap enough after every call.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any, Final, Protocol

from challenger.game.rollup import Rollup
from challenger.game.types import Match, State
from optimist.base.keccak import tagged
from optimist.base.tags import POSITION
from optimist.derive.commitments import compute_claim_id, compute_match_id
from optimist.l1.codec import Abi

WORD: Final = 32


class Reader(Protocol):
    """Contracts that can be read."""

    abis: dict[str, Abi]

    def read_bytes(self, contract: str, calldata: bytes) -> bytes:
        """What a view function answers."""

    def get_balance(self, contract: str) -> int:
        """Wei that a contract holds."""


def compare_whole_state(rollup: Rollup, contracts: Reader) -> None:
    """All records that the twin has, the Inbox's batches, and who holds how much. Raises AssertionError."""
    state, check = rollup.state, _Check(contracts)
    for node_id, node in state.nodes.items():
        check.record("Rollup", "getNode", node_id, node)
        check.words("Rollup", "isConfirmed", node_id, [rollup.is_confirmed(node_id)])
        check.words("Rollup", "isOpen", node_id, [rollup.is_open(node_id)])
    for round_id, asked in state.rounds.items():
        check.record("Rollup", "getRound", round_id, asked)
    for claim_id, claim in state.claims.items():
        check.record("Rollup", "getClaim", claim_id, claim)
        check.words("Rollup", "isLive", claim_id, [rollup.is_live(claim_id)])
    for address, staker in state.stakers.items():
        check.record("Rollup", "getStaker", address, staker)
    for match_id, match in state.matches.items():
        check.fields("Dispute", "getMatch", match_id, _get_match_fields(match))
    check.words("Inbox", "batchCount", b"", [state.batch_count])
    for number, batch in enumerate(state.batches):
        check.batch(number, [batch.accumulator, batch.head, batch.cumulative])
    held = contracts.get_balance("Rollup"), contracts.get_balance("Dispute")
    assert held == (state.balance + state.burnt, 0), f"wei held {held}; twin {state.balance} + {state.burnt}"


def compare_absences(state: State, contracts: Reader) -> None:
    """What the twin does not have, the contracts have not either: claims of anybody, matches of any two."""
    check = _Check(contracts)
    for node_id in state.nodes:
        for address in state.stakers:
            claim_id = compute_claim_id(node_id, address)
            if claim_id not in state.claims:
                check.nothing("Rollup", "getClaim", claim_id)
    for pair in combinations(sorted(state.claims), 2):
        if (match_id := compute_match_id(*pair)) not in state.matches:
            check.nothing("Dispute", "getMatch", match_id)


class _Check:
    def __init__(self, contracts: Reader) -> None:
        self._contracts = contracts

    def record(self, contract: str, getter: str, key: bytes, record: Any) -> None:
        """A struct whose fields the twin calls by the same names."""
        names = self._get_names(contract, getter)
        self.words(contract, getter, key, [getattr(record, name) for name in names])

    def fields(self, contract: str, getter: str, key: bytes, values: Mapping[str, int | bytes]) -> None:
        """A struct, field by field."""
        names = self._get_names(contract, getter)
        assert values.keys() == set(names), f"{getter} has the fields {names}"
        self.words(contract, getter, key, [values[name] for name in names])

    def words(self, contract: str, getter: str, key: bytes, values: Sequence[int | bytes]) -> None:
        """A struct, or one word."""
        found, expected = self._read(contract, getter, key), b"".join(map(_to_word, values))
        if found != expected:
            raise AssertionError(self._explain(contract, getter, key, found, expected))

    def batch(self, number: int, values: Sequence[int | bytes]) -> None:
        """A batch of the Inbox, as far as the game knows it: not the time of its last input."""
        found = self._read("Inbox", "getBatch", number.to_bytes(8, "big"))[: WORD * len(values)]
        assert found == b"".join(map(_to_word, values)), f"batch {number}: {found.hex()}; twin {values}"

    def nothing(self, contract: str, getter: str, key: bytes) -> None:
        """A record that is not there: all of its words are zero."""
        found = self._read(contract, getter, key)
        assert not any(found), f"{contract}.{getter}({key.hex()}) is not absent: {found.hex()}"

    def _read(self, contract: str, getter: str, key: bytes) -> bytes:
        selector = self._contracts.abis[contract].functions[getter].selector
        return self._contracts.read_bytes(contract, selector + (key.rjust(WORD, b"\0") if key else b""))

    def _get_names(self, contract: str, getter: str) -> tuple[str, ...]:
        return _get_field_names(self._contracts.abis[contract], getter)

    def _explain(self, contract: str, getter: str, key: bytes, found: bytes, expected: bytes) -> str:
        names = self._get_names(contract, getter) or (getter,)
        lines = [f"{contract}.{getter}({key.hex()}): {len(found)} bytes, the twin has {len(expected)}"]
        for i, name in enumerate(names):
            theirs, ours = found[WORD * i : WORD * (i + 1)], expected[WORD * i : WORD * (i + 1)]
            if theirs != ours:
                lines.append(f"  {name}: contracts {_show(theirs)}, twin {_show(ours)}")
        return "\n".join(lines)


@cache
def _get_field_names(abi: Abi, getter: str) -> tuple[str, ...]:
    return tuple(part.name for part in abi.functions[getter].outputs[0].components)


def _get_match_fields(match: Match) -> dict[str, int | bytes]:
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


def _to_word(value: int | bytes) -> bytes:
    return value.rjust(WORD, b"\0") if isinstance(value, bytes) else int(value).to_bytes(WORD, "big")


def _show(word: bytes) -> str:
    return str(int.from_bytes(word, "big")) if not any(word[:12]) else word.hex()
