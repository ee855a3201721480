"""Inputs of people who mean ill: each attack breaks one rule and is sound otherwise, as far as it can be.

With those of `hostile_accounts.py` (`attacks.py` has all) they reach every reject code that a sequence of
inputs can reach. The signatures are real, so that an attack is stopped by the rule that it is about.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from optimist.base.signature import CURVE_ORDER
from optimist.derive.actions import (
    Deposit,
    Header,
    Init,
    Liquidate,
    PriceUpdate,
    Sequenced,
    SignedOrder,
    Trade,
    Withdraw,
)
from optimist.derive.typed_data import Signature, WithdrawRequest
from optimist.stf import inputs
from tests.support.hostile_rules import unsound_markets
from tests.support.world import BTC, START, USD, address, build_init, forge, secret, trader

if TYPE_CHECKING:
    from tests.support.workload import Storm


# ----------------------------------------------------------------------------------------------- before INIT


def before_init(seed: int) -> list[bytes]:
    """Eight inputs that cannot precede INIT, or INITs that must not become one. All are rejected."""
    data = build_init().encode()
    unsound = [init.encode() for init in unsound_inits()]
    early = [
        Header(1, START, START).encode(),
        Deposit(1, address("trader 1"), 5).encode(),
        b"",
        bytes((9,)),
        Sequenced(START, Liquidate(1, 0)).encode(),
        data[:-1],
        data + b"\0",
        data[: inputs.INIT_MARKETS_AT] + bytes((17,)) + data[inputs.INIT_MARKETS_AT + 1 :],
    ]
    cases = unsound + early
    return [cases[(8 * seed + i) % len(cases)] for i in range(8)]


def unsound_inits() -> list[Init]:
    """One INIT for every rule that INIT has."""
    signers = build_init().signers
    changes: list[dict[str, Any]] = [
        {"signers": (*signers, address("a"), address("b"), address("c"))},
        {"quorum": 6},
        {"quorum": 2},
        {"signers": (*signers[:4], bytes(20))},
        {"signers": (*signers[:4], signers[1])},
        {"markets": ()},
        {"governor": address("governor"), "timelock": 0},
        {"backstop_owner": bytes(20)},
        {"liquidation_buffer_ppm": 1_000_001},
        {"silence": 0},
        {"window": 0},
    ]
    changes += [{"markets": (BTC, market)} for market in unsound_markets()]
    return [build_init(**change) for change in changes]


# -------------------------------------------------------------------------------------------------- bytes


def replay(storm: "Storm") -> None:
    """An input from the past, once more. Not a deposit: only the Vault writes those."""
    data = storm.random.choice(storm.world.inputs)
    if data[:1] != bytes((inputs.ORIGIN_DEPOSIT,)):
        storm.world.apply_bytes(data)


def mutate(storm: "Storm") -> None:
    """An input from the past with a few bytes changed, at the current second."""
    data = bytearray(storm.random.choice(storm.world.inputs) or b"\0")
    for _ in range(storm.random.randint(1, 3)):
        data[storm.random.randrange(len(data))] = storm.random.randrange(256)
    if data[0] == inputs.ORIGIN_SEQUENCED and len(data) > inputs.SEQUENCED_KIND_AT:
        data[1:6] = storm.world.second.to_bytes(5, "big")
    if data[0] != inputs.ORIGIN_DEPOSIT:
        storm.world.apply_bytes(bytes(data))


def cut_or_extend(storm: "Storm") -> None:
    """An input from the past, too short or too long."""
    data = storm.random.choice(storm.world.inputs)
    if data[:1] == bytes((inputs.ORIGIN_SEQUENCED,)):
        data = data[:1] + storm.world.second.to_bytes(5, "big") + data[6:]
    if storm.random.random() < 0.5:
        storm.world.apply_bytes(data[: storm.random.randint(0, max(len(data) - 1, 0))])
    else:
        storm.world.apply_bytes(data + storm.random.randbytes(storm.random.randint(1, 40)))


def garbage(storm: "Storm") -> None:
    """Random bytes, some with a first byte that means something; never a whole deposit."""
    data = storm.random.randbytes(storm.random.randint(0, 300))
    if len(data) > 0 and storm.random.random() < 0.6:
        data = bytes((storm.random.choice((0, 1, 2, 4, 6)),)) + data[1:]
    if data[:1] != bytes((inputs.ORIGIN_DEPOSIT,)):
        storm.world.apply_bytes(data)


def wrong_length(storm: "Storm") -> None:
    """Every kind with bytes missing, down to the kind alone."""
    head = bytes((inputs.ORIGIN_SEQUENCED,)) + storm.world.second.to_bytes(5, "big")
    quorum = bytes((storm.world.init.quorum,))
    body = storm.turn(
        "wrong_length",
        (
            bytes((inputs.KIND_PRICE,)) + bytes(7) + quorum + bytes(74),
            bytes((inputs.KIND_TRADE,)) + bytes(237),
            bytes((inputs.KIND_WITHDRAW,)),
            bytes((inputs.KIND_LIQUIDATE,)) + bytes(6),
            bytes((inputs.KIND_PROPOSE_MARKET,)) + bytes(239),
            bytes((inputs.KIND_ENACT_MARKET,)) + bytes(1),
        ),
    )
    storm.world.apply_bytes(head + body)


def unknown_kind(storm: "Storm") -> None:
    head = bytes((inputs.ORIGIN_SEQUENCED,)) + storm.world.second.to_bytes(5, "big")
    storm.world.apply_bytes(
        head + bytes((storm.turn("unknown_kind", (0, 99, 255)),)) + storm.random.randbytes(9)
    )


def init_again(storm: "Storm") -> None:
    storm.world.apply_bytes(storm.world.init.encode())


# --------------------------------------------------------------------------------------------------- time


def wrong_second(storm: "Storm") -> None:
    """Before the clock, or after the batch's last second."""
    second = storm.turn("wrong_second", (storm.world.system.clock - 1, START + 10**6 + 1))
    storm.world.apply_bytes(Sequenced(second, Liquidate(1, 0)).encode())


def wrong_header(storm: "Storm") -> None:
    system = storm.world.system
    batch, clock = system.batch, system.clock
    header = storm.turn(
        "wrong_header",
        (
            Header(batch, clock, clock),
            Header(batch + 2, clock, clock),
            Header(batch + 1, clock - 1, clock),
            Header(batch + 1, clock + 9, clock + 8),
            Header(batch + 1, clock, clock, 2),
        ),
    )
    storm.world.apply_bytes(header.encode())


def let_prices_age(storm: "Storm") -> None:
    """Trade, withdraw and liquidate on prices that are too old, then on the prices of one market only."""
    world = storm.world
    world.second += 11
    trade(storm)
    for account in (1, 2, 3, 4, 5, 6):
        if world.positions(account):
            world.withdraw(account, 1)
            world.force_withdraw(account, 1)
            break
    if storm.random.random() < 0.5:
        world.second += 20
        world.liquidate(storm.random.randint(1, 6), storm.random.randrange(len(world.init.markets)))
        storm.publish(0)
        for account in (1, 2, 3, 4, 5, 6):
            if 0 in world.positions(account):
                world.liquidate(account, 0)
    else:
        storm.publish(0)
        trade(storm)


# ------------------------------------------------------------------------------------------------- prices


def update(storm: "Storm", count: int | None = None, at: int | None = None) -> PriceUpdate:
    """A sound price of market 0 by the first `count` keys (default: a quorum)."""
    keys = range(storm.world.init.quorum if count is None else count)
    time = max(storm.world.second, storm.world.stored_price(0).publish_time + 1) if at is None else at
    return storm.world.price_update(0, [(key, storm.prices[0] + key) for key in keys], at=time)


def wrong_price(storm: "Storm") -> None:
    """One of the many ways in which a price can be none."""
    world, good = storm.world, update(storm)
    first = good.prices[0]
    keys = len(world.init.signers)
    wrong: list[Callable[[], PriceUpdate]] = [
        lambda: replace(good, prices=good.prices[1:]),
        lambda: replace(good, prices=(first, *good.prices[:-1])),
        lambda: replace(good, prices=good.prices[::-1]),
        lambda: replace(good, prices=(replace(first, signer=255), *good.prices[1:])),
        lambda: replace(good, prices=(replace(first, signature=forge(first.signature)), *good.prices[1:])),
        lambda: replace(good, prices=(replace(first, price=first.price - 1), *good.prices[1:])),
        lambda: replace(good, market=2),
        lambda: replace(good, market=65_535),
        lambda: update(storm, keys + 1),
        lambda: update(storm, at=world.stored_price(0).publish_time),
        lambda: update(storm, at=world.second + 61),
        lambda: world.price_update(0, [(key, 0) for key in range(keys)], at=good.publish_time),
        lambda: world.price_update(0, [(key, 1 << 60) for key in range(keys)], at=good.publish_time),
    ]
    world.act(storm.turn("wrong_price", wrong)())


# ------------------------------------------------------------------------------------------------- trades


def pair(storm: "Storm", **terms: Any) -> tuple[SignedOrder, SignedOrder]:
    """A small sound buy and sell order of two solvent accounts; `terms` go into the first."""
    price, size = storm.prices[0], terms.pop("size", 10_000)
    first, second = storm.random.sample((1, 2, 3, 4, 5, 6), 2)
    slot = storm.random.randrange(4)
    return (
        storm.world.order_units(first, True, size, price, **{"slot": slot, **terms}),
        storm.world.order_units(second, False, 10_000, price, slot=slot),
    )


def trade(storm: "Storm", **terms: Any) -> None:
    """A small sound trade, but for `terms`."""
    storm.world.act(Trade(10_000, storm.prices[0], *in_any_order(storm, pair(storm, **terms))))


def in_any_order(storm: "Storm", orders: tuple[SignedOrder, SignedOrder]) -> tuple[SignedOrder, SignedOrder]:
    return orders if storm.random.random() < 0.5 else orders[::-1]


def wrong_terms(storm: "Storm") -> None:
    """A trade that one of its orders does not permit."""
    world, price = storm.world, storm.prices[0]
    terms: list[dict[str, Any]] = [
        {"expiry": world.second - 1},
        {"max_fee_ppm": 100},
        {"slot": 16},
        {"slot": 255},
        {"nonce": 0, "size": 1 << 50},
        {"nonce": 1, "size": 1 << 50},
        {"signer": "stranger"},
    ]
    if storm.random.random() < 0.7:
        trade(storm, **storm.turn("wrong_terms", terms))
        return
    first, second = pair(storm)
    move = storm.random.choice((-1, 1))
    world.act(Trade(10_000, price + move, *in_any_order(storm, (first, second))))


def wrong_fill(storm: "Storm") -> None:
    """A size or a price that no fill can have, or more than an order has left."""
    first, second = in_any_order(storm, pair(storm))
    price = storm.prices[0]
    size, at = storm.turn(
        "wrong_fill",
        (
            (0, price),
            (999, price),
            (1 << 62, price),
            (10_000, 0),
            (10_000, 1 << 60),
            (11_000, price),
        ),
    )
    storm.world.act(Trade(size, at, first, second))


def replay_order(storm: "Storm") -> None:
    """Two orders that are filled twice."""
    first, second = pair(storm)
    fill = Trade(10_000, storm.prices[0], first, second)
    storm.world.act(fill)
    storm.world.act(fill)
    storm.world.act(Trade(10_000, storm.prices[0], first, pair(storm)[1]))


def wrong_pair(storm: "Storm") -> None:
    """Orders that do not belong together."""
    world, price = storm.world, storm.prices[0]
    one, two = storm.random.sample((1, 2, 3, 4, 5, 6), 2)
    side = storm.random.random() < 0.5
    choice = storm.turn("wrong_pair", range(3))
    if choice == 0:
        world.trade(one, one, 10_000, 50_000)
    elif choice == 1:
        orders = (
            world.order_units(one, side, 10_000, price),
            world.order_units(two, side, 10_000, price),
        )
        world.act(Trade(10_000, price, *orders))
    else:
        orders = pair(storm)
        market = storm.random.choice((2, 65_535))
        other = tuple(replace(signed, order=replace(signed.order, market=market)) for signed in orders)
        world.act(Trade(10_000, price, other[0], other[1]))


def wrong_account(storm: "Storm") -> None:
    """An account that nobody owns, or that cannot exist."""
    cases = [(choice, account) for choice in range(4) for account in (77, 1 << 36, (1 << 40) - 1)]
    choice, account = storm.turn("wrong_account", cases)
    if choice == 0:
        order = storm.world.order_units(account, True, 10_000, storm.prices[0])
        storm.world.act(Trade(10_000, storm.prices[0], *in_any_order(storm, (order, pair(storm)[1]))))
    elif choice == 1:
        request = WithdrawRequest(account, 5, 5, address("thief"), 1)
        storm.world.act(Withdraw(request, request.sign(storm.world.domain, secret("thief"))))
    elif choice == 2:
        storm.world.force_withdraw(account, 5, sender="thief")
    else:
        storm.world.liquidate(account, 0)


def wrong_signature(storm: "Storm") -> None:
    """Signatures that are forged, malleable, of another message, or no signatures at all."""
    first, second = pair(storm)
    v, r, s = first.signature
    signature = storm.turn(
        "wrong_signature",
        (
            forge(first.signature),
            Signature(55 - v, r, CURVE_ORDER - s),  # the high-s twin, valid to a careless ecrecover
            Signature(v - 27, r, s),
            Signature(v, 0, 0),
            Signature(v, (1 << 256) - 1, (1 << 256) - 1),
            second.signature,
        ),
    )
    storm.world.act(
        Trade(
            10_000,
            storm.prices[0],
            *in_any_order(storm, (replace(first, signature=signature), second)),
        )
    )


def wrong_side(storm: "Storm") -> None:
    """A flag that is neither 0 nor 1, a time in force or a tree that there is not."""
    data = bytearray(Sequenced(storm.world.second, Trade(10_000, storm.prices[0], *pair(storm))).encode())
    at = storm.turn("wrong_side", (inputs.TRADE_MAKER_AT, inputs.TRADE_MAKER_AT + inputs.ORDER_LENGTH))
    at += storm.turn("wrong_flag", FLAGS_AT)
    data[at] = storm.random.choice((4, 255))
    storm.world.apply_bytes(bytes(data))


def too_much(storm: "Storm") -> None:
    """Positions and quotes beyond margin, beyond the market's bound, beyond 64 bits."""
    world = storm.world
    one, two = storm.random.sample((1, 2, 3, 4, 5, 6), 2)
    size, price = storm.turn(
        "too_much",
        (
            (BTC.max_position, storm.prices[0]),
            (BTC.max_position + 1_000, 1),
            (1 << 61, 1),
            (BTC.max_position, (1 << 60) - 1),
        ),
    )
    size -= size % 1_000
    orders = (world.order_units(one, True, size, price), world.order_units(two, False, size, price))
    world.act(Trade(size, price, *in_any_order(storm, orders)))


def bad_price_for_the_weak(storm: "Storm") -> None:
    """Somebody below initial margin reduces at a price somewhat worse than the last one.

    Or anybody trades far from it: whoever gets the worse side may be below margin afterwards.
    """
    world, random = storm.world, storm.random
    weak = [
        account
        for account in (1, 2, 3, 4, 5, 6)
        if world.positions(account).get(0) and world.health(account)[0] < world.health(account)[2]
    ]
    if weak:
        account = random.choice(weak)
        held = world.positions(account)[0]
        other = random.choice([one for one in (1, 2, 3, 4, 5, 6) if one not in weak] or [0])
        is_buy, size = held < 0, max(abs(held) // random.choice((1, 2, 4)) // 1_000, 1) * 1_000
        worse = random.choice((5, 20, 50))
        price = storm.prices[0] * (1_000 + (worse if is_buy else -worse)) // 1_000
    else:
        account, other = random.sample((1, 2, 3, 4, 5, 6), 2)
        is_buy, size = True, storm.random_size(account, 0)
        price = storm.prices[0] * random.choice((1, 3)) // random.choice((1, 2, 3))
    if account != other:
        orders = (
            world.order_units(account, is_buy, size, price),
            world.order_units(other, not is_buy, size, price),
        )
        world.act(Trade(size, price, *in_any_order(storm, orders)))


# -------------------------------------------------------------------------------------------------- money


def wrong_withdrawal(storm: "Storm") -> None:
    world = storm.world
    account = storm.random.randint(1, 6)
    change: dict[str, Any] = storm.turn(
        "wrong_withdrawal",
        (
            {"amount": 0},
            {"recipient": bytes(20)},
            {"nonce": world.account(account).nonce},
            {"signer": "thief"},
            {"amount": 10**13},
            {"amount": (1 << 64) - 1},
            {"amount": 1, "least_paid": 2},
        ),
    )
    world.withdraw(account, change.pop("amount", USD), **change)


def wrong_force(storm: "Storm") -> None:
    """Forced inputs that cannot be carried out: each ends in an outcome."""
    world = storm.world
    account = storm.random.randint(1, 6)
    choice = storm.turn("wrong_force", range(9))
    if choice == 0:
        world.force_withdraw(account, 5, sender="thief")
    elif choice == 1:
        world.force_withdraw(account, 0)
    elif choice == 2:
        world.force_withdraw(account, (1 << 64) - 1)
    elif choice == 3:
        world.force_withdraw(account, 10**13)
    elif choice == 4:
        payload = bytes((storm.random.choice((0, 2, 3, 6, 9, 255)),))
        world.force(payload + storm.random.randbytes(storm.random.randint(0, 40)), trader(account))
    elif choice == 5:
        world.force_action(storm.random.choice((Liquidate(77, 0), Liquidate(0, 0), Liquidate(account, 9))))
    elif choice == 6:
        good = update(storm)
        world.force_action(replace(good, prices=good.prices[1:]))
    elif choice == 7:
        world.force_withdraw(account, 1, least_paid=2)
    else:
        world.force_withdraw(account, USD, enqueued_at=world.second + 1_000)


def odd_deposit(storm: "Storm") -> None:
    """Deposits that cannot be credited, and one that comes back as money."""
    account, owner = storm.turn(
        "odd_deposit", ((1, "thief"), (1 << 36, "trader 1"), ((1 << 40) - 1, "trader 2"))
    )
    storm.world.deposit_units(account, storm.random.randint(1, 10**9), owner=owner)


def cut_deposit(storm: "Storm") -> None:
    data = Deposit(1, address("trader 1"), 5).encode()
    storm.world.apply_bytes(storm.turn("cut_deposit", (data[:-1], data + b"\0", data[:1])))


def wrong_liquidation(storm: "Storm") -> None:
    account, market = storm.turn(
        "wrong_liquidation",
        (
            (0, 0),
            (77, 0),
            (1, 2),
            (1, 65_535),
            (storm.random.randint(1, 6), 0),
            (storm.random.randint(1, 6), 1),
        ),
    )
    storm.world.liquidate(account, market)


FLAGS_AT: Final = (
    inputs.ORDER_IS_BUY_AT,
    inputs.ORDER_REDUCE_ONLY_AT,
    inputs.ORDER_TIME_IN_FORCE_AT,
    inputs.ORDER_DEPTH_AT,
    inputs.ORDER_INDEX_AT,
)


ATTACKS: Final[tuple[Callable[["Storm"], None], ...]] = (
    replay,
    mutate,
    mutate,
    cut_or_extend,
    garbage,
    wrong_length,
    unknown_kind,
    init_again,
    wrong_second,
    wrong_header,
    let_prices_age,
    wrong_price,
    wrong_price,
    wrong_terms,
    wrong_terms,
    wrong_fill,
    wrong_fill,
    replay_order,
    wrong_pair,
    wrong_account,
    wrong_signature,
    wrong_side,
    too_much,
    bad_price_for_the_weak,
    wrong_withdrawal,
    wrong_force,
    odd_deposit,
    cut_deposit,
    wrong_liquidation,
)
