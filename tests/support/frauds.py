"""One fraud for every invariant: a law under which it is broken, and a history in which that law breaks it.

A `Fraud` is played by `tests/property/test_every_invariant_can_be_broken.py` (the auditor must name exactly
that invariant) and by `tests/scenarios/test_false_results.py` (a result that breaks it must be proven false
through the game). All inputs of a history could stand on L1; the last one is where the false law differs.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from optimist.derive.actions import Trade
from optimist.prove.law import Patch
from optimist.stf.records import WindDown
from tests.support.world import ETH, FREE, START, USD, World

BTC_01: Final = 10**7
RICH: Final = 1_000_000


@dataclass(frozen=True)
class Fraud:
    """What a sequencer with a law of its own would do."""

    invariant: str
    story: str
    patches: tuple[Patch, ...]
    play: Callable[[World], object]
    name: str = ""  # where several break one invariant

    def __str__(self) -> str:
        return self.name or self.invariant

    @property
    def inputs(self) -> tuple[bytes, ...]:
        """The history, from INIT on. Built under the true law, which takes the last input otherwise."""
        world = build_world()
        self.play(world)
        return tuple(world.inputs)


def build_world() -> World:
    """Seven owners with money, two markets, prices. Nobody has traded."""
    # The rate of ETH is its interest: what the law finds when nobody has a premium.
    paying = replace(ETH, interest=10**8, damper=10**8, max_rate=10**7)
    world = World(markets=(FREE, paying), timelock=1)
    for account in (1, 2, 3, 4, 5):
        world.deposit(account, 300 if account == 1 else 10_000)
    world.price(0, 50_000)
    world.price(1, 2_000)
    return world


def patch(module: str, old: str, new: str) -> Patch:
    """Another text in one module of the law."""
    return Patch(f"optimist.stf.{module}", old, new)


def tick(world: World, usd: int, market: int = 0) -> None:
    """A second later, another price."""
    world.second += 1
    world.price(market, usd)


def deposit(world: World) -> None:
    world.deposit(2, 500)


def buy(world: World) -> None:
    world.trade(2, 3, BTC_01, 50_000)


def buy_too_much(world: World) -> None:
    """4 times what 300 USD allow."""
    world.trade(2, 1, 5 * BTC_01, 50_000)


def sell_below_value(world: World) -> None:
    """Account 1 is below its initial margin, and closes a half at a price that ruins it."""
    world.trade(2, 1, BTC_01, 50_000)
    tick(world, 51_000)
    world.act(
        Trade(
            BTC_01 // 2,
            54_000 * 10**8,
            world.order(2, False, BTC_01 // 2, 54_000),
            world.order(1, True, BTC_01 // 2, 54_000),
        )
    )


def liquidate_healthy(world: World) -> None:
    world.deposit(0, RICH)
    world.trade(3, 2, BTC_01, 50_000)
    tick(world, 50_001)
    world.liquidate(3)


def liquidate_bankrupt(world: World) -> None:
    """The backstop takes over 0.1 BTC that lack 200 USD."""
    world.deposit(0, RICH)
    world.trade(1, 2, BTC_01, 50_000)
    tick(world, 45_000)
    world.liquidate(1)


def deleverage(world: World) -> None:
    """Account 1 is worth 50 USD, and nobody takes over its 0.1 BTC."""
    world.trade(1, 2, BTC_01, 50_000)
    tick(world, 47_500)
    world.liquidate(1)


def deleverage_bankrupt(world: World) -> None:
    """Account 1 lacks 2,700 USD: the other side bears 3 % of the notional, the group the rest."""
    world.trade(1, 2, BTC_01, 50_000)
    tick(world, 20_000)
    world.liquidate(1)


def settle_after_deleveraging(world: World) -> None:
    """What the three others are paid a share is no whole number of units."""
    world.withdraw(1, 7)
    for account, size in ((2, 3_000_000), (3, 3_000_000), (4, 4_000_000)):
        world.trade(1, account, size, 50_000)
    tick(world, 47_512)
    world.liquidate(1)
    world.settle(2)


def accrue(world: World) -> None:
    """Longs pay shorts 1 % an hour, for a second."""
    world.trade(2, 3, 10**6, 2_000, market=1)
    tick(world, 2_000, market=1)


def price_without_quorum(world: World) -> None:
    world.second += 1
    world.price(0, 40_000, keys=(0, 1))


def trade_on_a_stale_price(world: World) -> None:
    world.second += 60
    world.trade(2, 3, BTC_01, 50_000)


def withdraw_twice(world: World) -> None:
    """The same signed request, once more."""
    world.withdraw(2, 100 * USD)
    world.apply_bytes(world.inputs[-1])


def fill_an_order_twice(world: World) -> None:
    """The same two orders meet again."""
    world.trade(2, 3, BTC_01, 50_000)
    world.apply_bytes(world.inputs[-1])


def grow_with_a_reduce_only_order(world: World) -> None:
    world.trade(2, 3, BTC_01, 50_000)
    size = BTC_01 // 10
    orders = (world.order(3, False, size, 50_000), world.order(2, True, size, 50_000, reduce_only=True))
    world.act(Trade(size, 50_000 * 10**8, *orders))


def cancel(world: World) -> None:
    world.cancel_all(2, 50)


def withdraw_from_a_group_with_a_loss(world: World) -> None:
    deleverage_bankrupt(world)
    world.withdraw(3, 1_000 * USD)


def withdraw_too_much(world: World) -> None:
    """All that account 2 has, with a position open."""
    world.trade(2, 3, BTC_01, 50_000)
    world.withdraw(2, 9_900 * USD)


def liquidate_on_a_stale_price(world: World) -> None:
    world.deposit(0, RICH)
    world.trade(1, 2, BTC_01, 50_000)
    tick(world, 47_500)
    world.second += 60
    world.liquidate(1)


def close_a_market(world: World) -> None:
    """Nobody sequences any more. The closing is announced, and carried out when it is due."""
    world.trade(2, 3, BTC_01, 50_000)
    world.pass_silence(world.record(WindDown, 0).silence)
    world.close()
    world.pass_silence(world.record(WindDown, 0).window)
    world.close()


def withdraw_while_losses_are_counted(world: World) -> None:
    close_a_market(world)
    world.withdraw(4, 100 * USD)


def force_a_withdrawal(world: World) -> None:
    world.force_withdraw(2, 100 * USD, enqueued_at=START)


def withdraw_as_a_thief(world: World) -> None:
    world.withdraw(2, 100 * USD, to="thief", signer="thief")


def buy_for_a_fee(world: World) -> None:
    world.trade(2, 3, 10**6, 2_000, market=1)


def begin_a_batch(world: World) -> None:
    world.second += 5
    world.open_batch()


def fall(world: World) -> None:
    tick(world, 49_000)


def enact_too_early(world: World) -> None:
    world.propose(0, replace(FREE, maintenance_margin_ppm=40_000))
    world.enact(0)


FRAUDS: Final = (
    Fraud(
        "I1",
        "a second deposit brings what was there once more: money from nothing",
        (
            patch(
                "deposit",
                "account.collateral = total",
                "account.collateral = max(min(total + account.collateral, MAX_COLLATERAL), total)",
            ),
        ),
        deposit,
    ),
    Fraud(
        "I2",
        "whoever sells becomes long as well: sizes do not sum to zero",
        (patch("positions", "moved = fill.size if is_buy else -fill.size", "moved = fill.size"),),
        buy,
    ),
    Fraud(
        "I3",
        "what a side pays is rounded up: payments sum to more than nothing",
        (
            patch(
                "margin",
                "account.collateral + holdings.owed // unit, Code",
                "account.collateral + ceil_div(holdings.owed, unit), Code",
            ),
            patch(
                "margin",
                "left = funding.remainder + holdings.owed % unit",
                "left = funding.remainder + holdings.owed % unit - unit",
            ),
        ),
        settle_after_deleveraging,
    ),
    Fraud(
        "I4",
        "a healthy account ends below its initial margin",
        (patch("margin", "if after.value >= after.initial:", "if after.initial >= after.initial:"),),
        buy_too_much,
    ),
    Fraud(
        "I4",
        "more is withdrawn than is free",
        (
            patch(
                "withdrawal",
                "if collateral + holdings.value < holdings.initial:",
                "if collateral + holdings.value < 0:",
            ),
        ),
        withdraw_too_much,
        name="I4 by a withdrawal",
    ),
    Fraud(
        "I5",
        "an unhealthy account gets worse",
        (
            patch(
                "margin",
                "return after.value * before.maintenance >= before.value * after.maintenance",
                "return after.maintenance * before.maintenance >= 0",
            ),
        ),
        sell_below_value,
    ),
    Fraud(
        "I6",
        "a healthy account is liquidated",
        (
            patch(
                "liquidation",
                "require(before.value < before.maintenance, Code.NOT_LIQUIDATABLE)",
                "require(before.value >= before.maintenance, Code.NOT_LIQUIDATABLE)",
            ),
        ),
        liquidate_healthy,
    ),
    Fraud(
        "I7",
        "a bankrupt account is closed and left with its debt",
        (
            patch(
                "liquidation",
                "charge = compute_charge(before, after, penalty)",
                "charge = max(compute_charge(before, after, penalty), 0)",
            ),
        ),
        liquidate_bankrupt,
    ),
    Fraud(
        "I8",
        "whoever is deleveraged is closed at the mark: an account keeps what belongs to its counterparts",
        (
            patch(
                "liquidation",
                "surrender = compute_surrender(before, after)",
                "surrender = min(compute_surrender(before, after), 0)",
            ),
        ),
        deleverage,
    ),
    Fraud(
        "I9",
        "the funding index moves by an hour where a second has passed",
        (
            patch(
                "funding",
                "pay_funding(funding, market_id, funding.rate * index_price * seconds)",
                "pay_funding(funding, market_id, funding.rate * index_price * min(seconds * 3_600, 3_600))",
            ),
        ),
        accrue,
    ),
    Fraud(
        "I10",
        "two of five keys make a price",
        (
            patch(
                "oracle",
                "require(parameters.quorum <= count <= parameters.signers, Code.NO_QUORUM)",
                "require(1 <= count <= parameters.signers, Code.NO_QUORUM)",
            ),
        ),
        price_without_quorum,
    ),
    Fraud(
        "I11",
        "a trade on a price that is a minute old",
        (
            patch(
                "freshness",
                "return price.publish_time + heartbeat >= now",
                "return price.publish_time + heartbeat + 3_600 >= now",
            ),
        ),
        trade_on_a_stale_price,
    ),
    Fraud(
        "I11",
        "a liquidation on a price that is a minute old",
        (
            patch(
                "freshness",
                "return price.publish_time + heartbeat >= now",
                "return price.publish_time + heartbeat + 3_600 >= now",
            ),
        ),
        liquidate_on_a_stale_price,
        name="I11 by a liquidation",
    ),
    Fraud(
        "I12",
        "a signed withdrawal is carried out twice",
        (
            patch(
                "withdrawal",
                "require(nonce > account.nonce, Code.NONCE_USED)",
                "require(nonce >= account.nonce, Code.NONCE_USED)",
            ),
        ),
        withdraw_twice,
    ),
    Fraud(
        "I13",
        "an order is filled twice",
        (
            patch(
                "orders",
                "require(filled <= order.size, Code.ORDER_OVERFILLED)",
                "require(used.filled <= order.size, Code.ORDER_OVERFILLED)",
            ),
        ),
        fill_an_order_twice,
    ),
    Fraud(
        "I15",
        "a reduce-only order opens more",
        (
            patch(
                "trade",
                "require(is_reduced(holdings.parts, parts), Code.REDUCE_ONLY)",
                "require(parts == parts, Code.REDUCE_ONLY)",
            ),
        ),
        grow_with_a_reduce_only_order,
    ),
    Fraud(
        "I20",
        "a cancellation is left out: a state that keeps every rule, and is not what the inputs lead to",
        (
            patch(
                "cancel",
                "require(nonce > account.order_floor, Code.ORDER_CANCELLED)",
                "require(nonce < account.order_floor, Code.ORDER_CANCELLED)",
            ),
        ),
        cancel,
    ),
    Fraud(
        "I21",
        "money leaves a group with a loss whole",
        (
            patch(
                "group",
                "haircut = compute_haircut(group, amount)",
                "haircut = min(compute_haircut(group, amount), 0)",
            ),
        ),
        withdraw_from_a_group_with_a_loss,
    ),
    Fraud(
        "I21",
        "money leaves a group while the losses of a closed market are still being counted",
        (
            patch(
                "group",
                "if now < group.held_until:",
                "if now + 3_600_000 < group.held_until:",
            ),
        ),
        withdraw_while_losses_are_counted,
        name="I21 after a closing",
    ),
    Fraud(
        "I22",
        "a forced withdrawal is refused to its owner",
        (
            patch(
                "forced",
                "if account.owner != wanted.sender:",
                "if account.owner == wanted.sender:",
            ),
        ),
        force_a_withdrawal,
    ),
    Fraud(
        "wind-down",
        "a dead market is closed at half its price",
        (patch("wind_down", "close_sides(market_id, mark)", "close_sides(market_id, mark // 2)"),),
        close_a_market,
    ),
    Fraud(
        "authority",
        "anybody's signature withdraws",
        (
            patch(
                "withdrawal",
                "require(signer == account.owner, Code.NOT_SIGNED_BY_OWNER)",
                "require(signer != 0, Code.NOT_SIGNED_BY_OWNER)",
            ),
        ),
        withdraw_as_a_thief,
    ),
    Fraud(
        "fees",
        "nobody pays a fee",
        (
            patch(
                "trade",
                "full_fee = compute_fee(fill, fee_ppm, most_rebate)",
                "full_fee = compute_fee(fill, 0, most_rebate)",
            ),
        ),
        buy_for_a_fee,
    ),
    Fraud(
        "frame",
        "a batch begins, and the clock stands still",
        (patch("header", "system.clock = first", "system.clock = min(first, system.clock)"),),
        begin_a_batch,
    ),
    Fraud(
        "mark",
        "the price at which positions are valued never falls",
        (
            patch(
                "oracle",
                "price.mark = compute_mark(median, premium, peek(RiskRule, market_id).mark_cap_ppm)",
                "price.mark = max(price.mark, "
                "compute_mark(median, premium, peek(RiskRule, market_id).mark_cap_ppm))",
            ),
        ),
        fall,
    ),
    Fraud(
        "rules",
        "new rules bind before their time",
        (
            patch(
                "timelock",
                "require(system.clock >= not_before, Code.PROPOSAL_NOT_DUE)",
                "require(system.clock + 10 >= not_before, Code.PROPOSAL_NOT_DUE)",
            ),
        ),
        enact_too_early,
    ),
)
