"""One look at the game: everything that the commands show, and how bad it is."""

from dataclasses import dataclass
from functools import cached_property

from challenger.monitor.alarms import find_alarms
from challenger.monitor.assertions import view_rounds
from challenger.monitor.forecast import Forecast, forecast, view_forecast
from challenger.monitor.ledger import view_ledger
from challenger.monitor.matches import view_matches
from challenger.monitor.snapshot import Snapshot
from challenger.monitor.views import Alarm, ForecastView, LedgerView, Level, MatchView, RoundView


@dataclass(frozen=True)
class Report:
    """What the monitor has to say about a snapshot. `latency`, `defender`: see `forecast`."""

    snapshot: Snapshot
    latency: int
    defender: bytes | None = None

    @cached_property
    def rounds(self) -> list[RoundView]:
        """All questions with their answers and who stands on them."""
        return view_rounds(self.snapshot)

    @cached_property
    def matches(self) -> list[MatchView]:
        """All matches."""
        return view_matches(self.snapshot)

    @cached_property
    def false_claims(self) -> list[bytes]:
        """Claims that live on the first false answer of a path: what is below it cannot win alone."""
        return [
            claim_id
            for node_id, claims in self.snapshot.claims.items()
            if self.snapshot.opinions[node_id].culprit == node_id
            for claim_id, _ in claims
            if self.snapshot.rollup.is_live(claim_id)
        ]

    @cached_property
    def ledger(self) -> LedgerView:
        """All ether of the game."""
        return view_ledger(self.snapshot)

    @cached_property
    def future(self) -> Forecast:
        """Three futures."""
        return forecast(self.snapshot, self.latency, self.defender)

    @cached_property
    def forecasts(self) -> list[ForecastView]:
        """How the undecided rounds end."""
        return view_forecast(self.snapshot, self.future)

    @cached_property
    def alarms(self) -> list[Alarm]:
        """What a person should know, worst first."""
        return find_alarms(self.snapshot, self.ledger, self.future)

    @property
    def worst(self) -> Level:
        """The level of the worst alarm."""
        return self.alarms[0].level if self.alarms else Level.NOTICE
