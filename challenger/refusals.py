"""Acts that L1 refuses although they stay due. Pure; times in seconds.

Refused once, an act was done by somebody else, and the next look does not want it any more. Wanted and
refused for minutes it is no race: an endpoint shows one L1 to readers, and another one to senders. The same
holds of an act that is said to have landed, and is due all the same.
"""

from dataclasses import dataclass, replace
from typing import Final

PATIENCE: Final = 120.0  # for which an act may be refused again and again: ten blocks
PAUSE: Final = 300.0  # without a refusal, after which it is forgotten: some looks compute for minutes


@dataclass(frozen=True, slots=True)
class _Span:
    act: str
    reason: str
    first: float
    last: float


class Refusals:
    """What was refused, why, and for how long."""

    def __init__(self) -> None:
        self._spans: dict[str, _Span] = {}

    def note(self, act: str, reason: str, now: float) -> None:
        """The act was refused; `act` names its function before a colon."""
        known = self._spans.get(act)
        if known is None or now - known.last > PAUSE:
            known = _Span(act, reason, now, now)
        self._spans[act] = replace(known, reason=reason, last=now)

    def describe_lasting(self, now: float) -> str:
        """What has been refused for too long, in words; empty when nothing has."""
        self._spans = {act: span for act, span in self._spans.items() if now - span.last <= PAUSE}
        lasting = [span for span in self._spans.values() if span.last - span.first >= PATIENCE]
        if not lasting:
            return ""
        oldest = min(lasting, key=lambda span: span.first)
        return (
            f"L1 goes on refusing what it lets us do ({oldest.act.partition(':')[0]}: {oldest.reason}): the "
            "endpoint that takes our transactions is wrong, or the one that shows us L1"
        )
