"""What a program counts, for Prometheus. One `Metrics` a program; names begin with `optimist_`.

Two kinds, and no third (docs/adr/0056-counters-are-made-of-log-events.md):

    counters    are made of log events: whatever is logged under a name of COUNTED is counted, with its
                fields as amounts. So logs and metrics cannot tell different stories, and rooms that may not
                know of metrics are counted all the same.
    gauges      are read when somebody asks: `watch` takes a function, nothing has to be kept up to date.

Every series exists from the start, with zero, so that absence is an alarm. Labels have few values; never an
account, a hash, or an address that is not our own.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

PREFIX: Final = "optimist_"
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Labels = tuple[str, ...]
Reading = Iterable[tuple[Labels, float]]  # values by label values


@dataclass(frozen=True, slots=True)
class Counted:
    """A counter made of the log event `event`: of `amount` (a field), or of 1 for each."""

    name: str
    help: str
    event: str
    amount: str = ""


NODE_EVENTS: Final = (
    Counted("batches_derived_total", "Batches executed from L1.", "batch_derived"),
    Counted("inputs_derived_total", "Inputs executed from L1.", "batch_derived", "inputs"),
    Counted("inputs_rejected_total", "Inputs of L1 that the law rejected.", "batch_derived", "rejected"),
    Counted("batches_lost_total", "Batches that a reorg took back.", "batch_lost"),
    Counted("l1_reorgs_total", "Reorgs of L1 that were followed.", "l1_reorg"),
    Counted("l1_retries_total", "Requests to L1 that were tried again.", "l1_retry"),
    Counted("l1_failed_looks_total", "Looks at L1 that were given up.", "l1_look_failed"),
)
SENDER_EVENTS: Final = (
    Counted("tx_sent_total", "Transactions handed to L1, replacements included.", "transaction_sent"),
    Counted("tx_done_total", "Transactions that succeeded.", "transaction_done"),
    Counted("tx_gas_total", "Gas that they used.", "transaction_done", "gas"),
    Counted("tx_reverted_total", "Transactions that were mined and failed.", "transaction_reverted"),
    Counted("tx_dropped_total", "Transactions that L1 forgot; they are sent again.", "transaction_dropped"),
    Counted("tx_lost_in_reorg_total", "Mined transactions that a reorg took.", "transaction_lost_in_reorg"),
    Counted("tx_nonces_lost_total", "Nonces that somebody else's transaction used.", "foreign_nonce"),
    Counted("tx_gaps_filled_total", "Nonces used up to free those behind them.", "nonce_gap_filled"),
    Counted("tx_fee_cap_reached_total", "Replacements that the fee cap forbade.", "fee_cap_reached"),
    Counted("tx_base_fee_waits_total", "Looks at a base fee above the cap.", "base_fee_above_cap"),
    Counted("tx_insufficient_funds_total", "Refusals for want of ether.", "insufficient_funds"),
)
SEQUENCER_EVENTS: Final = (
    Counted("batches_sealed_total", "Batches that were closed.", "batch_sealed"),
    Counted("batches_posted_total", "Batches that L1 took.", "batch_posted"),
    Counted("batch_bytes_total", "Calldata of inputs that L1 took.", "batch_posted", "bytes"),
    Counted("batches_refused_total", "Batches that the Inbox refused.", "batch_refused"),
    Counted("batches_voided_total", "Times that L1 went another way than ours.", "l1_went_another_way"),
    Counted(
        "confirmations_voided_total", "Confirmed inputs that could not be kept.", "confirmed_input_voided"
    ),
    Counted("journal_full_total", "Times that the disk was full.", "journal_full"),
    Counted("claims_posted_total", "State roots that we asserted.", "state_asserted"),
    Counted("claims_confirmed_total", "Assertions that we had L1 confirm.", "state_confirmed"),
    Counted("proposals_postponed_total", "Times that L1 refused a proposal.", "proposal_postponed"),
)
CHALLENGER_EVENTS: Final = (
    Counted("acts_total", "Acts of the game that landed.", "acted"),
    Counted("acts_overtaken_total", "Acts that somebody else did before us.", "overtaken"),
    Counted("acts_refused_total", "Acts that a block refused: their gas is paid.", "refused_in_block"),
    Counted("acts_failed_total", "Acts that could not be sent.", "act_failed"),
    Counted("alarms_total", "Things that a person was told to look at.", "alarm"),
    Counted("bonds_held_back_total", "Times that no bond was put on data.", "bond_held_back"),
)


class Metrics:
    """The metrics of one program; `observe` is told of every log event."""

    def __init__(self, program: str, version: str, counted: Iterable[Counted] = (), **build: str) -> None:
        """`build`: more labels of `optimist_build_info`."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._by_event: dict[str, list[tuple[Counter, str]]] = {}
        info = {"program": program, "version": version, **build}
        self.gauge("build_info", "What runs here; always 1.", tuple(info)).labels(**info).set(1)
        self.watch("up", "Always 1: the program answers.", lambda: 1)
        started = time.time()
        self.watch("start_timestamp_seconds", "When the program was started.", lambda: started)
        self._problems = self.counter("problems_total", "Warnings and errors that were logged.", ("level",))
        for level in ("warning", "error"):
            self._problems.labels(level)
        for each in counted:
            counter = Counter(PREFIX + each.name, each.help, registry=self.registry)
            self._by_event.setdefault(each.event, []).append((counter, each.amount))

    def observe(self, level: str, event: str, fields: Mapping[str, Any]) -> None:
        """Count a log event."""
        if level in {"warning", "error"}:
            self._problems.labels(level).inc()
        for counter, amount in self._by_event.get(event, ()):
            counter.inc(float(fields.get(amount, 0)) if amount else 1)

    def gauge(self, name: str, text: str, labels: Labels = ()) -> Gauge:
        """A gauge to be set by its owner."""
        return Gauge(PREFIX + name, text, labels, registry=self.registry)

    def counter(self, name: str, text: str, labels: Labels = ()) -> Counter:
        """A counter of what is not logged, being too frequent."""
        return Counter(PREFIX + name, text, labels, registry=self.registry)

    def histogram(self, name: str, text: str) -> Histogram:
        """A histogram of seconds."""
        return Histogram(PREFIX + name, text, registry=self.registry, buckets=SECONDS)

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when somebody asks for it."""
        self.watch_many(name, text, (), lambda: [((), read())])

    def watch_many(self, name: str, text: str, labels: Labels, read: Callable[[], Reading]) -> None:
        """A gauge with labels that is read when somebody asks for it."""
        self.registry.register(_Reader(PREFIX + name, text, labels, read))


class _Reader(Collector):
    def __init__(self, name: str, text: str, labels: Labels, read: Callable[[], Reading]) -> None:
        self._describe = (name, text, labels)
        self._read = read

    def describe(self) -> Iterable[Metric]:
        name, text, labels = self._describe
        return [GaugeMetricFamily(name, text, labels=labels)]

    def collect(self) -> Iterable[Metric]:
        name, text, labels = self._describe
        family = GaugeMetricFamily(name, text, labels=labels)
        for values, value in self._read():
            family.add_metric(values, value)
        return [family]
