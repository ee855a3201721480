"""The parity suite sees mistakes: every named mutant of the slow step and of the contract is caught."""

import random

import pytest

from tests.support.mutant_hunt import is_python_mutant_caught, is_solidity_mutant_caught
from tests.support.step_mutants import PYTHON, SOLIDITY, Mutant

SAMPLE = 5  # mutants of each language in a short run

_rng = random.Random(20)
PYTHON_SAMPLE = _rng.sample(PYTHON, SAMPLE)
SOLIDITY_SAMPLE = _rng.sample(SOLIDITY, SAMPLE)


def _name(mutant: Mutant) -> str:
    return mutant.name


def test_there_are_enough_mutants() -> None:
    for mutants in (PYTHON, SOLIDITY):
        assert len(mutants) >= 50
        assert len({mutant.name for mutant in mutants}) == len(mutants)


def test_step_as_it_is_passes() -> None:
    assert not is_python_mutant_caught(None)
    assert not is_solidity_mutant_caught(None)


@pytest.mark.parametrize("mutant", PYTHON_SAMPLE, ids=_name)
def test_mutant_of_the_slow_step_is_caught(mutant: Mutant) -> None:
    assert is_python_mutant_caught(mutant)


@pytest.mark.parametrize("mutant", SOLIDITY_SAMPLE, ids=_name)
def test_mutant_of_the_contract_is_caught(mutant: Mutant) -> None:
    assert is_solidity_mutant_caught(mutant)


@pytest.mark.long
@pytest.mark.parametrize("mutant", PYTHON, ids=_name)
def test_every_mutant_of_the_slow_step_is_caught(mutant: Mutant) -> None:
    assert is_python_mutant_caught(mutant)


@pytest.mark.long
@pytest.mark.parametrize("mutant", SOLIDITY, ids=_name)
def test_every_mutant_of_the_contract_is_caught(mutant: Mutant) -> None:
    assert is_solidity_mutant_caught(mutant)
