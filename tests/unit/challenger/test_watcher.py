"""The watcher's verdicts, from events and our own roots alone."""

from challenger.watcher import Status, Verdict, judge
from optimist.base.keccak import keccak
from optimist.base.merkle import ZERO
from optimist.derive.commitments import GENESIS_ASSERTION, compute_assertion_id, compute_leaf
from optimist.l1.events import Confirmed, Event, Located, NodeCreated
from optimist.l1.types import Log

ROOTS = {1: keccak(b"one"), 2: keccak(b"two")}
LIE = keccak(b"lie")
NOWHERE = Log(bytes(20), (), b"", 0, ZERO, ZERO, 0)


class OwnRoots:
    def get_end_root(self, batch: int) -> bytes | None:
        return ROOTS.get(batch)


def assertion(parent: bytes, start: int, to: int, root: bytes) -> NodeCreated:
    end = compute_leaf(root, to, ZERO)
    node = compute_assertion_id(parent, end)
    return NodeCreated(node, parent, end, root, start, to, ZERO, to + 1, False)


def look(*events: Event) -> list[tuple[Verdict, Status, bool]]:
    located = [Located(event, "Rollup", NOWHERE) for event in events]
    return [(each.verdict, each.status, each.is_alarming) for each in judge(located, OwnRoots())]


TRUE = assertion(GENESIS_ASSERTION, 0, 1, ROOTS[1])
FALSE = assertion(GENESIS_ASSERTION, 0, 1, LIE)
BELOW_FALSE = assertion(FALSE.node, 1, 2, ROOTS[2])
UNKNOWN = assertion(TRUE.node, 1, 3, LIE)


def test_the_root_of_our_own_execution_decides() -> None:
    assert look(TRUE, FALSE, UNKNOWN) == [
        (Verdict.AGREE, Status.OPEN, False),
        (Verdict.DISAGREE, Status.OPEN, True),
        (Verdict.UNKNOWN, Status.OPEN, False),
    ]


def test_a_rejected_lie_is_no_alarm_and_takes_what_stands_on_it_along() -> None:
    won = Confirmed(TRUE.node, GENESIS_ASSERTION, 0)
    assert look(TRUE, FALSE, BELOW_FALSE, won) == [
        (Verdict.AGREE, Status.CONFIRMED, False),
        (Verdict.DISAGREE, Status.REJECTED, False),
        (Verdict.DISAGREE, Status.REJECTED, False),
    ]


def test_a_confirmed_lie_is_an_alarm_for_ever() -> None:
    won = Confirmed(FALSE.node, GENESIS_ASSERTION, 0)
    assert look(FALSE, won) == [(Verdict.DISAGREE, Status.CONFIRMED, True)]


def test_genesis_is_nobodys_claim() -> None:
    genesis = NodeCreated(GENESIS_ASSERTION, ZERO, compute_leaf(ZERO, 0, ZERO), ZERO, 0, 0, ZERO, 1, False)
    assert look(genesis) == []


def test_a_true_root_below_a_false_assertion_is_false_and_names_the_culprit() -> None:
    deeper = assertion(BELOW_FALSE.node, 2, 3, LIE)
    located = [Located(event, "Rollup", NOWHERE) for event in (TRUE, FALSE, BELOW_FALSE, deeper)]
    _, false, below, unexecuted = judge(located, OwnRoots())
    assert below.own == below.claimed
    assert (below.verdict, below.is_alarming, below.culprit) == (Verdict.DISAGREE, True, FALSE.node)
    assert FALSE.node.hex() in below.reason
    assert (unexecuted.verdict, unexecuted.own, unexecuted.culprit) == (Verdict.DISAGREE, None, FALSE.node)
    assert false.culprit == FALSE.node
