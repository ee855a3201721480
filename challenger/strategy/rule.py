"""What a rule is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from challenger.strategy.acts import Act
from challenger.strategy.view import View


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that the player cannot mend: a person has to look."""

    text: str


Wishes = Iterator[Act | Alarm]


@dataclass(frozen=True, slots=True)
class Rule:
    """One habit of the honest player: its function's name, and the reason in its docstring."""

    propose: Callable[[View], Wishes]
    is_help: bool = False  # for claims of others: a choice, where the other rules defend what is ours

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return self.propose.__name__.replace("_", " ")

    @property
    def rationale(self) -> str:
        """Why leaving it out would lose."""
        return " ".join((self.propose.__doc__ or "").split())
