"""What the devnet calls the inputs of a history."""

from devnet.evidence.inputs import LIQUIDATE, name_kind
from optimist.derive.actions import Liquidate, Sequenced
from tests.support.workload import generate_workload
from tests.support.world import build_init


def test_inputs_of_a_workload_are_named() -> None:
    names = {name_kind(data) for seed in range(4) for data in generate_workload(seed).inputs}
    assert names >= {"INIT", "HEADER", "DEPOSIT", "FORCED", "PRICE", "TRADE", "WITHDRAW", "SETTLE", "UNKNOWN"}
    assert names >= {
        "PROPOSE_MARKET",
        "ENACT_MARKET",
        "CANCEL",
        "CANCEL_ALL",
        "TRANSFER",
        "SESSION_KEY",
        "FEES",
    }


def test_names_are_those_of_the_protocol() -> None:
    assert name_kind(Sequenced(0, Liquidate(1, 0)).encode()) == LIQUIDATE
    assert name_kind(build_init().encode()) == "INIT"
    assert name_kind(b"") == name_kind(b"\x09") == "UNKNOWN"
