"""Notes: from receipts alone, every account's collateral and positions can be rebuilt."""

from collections import Counter

import pytest

from optimist.node.receipts import describe_note
from optimist.provable import State
from optimist.stf.constants import ACCOUNT_LIMIT
from optimist.stf.law import get_law, get_program
from optimist.stf.records import Account
from tests.support.histories import rebuild
from tests.support.law_parity import strip_notes
from tests.support.ledger import Ledger
from tests.support.workload import generate_workload

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_accounts_are_what_their_notes_add_up_to_after_every_input(seed: int) -> None:
    check_workload(seed, 400)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 140))
def test_accounts_are_what_their_notes_add_up_to_in_long_workloads(seed: int) -> None:
    check_workload(seed, 2_000)


def test_workloads_note_everything_that_there_is_to_note() -> None:
    counts: Counter[str] = Counter()
    for seed in SEEDS:
        counts += check_workload(seed, 400)
    assert {name for name, _ in counts.items()} == {
        "Deposited",
        "Withdrawn",
        "Settled",
        "Filled",
        "Liquidated",
        "TakenOver",
        "Transferred",
        "Deleveraged",
        "SideScaled",
        "Haircut",
        "Held",
        "MarketProposed",
        "MarketEnacted",
        "MarketClosed",
        "WrittenOff",
    }
    assert counts.pop("Haircut") >= 2
    assert counts.pop("MarketClosed") >= 2
    assert counts.pop("WrittenOff") >= 1
    assert min(counts.values()) >= 5, counts


def test_law_without_its_notes_is_the_same_image_with_the_same_bounds() -> None:
    program = get_program("minimal")
    silent = strip_notes(program)
    assert any("note(" in text for text in program.sources.values())
    assert not any("note(" in text for text in silent.sources.values())
    told, untold = program.compile(), silent.compile()
    assert (told.image, told.worst_steps) == (untold.image, untold.worst_steps)


def check_workload(seed: int, count: int) -> Counter[str]:
    """Apply a workload, and rebuild all accounts now and then; how often each note was made."""
    workload = generate_workload(seed, count)
    state, law = State(), get_law(workload.preset)
    notes = []
    for number, data in enumerate(workload.inputs):
        noted = state.apply(law, data).notes
        notes += [describe_note(note) for note in noted]
        if number % 50 == 49:
            compare(state, notes, str(workload))
    compare(state, notes, str(workload))
    return Counter(note["type"] for note in notes)


def compare(state: State, notes: list[dict[str, object]], replay: str) -> None:
    ledger, rebuilt = Ledger(dict(state.items())), rebuild(notes)
    for account, found in ledger.all_records(Account).items():
        assert found.collateral == rebuilt[account].collateral, replay
        assert ledger.positions(account) == rebuilt[account].positions, replay
    nobodies = set(rebuilt) - set(ledger.all_records(Account))
    assert all(account >= ACCOUNT_LIMIT and not rebuilt[account].collateral for account in nobodies), replay


@pytest.mark.parametrize("seed", SEEDS)
def test_liquidation_says_why(seed: int) -> None:
    """What the account was worth and had to be worth, as everybody can compute it from the state before."""
    workload = generate_workload(seed, 400)
    state, law, seen = State(), get_law(workload.preset), 0
    for data in workload.inputs:
        before = Ledger(dict(state.items()))
        for note in map(describe_note, state.apply(law, data).notes):
            if note["type"] in ("Liquidated", "Deleveraged"):
                margin = before.rounded_margin(note["account"])
                assert (int(note["value"]), int(note["maintenance"])) == (margin.value, margin.maintenance)
                assert margin.value < margin.maintenance
                seen += 1
    assert seen
