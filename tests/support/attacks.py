"""All that people who mean ill try: each attack in its turn."""

from typing import TYPE_CHECKING, Final

from tests.support import hostile, hostile_accounts, hostile_rules

if TYPE_CHECKING:
    from tests.support.workload import Storm

ATTACKS: Final = (*hostile.ATTACKS, *hostile_accounts.ATTACKS, *hostile_rules.ATTACKS)


def attack(storm: "Storm") -> None:
    """The attack whose turn it is."""
    storm.turn("attack", ATTACKS)(storm)
