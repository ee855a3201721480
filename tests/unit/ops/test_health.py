from dataclasses import dataclass, field

from prometheus_client import generate_latest

from optimist.ops.health import Freshness, Health
from optimist.ops.metrics import Metrics
from optimist.ops.observing import observe_node


@dataclass
class Block:
    number: int = 7


@dataclass
class Ledger:
    batch_count: int = 3


@dataclass
class Node:
    """What is observed of a node, and the clock beside it."""

    head: Block | None = field(default_factory=Block)
    timestamp: int = 1_000
    finalized: int = 5
    is_caught_up: bool = True
    heard_at: float = 0.0
    ledger: Ledger = field(default_factory=Ledger)


def observe(node: Node, clock: list[float]) -> tuple[Health, Metrics]:
    health, metrics = Health(), Metrics("watcher", "1")
    observe_node(metrics, health, node, 60, lambda: clock[0])
    return health, metrics


def test_ready_means_no_question_has_a_reason() -> None:
    health = Health()
    reason = [""]
    health.add("journal", lambda: reason[0])
    assert health.find_reasons() == {}
    reason[0] = "the disk is full"
    assert health.find_reasons() == {"journal": "the disk is full"}


def test_l1_that_does_not_answer_is_a_reason_and_an_age() -> None:
    node, clock = Node(), [0.0]
    health, metrics = observe(node, clock)
    for second in range(0, 60, 10):  # it answers, and moves on
        clock[0] = node.heard_at = float(second)
        node.timestamp += 12
        assert health.find_reasons() == {}
    clock[0] = 111.0
    assert "has not answered for 61 s" in health.find_reasons()["l1"]
    assert "optimist_l1_silence_seconds 61.0" in generate_latest(metrics.registry).decode()


def test_l1_that_answers_but_stands_still_is_a_reason_too() -> None:
    node, clock = Node(), [0.0]
    health, _ = observe(node, clock)
    clock[0] = node.heard_at = 61.0
    assert "the same since 61 s" in health.find_reasons()["l1"]
    node.timestamp += 12
    assert health.find_reasons() == {}


def test_node_that_still_reads_is_not_ready() -> None:
    node = Node(is_caught_up=False)
    health, metrics = observe(node, [0.0])
    assert "at batch 3" in health.find_reasons()["node"]
    text = generate_latest(metrics.registry).decode()
    assert 'optimist_l1_head_number{tag="followed"} 7.0' in text
    assert 'optimist_l1_head_number{tag="finalized"} 5.0' in text
    assert "optimist_node_caught_up 0.0" in text


def test_freshness_counts_from_the_last_change() -> None:
    clock, value = [5.0], [1]
    fresh = Freshness(lambda: value[0], lambda: clock[0])
    clock[0] = 9.0
    assert fresh.look() == 4
    value[0] = 2
    assert fresh.look() == 0
    clock[0] = 10.0
    assert fresh.look() == 1
