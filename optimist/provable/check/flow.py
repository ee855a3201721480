"""What is known at one point of a function: which names are assigned, and how far their values are narrowed.

A place is a scalar variable, or one word of a record variable. What is not known falls back to the
declared width.
"""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from optimist.provable.check import interval as iv
from optimist.provable.check.interval import Interval
from optimist.provable.check.tree import Expression, Read, ReadField, RecordKind, Variable

SPREAD: Final = 3  # places that a new bound is carried on to, one after the other
SCALAR: Final = -1  # the offset of a place that is no field


class Place(NamedTuple):
    """Where a value lives: a scalar variable (offset -1) or a word of a record variable."""

    variable: Variable
    offset: int = SCALAR


def place_of(expression: Expression) -> Place | None:
    """The place that an expression reads, if it does nothing else."""
    match expression:
        case Read(variable=variable):
            return Place(variable)
        case ReadField(record=record, offset=offset):
            return Place(record, offset)
        case _:
            return None


class Flow:
    """Knowledge at one point. Mutable; `copy` before a branch, `join` after it."""

    __slots__ = ("reachable", "assigned", "known", "stale", "least")

    def __init__(self) -> None:
        self.reachable = True
        self.assigned: dict[Variable, None] = {}
        self.known: dict[Place, Interval] = {}
        self.stale: dict[Variable, None] = {}  # changed by an earlier round, width unknown
        self.least: dict[tuple[Place, Place], int] = {}  # (a, b) -> k: a - b >= k

    def copy(self) -> "Flow":
        """An independent copy."""
        twin = Flow()
        twin.reachable = self.reachable
        twin.assigned = self.assigned.copy()
        twin.known = self.known.copy()
        twin.stale = self.stale.copy()
        twin.least = self.least.copy()
        return twin

    def forget(self, place: Place) -> None:
        """The place is about to change: drop everything that was known of it."""
        self.known.pop(place, None)
        self.least = {pair: k for pair, k in self.least.items() if place not in pair}

    def forget_record(self, record: Variable) -> None:
        """All words of a record change. Two record parameters of one class may be the same record."""
        self._forget_where(lambda place: place.offset != SCALAR and may_alias(place.variable, record))

    def forget_word(self, record: Variable, offset: int) -> None:
        """One word of a record changes."""
        self._forget_where(lambda place: place.offset == offset and may_alias(place.variable, record))

    def forget_fields(self) -> None:
        """Anything may have been written to records."""
        self._forget_where(lambda place: place.offset != SCALAR)

    def _forget_where(self, is_gone: Callable[[Place], bool]) -> None:
        self.known = {place: known for place, known in self.known.items() if not is_gone(place)}
        self.least = {(a, b): k for (a, b), k in self.least.items() if not is_gone(a) and not is_gone(b)}

    def learn(self, place: Place, interval: Interval) -> None:
        """The place is known to lie in `interval`."""
        self.known[place] = interval

    def learn_difference(self, a: Place, b: Place, least: int) -> None:
        """From here on a - b >= least."""
        if a != b:
            self.least[a, b] = max(least, self.least.get((a, b), least))

    def narrow(self, place: Place, current: Interval, bounds: Interval) -> None:
        """The place lies in `bounds` too; if that leaves nothing this point is never reached."""
        known = self.known.get(place, current)
        both = iv.intersect(iv.intersect(current, known) or known, bounds)
        if both is None:
            self.reachable = False
        else:
            self.known[place] = both
            self._spread(place, SPREAD)

    def _spread(self, place: Place, times: int) -> None:
        """Carry a new bound of one place to those that it is compared with: a <= b and b <= 7 make a <= 7."""
        here = self.known[place]
        for (a, b), least in self.least.items():
            other = b if a == place else a
            if place not in (a, b) or other not in self.known:
                continue
            there = self.known[other]
            bounds = (there.low, here.high - least) if a == place else (here.low + least, there.high)
            both = iv.intersect(there, Interval(*bounds)) if bounds[0] <= bounds[1] else None
            if both is None:
                self.reachable = False
                return
            if both != there:
                self.known[other] = both
                if times:
                    self._spread(other, times - 1)


def may_alias(a: Variable, b: Variable) -> bool:
    """Whether two record variables may be one record: only parameters can be, handed the same argument
    twice.
    """
    if a is b:
        return True
    both = isinstance(a.kind, RecordKind) and a.kind == b.kind
    return both and a.is_parameter and b.is_parameter


def join(flows: Iterable[Flow]) -> Flow:
    """What is known where several paths meet: only what all of them know."""
    reachable = [flow for flow in flows if flow.reachable]
    if not reachable:
        nowhere = Flow()
        nowhere.reachable = False
        return nowhere
    result = reachable[0].copy()
    for other in reachable[1:]:
        result.assigned = {name: None for name in result.assigned if name in other.assigned}
        result.stale |= other.stale
        result.known = {
            place: iv.hull((known, other.known[place]))
            for place, known in result.known.items()
            if place in other.known
        }
        result.least = {
            pair: min(k, other.least[pair]) for pair, k in result.least.items() if pair in other.least
        }
    return result
