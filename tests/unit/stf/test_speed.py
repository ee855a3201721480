"""No input keeps a sequencer for 2 ms, its signatures aside; all of them in a world that is full."""

import re

import pytest

from devnet.evidence.inputs import name_kind
from optimist.prove.law import load_law
from tests.support.dearest_inputs import PRESET, Dear, build_dearest, measure
from tests.support.step_table import PAGE

DEAREST = build_dearest()
LIMIT = 2.0  # ms


@pytest.mark.parametrize("dear", DEAREST, ids=lambda dear: dear.kind)
def test_input_takes_less_than_two_milliseconds(dear: Dear) -> None:
    """The best of some tries: one that a machine was too busy for proves nothing about the law."""
    assert min(measure(dear, 5) for _ in range(9)) < LIMIT


def test_every_kind_is_measured() -> None:
    handlers = load_law(PRESET).compiled.worst_steps
    assert {name_kind(dear.input) for dear in DEAREST} == {
        name.removeprefix("apply_").upper() for name in handlers
    }


def test_page_has_a_time_for_every_kind() -> None:
    page = PAGE.read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| ([A-Z_, a-z]+) \| (\d\.\d\d) \|$", page, re.MULTILINE))
    assert sorted(told) == sorted(dear.kind for dear in DEAREST)
    assert all(float(taken) < LIMIT for taken in told.values())
