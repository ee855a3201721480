"""docs/STEPS.md has a native time for every kind of input; `make bench` measures them."""

import re

from devnet.evidence.inputs import name_kind
from optimist.prove.law import load_law
from tests.support.dearest_inputs import PRESET, build_dearest
from tests.support.step_table import PAGE

DEAREST = build_dearest()
LIMIT = 2.0  # ms


def test_every_kind_is_measured() -> None:
    kinds = set()
    for dear in DEAREST:
        outer, _, inner = dear.kind.partition(",")[0].partition(" ")
        assert name_kind(dear.input) == outer
        kinds |= {outer, inner or outer}
    handlers = load_law(PRESET).compiled.worst_steps
    assert kinds >= {name.removeprefix("apply_").upper() for name in handlers}


def test_page_has_a_time_for_every_kind() -> None:
    page = PAGE.read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| ([A-Z_, a-z]+) \| (\d\.\d\d) \|$", page, re.MULTILINE))
    assert sorted(told) == sorted(dear.kind for dear in DEAREST)
    assert all(float(taken) < LIMIT for taken in told.values())
