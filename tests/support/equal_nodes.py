"""Whether two nodes believe the same: every batch, every root, every record and every event."""

from optimist.node.node import Node


def assert_equal_nodes(ours: Node, theirs: Node) -> None:
    """Both have looked at the same head of L1."""
    mine, other = ours.ledger, theirs.ledger
    assert (mine.batch_count, mine.forgotten) == (other.batch_count, other.forgotten)
    for number in range(1, mine.batch_count + 1):
        assert mine.get_end(number) == other.get_end(number)
        if number > mine.forgotten:
            assert mine.get_applied(number) == other.get_applied(number)
            assert mine.get_records(number) == other.get_records(number)
    assert dict(mine.state.items()) == dict(other.state.items())
    assert list(ours.events) == list(theirs.events)
    assert (ours.queue_start, ours.queue_length) == (theirs.queue_start, theirs.queue_length)
    assert ours.get_queue(theirs.queue_start) == theirs.get_queue(theirs.queue_start)
