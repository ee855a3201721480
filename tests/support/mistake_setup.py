"""What mistakes begin with: a match in some stage, a claim."""

from typing import Final

from challenger.game.types import Match
from challenger.strategy import acts
from tests.support.misprint import Choose
from tests.support.twin_table import Table

STRANGER: Final = b"\x99" * 20
NOWHERE: Final = b"\x77" * 32


def begin(table: Table, choose: Choose, kind: str, moves: int) -> Match | None:
    """A match of the truth against a liar, so many moves old."""
    round_id = table.get_fresh_round()
    liar = table.make_liar(kind, round_id, choose(range(32)), choose(range(1, 4)))
    providers = choose(((table.truth, liar), (liar, table.truth)))
    match = table.begin_fight(round_id, providers, swap=choose((False, True)))
    if match is not None:
        table.play(match, moves)
    return match


def begin_by_stage(table: Table, choose: Choose) -> Match | None:
    """A match in any of its stages."""
    height, steps = table.parameters.input_height, table.parameters.step_height
    moves = choose((0, height - 1, height, height + 1, height + steps, height + steps))
    return begin(table, choose, choose(("step", "step", "padding")), moves)


def claim_something(table: Table, choose: Choose, kind: str = "truth") -> bytes | None:
    """A newcomer's claim, unrevealed."""
    round_id = table.get_fresh_round()
    lie = None if kind == "truth" else table.make_liar(kind, round_id, choose(range(32)), choose(range(1, 4)))
    return table.stand(table.meet(), lie or table.truth, round_id)


def collect(table: Table, claim: bytes, opponent: bytes) -> None:
    """The owner of a claim, whom nothing else stands in the way of, asks for its refund."""
    table.call(table.state.claims[claim].owner, acts.Collect(claim, opponent))
