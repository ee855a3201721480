"""For every invariant: a result that breaks it is proven false, through the game, down to a machine step.

A proposer runs a law of its own, under which exactly that invariant is broken (`tests/support/frauds.py`; the
auditor says so in `tests/property/test_every_invariant_can_be_broken.py`), and asserts what it leads to. The
honest player knows nothing but the ledger.
"""

from functools import cache

import pytest

from devnet.liar.faults import PatchedLaw
from devnet.liar.provider import Liar
from optimist.prove.law import load_law
from tests.support.frauds import FRAUDS, Fraud
from tests.support.injection import PATIENCE, Town, fight


@cache
def build_town(fraud: Fraud) -> Town:
    """What honest nodes know of the history in which the fraud happens."""
    return Town.under_the_law(fraud.inputs)


def build_liar(fraud: Fraud) -> Liar:
    """A proposer that follows the false law."""
    own_law = load_law("minimal", fraud.patches)
    return Liar(build_town(fraud).truth, PatchedLaw(fraud.invariant), own_law=own_law, step_limit=PATIENCE)


@pytest.mark.parametrize("fraud", FRAUDS, ids=str)
def test_a_result_that_breaks_an_invariant_is_proven_false_at_a_step_of_the_input_that_breaks_it(
    fraud: Fraud,
) -> None:
    """The liar is on turn first, so that it shows the last list: the step is executed by the contract."""
    town, liar = build_town(fraud), build_liar(fraud)
    last = len(town.inputs) - 1
    roots = [town.truth.get_root_after(0, number) for number in range(last + 1)]
    assert [liar.get_root_after(0, number) for number in range(last)] == roots[:-1], "a lie before the fraud"
    assert liar.get_end_root(town.to) != town.true_end
    verdict = fight(town, liar, liar_first=True)
    assert verdict.opcode is not None, f"{fraud.story}: {verdict}"


@pytest.mark.parametrize(
    "fraud",
    [pytest.param(one, marks=[pytest.mark.long] * (i % 9 > 0)) for i, one in enumerate(FRAUDS)],
    ids=str,
)
def test_its_proposer_loses_by_the_clock_when_it_has_to_prove_it(fraud: Fraud) -> None:
    """On turn last it would have to show the step itself, and L1 executes none of its own program."""
    verdict = fight(build_town(fraud), build_liar(fraud), liar_first=False)
    assert verdict.is_late, f"{fraud.story}: {verdict}"
