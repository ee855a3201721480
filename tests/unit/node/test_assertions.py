"""The last assertion that is confirmed for good: by the block of its confirmation, not of its making."""

from optimist.l1.events import Confirmed, Event, Located, NodeCreated
from optimist.l1.types import Log
from optimist.node.assertions import find_final

ZERO = bytes(32)
NODES = [bytes((number,)) * 32 for number in range(4)]


def at(block: int, event: Event) -> Located:
    return Located(event, "Rollup", Log(b"\x01" * 20, (), b"", block, bytes(32), bytes(32), 0))


def made(number: int) -> NodeCreated:
    return NodeCreated(
        NODES[number], NODES[number - 1], ZERO, ZERO, number, number + 1, ZERO, number + 2, False
    )


STORY = [
    at(1, made(1)),
    at(2, made(2)),
    at(3, made(3)),
    at(10, Confirmed(NODES[1], NODES[0], 0)),
    at(12, Confirmed(NODES[2], NODES[1], 0)),
]


def test_confirmation_counts_when_its_own_block_is_final() -> None:
    found = {finalized: find_final(STORY, finalized) for finalized in range(15)}
    assert {finalized for finalized, event in found.items() if event is None} == set(range(10))
    assert found[10] == found[11] == made(1)
    assert found[12] == found[14] == made(2)


def test_nothing_is_final_where_nothing_was_confirmed() -> None:
    assert find_final(STORY[:3], 1_000) is None
    assert find_final([], 1_000) is None
