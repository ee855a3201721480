"""A law that breaks one invariant is told from the true one, by the name of that invariant.

The same frauds are played through the game in `tests/scenarios/test_false_results.py`.
"""

import pickle

import pytest

from optimist.provable import State
from optimist.prove.law import load_law
from optimist.stf.law import get_law
from tests.support.audited import Auditor, audit_all
from tests.support.frauds import FRAUDS, Fraud
from tests.support.judging import BrokenInvariantError, collect_broken
from tests.support.world import build_init

DOMAIN = build_init().domain
REPLAY = "I20"  # a state that keeps all other rules


@pytest.mark.parametrize("fraud", FRAUDS, ids=str)
def test_the_law_itself_breaks_nothing_on_the_way_to_a_fraud(fraud: Fraud) -> None:
    assert audit_all(DOMAIN, get_law("minimal"), fraud.inputs).accepted >= len(fraud.inputs) - 1


@pytest.mark.parametrize("fraud", FRAUDS, ids=str)
def test_a_fraud_breaks_the_invariant_that_it_is_about_and_no_other(fraud: Fraud) -> None:
    true, false = State(), State()
    law, false_law = get_law("minimal"), load_law("minimal", fraud.patches).native
    auditor = Auditor(DOMAIN)
    *before, last = fraud.inputs
    for data in before:
        receipt = true.apply(law, data)
        assert false.apply(false_law, data).writes == receipt.writes, "the laws differ before the fraud"
        auditor.judge(data, receipt)
    with collect_broken() as broken:
        auditor.judge(last, false.apply(false_law, last))
    true.apply(law, last)
    if dict(true.items()) != dict(false.items()):
        broken.add(REPLAY)
    assert broken == {fraud.invariant, REPLAY}


def test_outside_of_a_collection_the_first_broken_invariant_is_raised() -> None:
    fraud = next(one for one in FRAUDS if one.invariant == "I13")
    with pytest.raises(BrokenInvariantError, match="I13") as caught:
        audit_all(DOMAIN, load_law("minimal", fraud.patches).native, fraud.inputs)
    assert caught.value.invariant == "I13"


def test_what_a_process_finds_broken_reaches_another_with_its_replay() -> None:
    error = BrokenInvariantError("I13", "filled twice")
    error.add_note("replay: …")
    sent = pickle.loads(pickle.dumps(error))  # noqa: S301 - bytes of this line alone
    assert (str(sent), sent.invariant, sent.__notes__) == ("I13: filled twice", "I13", ["replay: …"])
