"""When a batch is closed: when it is full, when it is old, and in between when L1 is cheap. Pure.

    full                            at once
    younger than `age`              not yet
    L1 is cheap                     now
    L1 is dear                      at `longest_age`: those who wait for L1 wait no longer than that
    `pipeline` batches wait for L1  not before it is full: L1 is slow or away, and fewer, larger batches
                                    catch up sooner and cost less

A batch that waits too long is refused by the Inbox for ever (MAX_DELAY); long before that the door closes.

A chain on which nothing happens gets an empty batch at every `heartbeat`, or at a quarter of the silence
after which the law calls a market dead, if that is less: whoever sees L1 alone sees that somebody is there.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cadence:
    """Times in seconds, fees in wei per gas, sizes in bytes."""

    age: float = 10.0
    longest_age: float = 600.0
    heartbeat: float = 21_600.0
    cheap_base_fee: int = 0  # up to this base fee L1 is cheap; 0: always
    pipeline: int = 3
    row_bytes: int = 100_000  # calldata; a transaction has at most 128 KiB
    backlog_bytes: int = 8 << 20  # inputs that L1 does not have; then the door closes
    waiting: int = 1_000  # actions at the door at once; the next one is told to come back
    journal_bytes: int = 1 << 24  # of a file of the journal; then a snapshot begins the next one

    def is_due(self, *, age: float, is_full: bool, unposted: int, base_fee: int) -> bool:
        """Whether the open batch is closed now. `unposted`: closed ones that L1 does not have."""
        if is_full:
            return True
        if age < self.age or unposted >= self.pipeline:
            return False
        is_cheap = not self.cheap_base_fee or base_fee <= self.cheap_base_fee
        return is_cheap or age >= self.longest_age

    def is_silent(self, *, idle: float, silence: int, unposted: int) -> bool:
        """Whether an empty batch is opened now. `idle`: since the last batch; `silence`: the law's.

        What waits for L1 already says all that an empty batch could say.
        """
        return not unposted and idle >= min(self.heartbeat, silence / 4)
