"""Counters are made of log events: so the table of them must know the events that the source really logs."""

import ast
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from prometheus_client import generate_latest

from optimist.ops.logs import configure_logs, listen
from optimist.ops.metrics import (
    CHALLENGER_EVENTS,
    NODE_EVENTS,
    SENDER_EVENTS,
    SEQUENCER_EVENTS,
    Counted,
    Metrics,
)

REPOSITORY = Path(__file__).parents[3]
ALL = (*NODE_EVENTS, *SENDER_EVENTS, *SEQUENCER_EVENTS, *CHALLENGER_EVENTS)


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def find_logged() -> dict[str, set[str]]:
    """The fields that every event is logged with somewhere, by event."""
    found: dict[str, set[str]] = {}
    for package in ("optimist", "challenger"):
        for path in (REPOSITORY / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                    fields = {keyword.arg for keyword in node.keywords if keyword.arg}
                    found.setdefault(str(node.args[0].value), set()).update(fields)
    return found


@pytest.mark.parametrize("counted", ALL, ids=lambda each: each.name)
def test_every_counter_stands_on_an_event_that_is_logged_with_its_amount(counted: Counted) -> None:
    logged = find_logged()
    assert counted.event in logged, f"nothing logs {counted.event}: the counter would stay 0 for ever"
    assert not counted.amount or counted.amount in logged[counted.event]


def test_counter_rises_with_its_event_even_when_the_event_is_not_printed() -> None:
    out = io.StringIO()
    configure_logs("error", "json", out)
    metrics = Metrics("sequencer", "1", SEQUENCER_EVENTS)
    stop = listen(metrics.observe)
    log = structlog.get_logger("x")
    log.info("batch_posted", bytes=700)
    log.info("batch_posted", bytes=50)
    log.warning("something_odd")
    stop()
    log.info("batch_posted", bytes=1)
    text = generate_latest(metrics.registry).decode()
    assert out.getvalue() == ""
    assert "optimist_batches_posted_total 2.0" in text
    assert "optimist_batch_bytes_total 750.0" in text
    assert 'optimist_problems_total{level="warning"} 1.0' in text


def test_every_series_is_there_before_anything_has_happened() -> None:
    text = generate_latest(Metrics("p", "1", ALL).registry).decode()
    for counted in ALL:
        assert f"\noptimist_{counted.name} 0.0" in text
    assert 'optimist_problems_total{level="error"} 0.0' in text
    assert 'optimist_build_info{program="p",version="1"} 1.0' in text


def test_gauge_is_read_when_somebody_asks() -> None:
    metrics = Metrics("p", "1")
    values = [1.0, 2.0]
    metrics.watch("depth", "How deep.", lambda: values.pop(0))
    metrics.watch_many("keys", "Ether.", ("role",), lambda: [(("a",), 1), (("b",), 2)])
    assert "optimist_depth 1.0" in generate_latest(metrics.registry).decode()
    text = generate_latest(metrics.registry).decode()
    assert "optimist_depth 2.0" in text
    assert 'optimist_keys{role="b"} 2.0' in text
