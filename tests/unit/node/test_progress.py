"""How many inputs are posted, claimed with our own root and confirmed; and which stage that makes of each."""

from dataclasses import replace

from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.l1.events import Claimed, Confirmed, Eliminated, Event, Located, NodeCreated
from optimist.l1.types import Log
from optimist.node.ledger import Ledger
from optimist.node.progress import InputCounts
from optimist.sequencer.recent import Progress
from tests.unit.node.test_ledger import history

ZERO = bytes(32)
OWNER = b"\x11" * 20


def at(block: int, event: Event) -> Located:
    return Located(event, "Rollup", Log(b"\x01" * 20, (), b"", block, bytes(32), bytes(32), 0))


def node(number: int) -> bytes:
    return bytes([number]) * 32


def made(ledger: Ledger, batch: int, number: int, root: bytes | None = None) -> list[Located]:
    """An assertion about everything up to `batch`, with one claim."""
    end_root = root or ledger.get_end_root(batch) or ZERO
    event = NodeCreated(node(number), GENESIS_ASSERTION, ZERO, end_root, 0, batch, ZERO, batch + 1, False)
    return [at(number, event), at(number, Claimed(node(100 + number), node(number), OWNER, 0, 0))]


def count_sequenced(ledger: Ledger, batch: int) -> int:
    return sum(data[0] == 5 for number in range(2, batch + 1) for data in ledger.get_batch(number).inputs)


def test_counts_follow_assertions_that_hold_our_root_and_live() -> None:
    ledger, _ = history(5)
    counts = InputCounts()
    posted, three, four = (count_sequenced(ledger, batch) for batch in (6, 3, 4))
    assert 0 < three < four < posted
    events: list[Located] = []
    assert counts.count(ledger, events) == (posted, 0, 0)
    events += made(ledger, 5, 1, root=b"\x66" * 32)
    assert counts.count(ledger, events) == (posted, 0, 0), "somebody's other root is no claim of ours"
    events += made(ledger, 4, 2)
    assert counts.count(ledger, events) == (posted, four, 0)
    events += made(ledger, 3, 3)
    events.append(at(4, Confirmed(node(3), GENESIS_ASSERTION, 0)))
    assert counts.count(ledger, events) == (posted, four, three)
    events.append(at(5, Eliminated(node(102), node(2), ZERO, 0, 0, 0)))
    assert counts.count(ledger, events) == (posted, three, three), "final is claimed as well"


def test_reorg_takes_counts_back() -> None:
    ledger, _ = history(5)
    counts = InputCounts()
    events = [*made(ledger, 4, 2), at(4, Confirmed(node(2), GENESIS_ASSERTION, 0))]
    four = count_sequenced(ledger, 4)
    assert counts.count(ledger, events)[1:] == (four, four)
    assert counts.count(ledger, events[:2])[1:] == (four, 0)
    ledger.take_back()
    assert counts.count(ledger, [])[1:] == (0, 0)


def test_counts_go_on_over_batches_that_are_forgotten() -> None:
    ledger, _ = history(5)
    events = [*made(ledger, 4, 2), at(4, Confirmed(node(2), GENESIS_ASSERTION, 0))]
    before = InputCounts().count(ledger, events)
    ledger.forget(4)
    assert InputCounts().count(ledger, events) == before


def test_stage_of_an_input_is_the_last_one_that_it_has_come_to() -> None:
    progress = Progress(soft=40, posted=30, claimed=20, final=10)
    stages = {number: progress.find_stage(number) for number in (0, 1, 10, 11, 20, 21, 30, 31, 40, 41)}
    assert stages == {
        0: "",
        1: "final",
        10: "final",
        11: "claimed",
        20: "claimed",
        21: "posted",
        30: "posted",
        31: "soft",
        40: "soft",
        41: "",
    }
    assert replace(progress, soft=0, posted=0, claimed=0, final=0).find_stage(1) == ""
