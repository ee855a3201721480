"""What the devnet calls the inputs of a history."""

from typing import get_args

import pytest

from devnet.evidence.inputs import LIQUIDATE, name_kind
from optimist.derive.actions import Action, Liquidate, Sequenced
from tests.support.workload import generate_workload
from tests.support.world import build_init


@pytest.mark.parametrize("action", get_args(Action))
def test_every_action_has_a_name(action: type) -> None:
    """A name is the constant of its kind: a new kind needs no second list."""
    assert action.KIND  # type: ignore[attr-defined]  # every action has one


def test_inputs_of_a_workload_are_named() -> None:
    names = {name_kind(data) for seed in range(4) for data in generate_workload(seed).inputs}
    assert names >= {"INIT", "HEADER", "DEPOSIT", "FORCED", "PRICE", "TRADE", "WITHDRAW", "SETTLE", "UNKNOWN"}
    assert names >= {"PROPOSE_MARKET", "ENACT_MARKET", "CANCEL", "TRANSFER", "SESSION_KEY"}


def test_names_are_those_of_the_protocol() -> None:
    assert name_kind(Sequenced(0, Liquidate(1, 0)).encode()) == LIQUIDATE
    assert name_kind(build_init().encode()) == "INIT"
    assert name_kind(b"") == name_kind(b"\x09") == "UNKNOWN"
