"""What every program that follows L1 lets its operator see of that."""

from collections.abc import Callable
from time import monotonic
from typing import Protocol

from optimist.ops.health import Freshness, Health
from optimist.ops.metrics import Metrics


class BlockNumber(Protocol):
    """A block, as far as we care."""

    @property
    def number(self) -> int:
        """Its height."""
        ...


class Batches(Protocol):
    """What has been executed."""

    @property
    def batch_count(self) -> int:
        """Number of the last batch."""
        ...


class FollowingNode(Protocol):
    """`optimist.node.node.Node`, as far as we care."""

    @property
    def head(self) -> BlockNumber | None:
        """The last block whose events are in."""
        ...

    @property
    def timestamp(self) -> int:
        """Second of L1's newest block."""
        ...

    @property
    def finalized(self) -> int:
        """Number of the final block."""
        ...

    @property
    def is_caught_up(self) -> bool:
        """Whether nothing is left to read."""
        ...

    @property
    def heard_at(self) -> float:
        """When L1 answered last, on the monotonic clock."""
        ...

    @property
    def ledger(self) -> Batches:
        """What has been executed."""
        ...


def observe_node(
    metrics: Metrics,
    health: Health,
    node: FollowingNode,
    longest_silence: float,
    now: Callable[[], float] = monotonic,
) -> None:
    """Add the gauges and the questions about L1 and about how far we have followed it.

    longest_silence: seconds after which an L1 that does not answer, or does not move, is a reason to worry.
    """
    newest = Freshness(lambda: node.timestamp, now)

    def compute_silence() -> float:
        return now() - node.heard_at

    def read_heads() -> list[tuple[tuple[str], float]]:
        followed = node.head.number if node.head else 0
        return [(("followed",), followed), (("finalized",), node.finalized)]

    def check_l1() -> str:
        silence, age = compute_silence(), newest.look()
        if silence > longest_silence:
            return f"L1 has not answered for {silence:.0f} s: look at the endpoints of --l1-rpc"
        if age > longest_silence:
            return f"L1's newest block is the same since {age:.0f} s: does the endpoint follow the chain?"
        return ""

    def check_node() -> str:
        return "" if node.is_caught_up else f"still reading L1, at batch {node.ledger.batch_count}"

    metrics.watch_many("l1_head_number", "Blocks of L1 as this program sees it.", ("tag",), read_heads)
    metrics.watch("l1_head_timestamp_seconds", "Second of L1's newest block.", lambda: float(node.timestamp))
    metrics.watch("l1_head_age_seconds", "Since L1's newest block has changed.", newest.look)
    metrics.watch("l1_silence_seconds", "Since L1 has answered.", compute_silence)
    metrics.watch("derived_batch", "Last batch executed from L1.", lambda: node.ledger.batch_count)
    metrics.watch("node_caught_up", "1 when nothing of L1 is left to read.", lambda: float(node.is_caught_up))
    health.add("l1", check_l1)
    health.add("node", check_node)
