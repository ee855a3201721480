"""What playing costs: ceilings over measured gas, the reserve, and who is owed what."""

import json
from dataclasses import replace
from pathlib import Path

from challenger.costs import (
    GAS,
    compute_bill,
    compute_dispute_gas,
    compute_refund,
    compute_reserve,
    compute_stand,
)
from challenger.game.types import Parameters
from challenger.strategy import acts
from challenger.trace.alphabet import MACHINE_RULES, AlphabetProvider
from optimist.derive.commitments import GENESIS_ASSERTION
from tests.support.alphabet_liar import StepLiar
from tests.support.arena import Arena, address

SNAPSHOT = Path(__file__).parents[3] / "solidity" / "snapshots" / "game-gas.json"
GWEI = 10**9
REAL = Parameters()
HONEST, LIAR = address(1), address(2)


def test_no_act_costs_more_than_we_say_and_none_much_less() -> None:
    """Figures of the contracts' own tests. `prove` is left out: there it runs with a toy machine."""
    measured: dict[str, int] = {}
    for name, gas in json.loads(SNAPSHOT.read_text()).items():
        function = name.split()[0]
        measured[function] = max(measured.get(function, 0), int(gas))
    compared = (GAS.keys() & measured.keys()) - {"prove"}
    assert len(compared) >= 8
    for function in compared:
        assert measured[function] <= GAS[function] <= measured[function] * 5 // 4, function
    assert measured["prove"] < GAS["prove"]


def test_one_dispute_is_what_one_party_pays_in_it() -> None:
    """Eleven moves in all, six of them ours at most; the toy dispute of both sides is above half of it."""
    gas = compute_dispute_gas(REAL)
    assert gas == 125_000 + 5 * 100_000 + 125_000 + 250_000 + 60_000
    assert compute_dispute_gas(replace(REAL, input_height=7)) == gas + 100_000


def test_the_reserve_is_twice_what_all_rivals_can_cost() -> None:
    one = compute_dispute_gas(REAL) * 100 * GWEI
    assert compute_reserve(REAL, 3, 100 * GWEI) == 6 * one
    assert compute_reserve(REAL, 0, 100 * GWEI) == 2 * one, "the first rival finds us ready"


def test_the_reserve_is_for_the_price_up_to_which_refunds_are_paid() -> None:
    assert compute_bill(REAL, 30 * GWEI, 1, 500 * GWEI).reserve_price == REAL.gas_price_cap
    assert compute_bill(REAL, 30 * GWEI, 1, 40 * GWEI).reserve_price == 40 * GWEI


def test_a_refund_is_bounded_by_the_cap_and_by_the_pot() -> None:
    assert compute_refund(REAL, 30 * GWEI) == 6 * 150_000 * 30 * GWEI
    assert compute_refund(REAL, 900 * GWEI) == compute_refund(REAL, REAL.gas_price_cap)
    assert compute_refund(replace(REAL, bond=10**15), 30 * GWEI) == 4 * 10**14


def test_locked_due_and_refunds_are_what_the_game_pays_in_the_end() -> None:
    parameters = Parameters(
        arity=2, input_height=3, step_height=4, challenge_period=40, grace=2, min_period=1
    )
    inputs = [[b"a"], [b"b", b"c", b"d", b"e"]]
    truth, liar = AlphabetProvider(parameters, inputs), StepLiar(parameters, inputs, 2, 0)
    arena = Arena(parameters, MACHINE_RULES, truth.batches)
    arena.now = 10
    asked = arena.state.rounds[GENESIS_ASSERTION]
    root = liar.get_end_root(asked.to)
    assert root is not None
    arena.play(LIAR, acts.Stake())
    arena.play(LIAR, acts.AssertState(GENESIS_ASSERTION, root, asked.to, truth.batches[asked.to].accumulator))
    seen_pending = seen_refunds = seen_due = 0
    for _ in range(90):
        plan = arena.plan(HONEST, truth)
        for act in plan.acts:
            if not isinstance(act, acts.Collect | acts.ClaimCredit | acts.Withdraw):
                arena.play(HONEST, act)
        arena.look_and_act(LIAR, liar)
        stand = compute_stand(parameters, arena.state, HONEST)
        seen_pending, seen_refunds = max(seen_pending, stand.pending), max(seen_refunds, stand.refunds)
        seen_due = max(seen_due, stand.due)
        arena.now += 1
    assert seen_pending == seen_due == parameters.bond // 10, "the bounty, before and after the confirmation"
    assert seen_refunds > 0
    before = compute_stand(parameters, arena.state, HONEST)
    assert before.locked == parameters.bond
    assert compute_stand(parameters, arena.state, LIAR).locked == 0
    everybody = compute_stand(parameters, arena.state, None)
    assert (everybody.locked, everybody.due) == (before.locked, before.due)
    arena.base_fee = parameters.gas_price_cap
    for _ in range(3):
        arena.look_and_act(HONEST, truth)
    after = compute_stand(parameters, arena.state, HONEST)
    assert (after.locked, after.due, after.pending, after.refunds) == (0, 0, 0, 0)
    assert arena.paid_out == before.locked + before.due + before.refunds
