"""How many sequenced inputs are posted, claimed and final, by what a node has seen of L1. Pure."""

from collections.abc import Sequence

from optimist.l1.events import Located
from optimist.node.assertions import Assertion, AssertionTree
from optimist.node.ledger import Ledger, UnknownBatch


class InputCounts:
    """Counts of sequenced inputs; looks at events that it has not seen yet only."""

    def __init__(self) -> None:
        self._tree = AssertionTree(())
        self._seen: list[Located] = []

    def count(self, ledger: Ledger, events: Sequence[Located]) -> tuple[int, int, int]:
        """Inputs that are posted; up to our own root asserted last; up to the assertion confirmed last."""
        self._follow(events)
        claimed = max(
            (each.to for each in self._tree.assertions if _is_ours(each, ledger)),
            default=0,
        )
        final = self._tree.last_confirmed.to
        posted = ledger.last.soft_number if ledger.last else 0
        return posted, count_inputs(ledger, max(claimed, final)), count_inputs(ledger, final)

    def _follow(self, events: Sequence[Located]) -> None:
        known = len(self._seen)
        if known > len(events) or (known and events[known - 1] is not self._seen[-1]):
            self._tree, self._seen, known = AssertionTree(()), [], 0  # a reorg took some back
        for located in events[known:]:
            self._tree.take(located)
            self._seen.append(located)


def count_inputs(ledger: Ledger, batch: int) -> int:
    """Sequenced inputs up to and with `batch`, 0 where it is not known here."""
    if batch == 0 or batch > ledger.batch_count:
        return 0
    try:
        return ledger.get_applied(batch).soft_number
    except UnknownBatch:
        end = ledger.get_end(batch)
        # What is no header, no queue item and not INIT, was sequenced.
        return end.input_count - end.queue_next - batch


def _is_ours(assertion: Assertion, ledger: Ledger) -> bool:
    if not (assertion.confirmed or assertion.live) or assertion.to > ledger.batch_count:
        return False
    return ledger.get_end_root(assertion.to) == assertion.end_root
