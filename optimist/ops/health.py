"""Whether a program is ready, and if not, why: named questions, each answered by a reason or by nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import structlog

log = structlog.get_logger(__name__)

Check = Callable[[], str]  # the reason why the program is not ready; "" when all is well


@dataclass(slots=True)
class Health:
    """Asked by /readyz, by /metrics, and once a second by the heartbeat, which logs every change."""

    checks: dict[str, Check] = field(default_factory=dict)
    _last: dict[str, str] = field(default_factory=dict)
    _was_ready: bool = False

    def add(self, name: str, check: Check) -> None:
        """One more question."""
        self.checks[name] = check

    def find_reasons(self) -> dict[str, str]:
        """Why the program is not ready, by the name of the question; empty when it is."""
        answers = {name: check() for name, check in self.checks.items()}
        return {name: reason for name, reason in answers.items() if reason}

    def report_changes(self) -> None:
        """Log which questions have got another kind of answer since the last time.

        A program that starts is not ready yet: that is no warning.
        """
        found = self.find_reasons()
        self._was_ready |= not found
        speak = log.warning if self._was_ready else log.info
        for name in found.keys() - self._last.keys():
            speak("not_ready", what=name, reason=found[name])
        for name in self._last.keys() - found.keys():
            log.info("ready_again", what=name)
        self._last = found


class Freshness:
    """Whether something goes on moving: for an L1 that answers, but always the same."""

    def __init__(self, read: Callable[[], object], now: Callable[[], float] = monotonic) -> None:
        self._read = read
        self._now = now
        self._last = read()
        self._moved_at = now()

    def look(self) -> float:
        """Seconds since it has moved."""
        value = self._read()
        if value != self._last:
            self._last = value
            self._moved_at = self._now()
        return self._now() - self._moved_at
