"""The invariants of the law after every input of seeded workloads, by an auditor that shares no code with it.

A failure names the workload, which replays it: `generate_workload(seed=…)`.
"""

from functools import cache

import pytest

from optimist.provable import State
from optimist.provable.program import Program
from optimist.stf.law import ENTRY, get_law, read_sources
from tests.support.audited import Auditor, Course, audit_all
from tests.support.frauds import FRAUDS
from tests.support.rare_turns import build_histories
from tests.support.workload import Storm, Workload, generate_workload
from tests.support.world import build_init

SEEDS = [*range(200, 212)]
LONG_SEEDS = [*range(1_000, 1_200)]
DOMAIN = build_init().domain


def check(workload: Workload) -> Auditor:
    """Replay a workload and audit every input of it."""
    try:
        return audit_all(DOMAIN, get_law(workload.preset), workload.inputs)
    except AssertionError as error:
        error.add_note(f"replay: check({workload})")
        raise


@pytest.mark.parametrize("preset", ["minimal", "mainnet"])
@pytest.mark.parametrize("seed", SEEDS)
def test_invariants_hold_after_every_input(seed: int, preset: str) -> None:
    count = check(generate_workload(seed, preset=preset))
    assert count.accepted >= 80
    assert count.rejected >= 30


def test_what_rounding_has_left_is_swept_in_a_liquidation_and_is_nobodys_loss() -> None:
    """Here it is six units below zero, and the fund pays it."""
    check(generate_workload(1052, count=1_200))


@pytest.mark.long
@pytest.mark.parametrize("seed", LONG_SEEDS)
def test_invariants_hold_in_long_workloads(seed: int) -> None:
    check(generate_workload(seed, count=1_500))


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_law_is_deterministic(seed: int) -> None:
    """Two replays of the same bytes, with and without known signatures, end in the same records."""
    workload = generate_workload(seed)
    first, second = State(), State()
    codes = [first.apply(get_law("minimal"), data).code for data in workload.inputs]
    second.signatures.update({})
    assert [second.apply(get_law("minimal"), data).code for data in workload.inputs] == codes
    assert list(first.items()) == list(second.items())
    assert tuple(codes) == workload.codes


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_undoing_every_receipt_leads_back_to_the_empty_state(seed: int) -> None:
    state = State()
    receipts = [state.apply(get_law("minimal"), data) for data in generate_workload(seed).inputs]
    for receipt in reversed(receipts):
        state.undo(receipt)
    assert dict(state.items()) == {}


def test_presets_differ_in_nothing_but_slots() -> None:
    """A workload that uses four slots at most ends in the same records under both."""
    workload = generate_workload(SEEDS[0])
    states = []
    for preset in ("minimal", "mainnet"):
        state = State()
        for data in workload.inputs:
            state.apply(get_law(preset), data)
        states.append(dict(state.items()))
    assert states[0] == states[1]


# (module, what the law says, what a careless edit of it says). The auditor must tell each from the law.
CARELESS_EDITS = [
    ("trade", "require(is_allowed(before, after, holdings.parts, parts), Code.BELOW_INITIAL_MARGIN)", "pass"),
    ("trade", "require(holdings.is_fresh, Code.PRICE_STALE)", "pass"),
    ("trade", "check_signature(order, offset, account, system.domain, system.clock)", "pass"),
    ("trade", "check_terms(order, fill, is_maker, fee_ppm, system.clock)", "pass"),
    (
        "trade",
        "add_to_fund(group, taker_fee + maker_fee + fill.cost",
        "add_to_fund(group, taker_fee + fill.cost",
    ),
    ("trade", "get_fee(fill.market, account.fee_tier, is_maker)", "get_fee(fill.market, 0, is_maker)"),
    ("trade", "peek(Account, maker).owner != peek(Account, taker).owner", "maker != taker"),
    ("trade", "require(is_reduced(holdings.parts, parts), Code.REDUCE_ONLY)", "pass"),
    ("trade", "require(taker_ends or maker_ends, Code.FILL_SIZE)", "pass"),
    ("trade", "order.reduce_only and parts == 0", "order.reduce_only"),
    ("fees", "return max(min(fee, after.value - kept), 0)", "return 0"),
    ("fees", "signer != 0 and signer == manager.manager", "signer != 0"),
    ("fees", "require(nonce > manager.nonce, Code.NONCE_USED)", "pass"),
    ("fees", "taker_ppm <= dearest.taker_ppm", "True"),
    ("orders", "require(order.time_in_force == GOOD_TILL_CANCELLED, Code.TAKER_ONLY)", "pass"),
    ("orders", "require(fill.size == order.size, Code.FILL_OR_KILL)", "pass"),
    ("orders", "require(order.nonce >= floor, Code.ORDER_CANCELLED)", "pass"),
    ("session", "clock <= session.expiry", "True"),
    ("session", "session.rights & right != 0", "True"),
    ("session", "if account.owner != wanted.sender:", "if False:"),
    ("cancel", "require(nonce > peek(OrderSlot, row).nonce, Code.ORDER_NONCE)", "pass"),
    ("cancel", "if account.owner != wanted.sender:", "if False:"),
    ("cancel", "max(account.order_floor, wanted.amount)", "wanted.amount"),
    ("transfer", "require(account.owner == owner, Code.OTHER_OWNER)", "pass"),
    ("transfer", "require(peek(Account, number).owner == owner, Code.OTHER_OWNER)", "pass"),
    ("transfer", "require(nonce > source.nonce, Code.NONCE_USED)", "pass"),
    ("transfer", "require(verdict == DONE, Code.BELOW_INITIAL_MARGIN)", "pass"),
    ("positions", "-fill.cost if is_buy else fill.proceeds", "-fill.proceeds if is_buy else fill.cost"),
    ("positions", "moved = fill.size if is_buy else -fill.size", "moved = fill.size"),
    ("orders", "require(filled <= order.size, Code.ORDER_OVERFILLED)", "pass"),
    ("orders", "used.nonce = order.nonce", "pass"),
    ("orders", "require(order.nonce >= used.nonce, Code.ORDER_NONCE)", "pass"),
    ("orders", "clock <= order.expiry", "True"),
    ("orders", "fee_ppm <= order.max_fee_ppm", "True"),
    ("margin", "if not is_reduced(size_before, size_after):", "if False:"),
    ("margin", ">= before.value * after.maintenance", ">= 0"),
    ("margin", "return ceil_div(notional * fraction_ppm, PPM)", "return notional * fraction_ppm // PPM"),
    ("margin", "if after.value >= after.initial:", "if after.value >= after.maintenance:"),
    ("oracle", "require(seen >> index & 1 == 0, Code.REPEATED_SIGNER)", "pass"),
    ("oracle", "parameters.quorum <= count", "1 <= count"),
    ("oracle", "i == (count - 1) // 2", "i == count // 2"),
    ("oracle", "require(signer == key, Code.PRICE_SIGNATURE)", "pass"),
    ("oracle", "publish_time <= system.clock + parameters.future_tolerance", "True"),
    ("withdrawal", "account.nonce = nonce", "pass"),
    ("withdrawal", "account.collateral - amount, Code", "account.collateral, Code"),
    ("withdrawal", "require(verdict == DONE, Code.BELOW_INITIAL_MARGIN)", "pass"),
    ("withdrawal", "require(verdict != Code.PRICE_STALE, Code.PRICE_STALE)\n", "verdict = 0\n"),
    ("withdrawal", "system.next_withdrawal = fit(u40, row + 1, Code.COUNTER_EXHAUSTED)", "pass"),
    ("forced", "if account.owner != wanted.sender:", "if False:"),
    ("forced", "collateral, enqueued_at)", "collateral, system.clock)"),
    ("forced", "account.collateral = collateral", "pass"),
    ("forced", "now = min(system.clock, enqueued_at)", "now = system.clock"),
    ("wind_down", "min(system.clock, input_uint(FORCED_ENQUEUED_AT, 5))", "system.clock"),
    ("session", "nonce <= MAX_SESSION_NONCE", "True"),
    ("liquidation", "verdict == Code.BACKSTOP_UNABLE or before.value < 0", "True"),
    ("sides", "if side.multiplier < MIN_MULTIPLIER:", "if False:"),
    ("liquidation", "require(before.value < before.maintenance, Code.NOT_LIQUIDATABLE)", "pass"),
    ("liquidation", "min(penalty, compute_surrender(before, after))", "penalty"),
    ("liquidation", "min(penalty, compute_surrender(before, after))", "compute_surrender(before, after)"),
    ("liquidation", "if not is_allowed(before, after, holdings.parts, size):", "if False:"),
    ("liquidation", "require(is_close_out(before), Code.BACKSTOP_UNABLE)", "pass"),
    ("liquidation", "min(shortfall, max(group.fund, 0))", "0"),
    ("liquidation", "max(shortfall - from_fund - bearable, 0)", "shortfall - from_fund"),
    ("liquidation", "deleverage(market_id, holdings.parts > 0,", "deleverage(market_id, holdings.parts < 0,"),
    ("sides", "to_longs = -moved * longs.multiplier", "to_longs = -moved * ONE"),
    ("sides", "side.index + given // shares", "side.index"),
    ("sides", "ceil_div(left, shares) if is_short else left // shares", "left // shares"),
    ("sides", "shares = target // worth\n", "shares = target // ONE\n"),
    ("sides", "if position.epoch == side.epoch:", "if True:"),
    ("positions", "peek(Listing, fill.market).group == get_group(account_id)", "True"),
    ("positions", "if target < 0 or target >= ONE:", "if target < 0 or target > ONE:"),
    ("settlement", "require(holdings.shares == 0, Code.STILL_OPEN)", "pass"),
    ("group", "haircut = compute_haircut(group, amount)", "haircut = min(amount, 0)"),
    ("group", "group.money = group.money - paid", "pass"),
    ("transfer", "enter_group(target_id, arriving)", "pass"),
    ("group", "group.money + amount, Code", "group.money, Code"),
    ("liquidation", "compute_quote(fill, is_buy) - shortfall", "compute_quote(fill, is_buy)"),
    ("liquidation", "max(-charge - max(group.fund + remainder, 0), 0)", "0"),
    ("group", "if now < group.held_until:", "if False:"),
    ("group", "if paid < least_paid:", "if False:"),
    ("wind_down", "require(is_dead(system, market_id, system.clock), Code.NOT_DEAD)", "pass"),
    ("wind_down", "if not is_dead(system, market_id, announced_at):", "if announced_at == 0:"),
    (
        "wind_down",
        "require(min(system.clock, input_uint(FORCED_ENQUEUED_AT, 5)) >= due, Code.CLOSING_NOT_DUE)",
        "pass",
    ),
    ("wind_down", "close_sides(market_id, mark)", "close_sides(market_id, mark + 1)"),
    ("deposit", "(account.owner == 0 or account.owner == owner) and ", ""),
    ("header", "system.clock = first", "pass"),
]


@pytest.mark.parametrize(("module", "original", "edited"), CARELESS_EDITS)
def test_auditor_notices_a_careless_edit_of_the_law(module: str, original: str, edited: str) -> None:
    sources = dict(read_sources("minimal"))
    name = f"optimist.stf.{module}"
    assert sources[name].count(original) == 1
    sources[name] = sources[name].replace(original, edited)
    law = Program(sources, ENTRY).native()

    if any(course.is_noticed(law) for course in build_courses()):
        return
    for seed in range(300, 400):  # worlds that react to what the edited law does
        storm = Storm(seed, "minimal", law)
        while len(storm.world.inputs) < 220:
            storm.step()
        true_law = get_law("minimal")
        if Course.under(true_law, DOMAIN, storm.world.inputs).is_noticed(law):
            return
    pytest.fail("a hundred workloads gave the auditor nothing to object to")


@cache
def build_courses() -> list[Course]:
    """What most edits are noticed in, quickly: from the histories that were thought of to the random ones."""
    histories = [fraud.inputs for fraud in FRAUDS] + build_histories()
    histories += [generate_workload(seed).inputs for seed in SEEDS]
    return [Course.under(get_law("minimal"), DOMAIN, inputs) for inputs in histories]


def test_the_law_takes_all_courses_without_an_objection() -> None:
    for course in build_courses():
        audit_all(DOMAIN, get_law("minimal"), course.inputs)
