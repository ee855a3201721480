"""A whole venue under random markets, crashes and hostile inputs: every invariant after every input.

What happens is counted and printed as one table. A failure names the line that replays its seed, and shrinks
it to the fewest rules that lead there. The counted run is that of docs/INVARIANTS.md, seed by seed; others by

    VENUE_FIRST_SEED=5000 pytest -m long tests/property/test_stateful_venue.py
"""

import os
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import Final

import pytest
from hypothesis import Phase

from optimist.provable import State
from optimist.stf.codes import Code
from optimist.stf.law import get_law
from tests.support.census import Census
from tests.support.edge_cases import build_edge_cases
from tests.support.frauds import FRAUDS
from tests.support.judging import BrokenInvariantError
from tests.support.rare_turns import build_histories
from tests.support.stateful import choose_seeds
from tests.support.venue import REPLAY, Venue, run_venue

INPUTS: Final = 200_000
ACCEPTED: Final = 0.6
LIQUIDATIONS: Final = 1_000
DELEVERAGINGS: Final = 50
CHUNK: Final = (10, 120)  # venues of a seed, rules of a venue
FIRST_SEED: Final = "VENUE_FIRST_SEED"  # the environment variable that names where the counted run begins
MOST_CHUNKS: Final = 120
WAVE: Final = 8  # chunks after which is looked whether it is enough, on any number of processors
SMALL: Final = (4, 30)
# No sequence of inputs leads to these: `edge_cases.py` makes the states by hand.
OUT_OF_REACH: Final = {
    Code.COUNTER_EXHAUSTED: "2^40 withdrawals or forced inputs, 2^24 epochs of a side",
    Code.VALUE_BOUND: "INIT allows no market in which a sum could reach it",
    Code.NO_COUNTERPART: "a position that nobody stands against does not exist",
}


def count_chunk(number: int) -> Census:
    """The venues of one seed, in a process of their own; what is found there is not shrunk."""
    return run_venue(number, *CHUNK, phases=(Phase.generate,))


def count_thought_of() -> Census:
    """Histories in which something rare happens, from INIT on."""
    census = Census()
    for inputs in build_histories():
        state = State()
        census.histories += 1
        for data in inputs:
            census.count(data, state.apply(get_law("minimal"), data))
    return census


def count_edge_cases() -> Census:
    """Single inputs on states that no inputs lead to."""
    census = Census()
    for case in build_edge_cases("minimal"):
        census.count(case.input, State(case.records).apply(get_law("minimal"), case.input))
    return census


def is_enough(census: Census, reached: Census) -> bool:
    """True when there is nothing to wait for."""
    return (
        census.inputs >= INPUTS
        and census.liquidations >= LIQUIDATIONS
        and census.deleveragings >= DELEVERAGINGS
        and not (set(find_missing(census)) & set(find_missing(reached)))
    )


def find_missing(census: Census) -> list[str]:
    """Codes within reach that nothing has ended with."""
    return census.never(code for code in Code if code not in OUT_OF_REACH)


def count_venues(thought_of: Census) -> Census:
    """Wave after wave, as many chunks at once as there are processors, until it is enough."""
    census = Census()
    first = int(os.environ.get(FIRST_SEED, "1000"))
    seeds = iter(range(first, first + MOST_CHUNKS))
    with ProcessPoolExecutor(min(os.cpu_count() or 1, WAVE), mp_context=get_context("spawn")) as pool:
        while not is_enough(census, thought_of) and (wave := list(islice(seeds, WAVE))):
            for counted in pool.map(count_chunk, wave):
                census.add(counted)
    return census


@pytest.mark.long
@pytest.mark.timeout(7_200)
def test_two_hundred_thousand_inputs_break_nothing_and_reach_every_code(
    capsys: pytest.CaptureFixture[str],
) -> None:
    thought_of, edges = count_thought_of(), count_edge_cases()
    census = count_venues(thought_of)
    only_thought_of = set(find_missing(census)) - set(find_missing(thought_of))
    with capsys.disabled():
        print(f"\n{census}\nreached by histories that were thought of: {sorted(only_thought_of)}")
        print(f"by edge cases alone: {sorted(code.name for code in OUT_OF_REACH)}")
    assert census.inputs >= INPUTS
    assert census.accepted_share >= ACCEPTED
    assert census.liquidations >= LIQUIDATIONS
    assert census.deleveragings >= DELEVERAGINGS
    assert census.socialised > 0
    assert census.haircuts > 0
    assert set(find_missing(census)) <= only_thought_of, "a code that nothing has ended with"
    assert not edges.never(OUT_OF_REACH)
    assert census.never(OUT_OF_REACH) == [code.name for code in OUT_OF_REACH], "within reach, after all"


@pytest.mark.timeout(300)
def test_a_venue_keeps_every_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    number = choose_seeds(1)[0]
    census = run_venue(number, *SMALL, phases=(Phase.generate,))
    with capsys.disabled():
        print(f"\nvenues of seed {number}: {census}")
    assert census.inputs >= 200
    assert census.accepted.total() >= 100


def test_what_was_thought_of_ends_as_it_should() -> None:
    """No code is out of reach of all three, and none that is called out of reach is within it."""
    thought_of, edges = count_thought_of(), count_edge_cases()
    assert not edges.never(OUT_OF_REACH)
    assert {Code.SLOTS_FULL, Code.GROUP_SHORT, Code.SESSION_NONCE} <= set(thought_of.codes)


@pytest.mark.parametrize("invariant", ["I13", "I22"])
def test_a_venue_under_another_law_is_told(invariant: str) -> None:
    fraud = next(one for one in FRAUDS if one.invariant == invariant)

    class Broken(Venue):
        patches = fraud.patches

    found: set[str] = set()
    for number in range(20):
        try:
            run_venue(number, *SMALL, machine=Broken, phases=(Phase.generate,))
        except BrokenInvariantError as error:
            found.add(error.invariant)
        except ExceptionGroup as errors:
            found |= {
                error.invariant for error in errors.exceptions if isinstance(error, BrokenInvariantError)
            }
        if invariant in found:
            return
    pytest.fail(f"found only {found}")


@pytest.mark.skipif(REPLAY not in os.environ, reason=f"replays what ${REPLAY} names: seed,venues,rules")
@pytest.mark.timeout(3_600)
def test_one_seed() -> None:
    number, examples, steps = map(int, os.environ[REPLAY].split(","))
    run_venue(number, examples, steps)
