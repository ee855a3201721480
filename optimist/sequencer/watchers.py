"""Who wants to know what has become safe on disk, in the order in which it happened."""

from collections.abc import Callable, Sequence

from optimist.sequencer.engine import Outcome

Watcher = Callable[[Sequence[Outcome]], None]


class Watchers:
    """Functions to call; they must not raise, and not wait."""

    def __init__(self) -> None:
        self._told: list[Watcher] = []
        self._renewed: list[Callable[[], None]] = []

    def add(self, tell: Watcher, renew: Callable[[], None]) -> None:
        """`tell`: with everything that happened; `renew`: when head and books were made anew."""
        self._told.append(tell)
        self._renewed.append(renew)

    def tell(self, made: Sequence[Outcome]) -> None:
        """Tell everybody what has become safe."""
        for tell in self._told:
            tell(made)

    def renew(self) -> None:
        """Tell everybody that head and books were made anew: what was known of them may be wrong."""
        for renew in self._renewed:
            renew()
