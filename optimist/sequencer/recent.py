"""How far a sequenced input has come: soft, posted, claimed, final.

    soft      the sequencer has signed that it is there
    posted    it is in a batch on L1
    claimed   an assertion with this operator's own root covers it
    final     such an assertion is confirmed

Inputs are numbered from 1 in the order in which they were sequenced, and L1 keeps that order: so four counts
say it of all of them. A reorg may take counts back, and a public batch renumbers what was soft.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from optimist.derive.commitments import compute_input_hash
from optimist.sequencer.engine import Outcome

KEPT: Final = 20_000  # of the newest inputs, which can be asked for by hash: about 8 MB


@dataclass(frozen=True, slots=True)
class Progress:
    """Inputs that have come so far at least."""

    soft: int
    posted: int
    claimed: int
    final: int

    def to_json(self) -> dict[str, int]:
        """As clients see it."""
        return {"soft": self.soft, "posted": self.posted, "claimed": self.claimed, "final": self.final}

    def find_stage(self, number: int) -> str:
        """How far input `number` has come; empty when there is no such input."""
        for stage, count in reversed(self.to_json().items()):
            if 1 <= number <= count:
                return stage
        return ""


class RecentInputs:
    """The newest inputs, by hash and by number."""

    def __init__(self) -> None:
        self._by_hash: OrderedDict[bytes, int] = OrderedDict()
        self._by_number: dict[int, bytes] = {}
        self.safe = 0  # inputs that are safe on disk

    def renew(self, unposted: Iterable[bytes], count: int) -> None:
        """Begin again with the inputs that L1 does not have; the last one is number `count`."""
        self._by_hash.clear()
        self._by_number.clear()
        self.safe = count
        waiting = list(unposted)
        for number, data in enumerate(waiting, count - len(waiting) + 1):
            self._keep(number, data)

    def tell(self, made: Sequence[Outcome]) -> None:
        """These have become safe."""
        for outcome in made:
            for told, data in zip(outcome.told, outcome.inputs, strict=True):
                self._keep(told.number, data)
                self.safe = told.number

    def find_number(self, input_hash: bytes) -> int | None:
        """The number of a recent input."""
        return self._by_hash.get(input_hash)

    def find_hash(self, number: int) -> bytes | None:
        """The hash of a recent input."""
        return self._by_number.get(number)

    def _keep(self, number: int, data: bytes) -> None:
        digest = compute_input_hash(data)
        self._by_hash[digest] = number
        self._by_number[number] = digest
        if len(self._by_hash) > KEPT:
            _, oldest = self._by_hash.popitem(last=False)
            self._by_number.pop(oldest, None)
