"""Inputs of every kind in a world where everything is full: what the law has to do at most, or nearly.

The mainnet preset: sixteen markets with three further margin tiers, a volatility floor and margin that rises
with open interest, seven oracle keys that all sign, and accounts that hold a position in every market.

    python -m tests.support.dearest_inputs        prints the table of docs/STEPS.md
"""

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from optimist.base.signature import recover
from optimist.derive.actions import Tier, Trade
from optimist.derive.order_tree import OrderTree
from optimist.derive.typed_data import Signature, sign_digest
from optimist.provable import Receipt, State
from optimist.stf.constants import GROUP_BITS, PERPETUAL_FEED
from optimist.stf.law import get_law
from tests.support.world import FREE, OK, PRICE, USD, World, address, secret

PRESET: Final = "mainnet"
MARKETS: Final = 16
KEYS: Final = 7
BTC_01: Final = 10**7
RULES: Final = replace(
    FREE,
    maker_fee_ppm=100,
    taker_fee_ppm=500,
    interest=100_000,
    damper=500_000,
    max_rate=5_000_000,
    tiers=tuple(Tier(n * 2_000 * USD, 50_000 + 10_000 * n, 30_000 + 5_000 * n) for n in (1, 2, 3)),
    open_interest_lower=1_000 * USD,
    open_interest_upper=10_000_000_000 * USD,
    volatility_multiplier_ppm=1_000_000,
)


@dataclass(frozen=True)
class Dear:
    """An input that the law accepts, on the state where it is dear."""

    kind: str
    records: Mapping[int, bytes]
    input: bytes


class FullWorld(World):
    """Accounts 0 to 3 hold a position in every market; a price of all keys is a second old."""

    def __init__(self) -> None:
        signers = tuple(address(f"oracle {key}") for key in range(KEYS))
        super().__init__(PRESET, markets=(RULES,) * MARKETS, signers=signers, quorum=KEYS)
        for account in range(4):
            self.deposit(account, 1_000_000)
        self.say_prices(50_000)
        for market in range(MARKETS):
            assert self.trade(1, 0, BTC_01, 50_000, market=market) == OK
            assert self.trade(2, 3, BTC_01 * 2, 50_000, market=market) == OK
        self.second += 1
        self.say_prices(50_001)

    def apply_bytes(self, data: bytes) -> Receipt:
        """Apply, and keep the state before."""
        self.before = dict(self.state.items())
        return super().apply_bytes(data)

    def restore(self, records: Mapping[int, bytes]) -> None:
        """Back into a state."""
        for key in {**self.records, **records}:
            self.state.set_bytes(key, records.get(key))

    def say_prices(self, usd: int) -> None:
        """Both feeds of every market, signed by all keys."""
        for market in range(MARKETS):
            self.say(PERPETUAL_FEED + market, usd + 1)
            self.say(market, usd)

    def say(self, feed: int, usd: int) -> None:
        update = self.price_update(feed, [(key, usd * PRICE + key) for key in range(KEYS)])
        assert self.act(update) == OK

    def lend(self, account: int) -> None:
        assert self.lend_key(account, 1, f"key of {account}") == OK

    def trade_from_trees(self) -> None:
        """Two session keys, each with one of eight orders under its signature."""
        signed = []
        for account, is_buy in ((1, False), (3, True)):
            orders = tuple(
                self.order_units(account, is_buy, BTC_01, 50_000 * PRICE, slot=slot).order
                for slot in range(8)
            )
            tree = OrderTree(orders)
            digest = tree.digest(self.domain)
            signature = Signature(*sign_digest(digest, secret(f"key of {account}")))
            signed.append(tree.split(signature, key=1)[5])
        assert self.act(Trade(BTC_01, 50_000 * PRICE, *signed)) == OK


def weaken(world: FullWorld, account: int, left: int) -> None:
    """Leave an account `left` (USD) above what its positions cost it."""
    world.put_collateral(account, world.account(account).collateral - (1_000_000 - left) * USD)


def build_price(world: FullWorld) -> None:
    world.second += 1
    world.say(0, 50_010)


def build_trade(world: FullWorld) -> None:
    world.lend(1)
    world.lend(3)
    world.trade_from_trees()


def build_liquidate(world: FullWorld) -> None:
    """A part of one of sixteen positions, taken over by a backstop with sixteen of its own."""
    weaken(world, 3, 5_000)
    assert world.liquidate(3, 5) == OK


def build_deleveraging(world: FullWorld) -> None:
    weaken(world, 3, 1_000)
    world.put_collateral(0, 0)
    assert world.liquidate(3, 5) == OK


def build_settle(world: FullWorld) -> None:
    """A short that went when the last long was deleveraged."""
    world.put_collateral(0, 0)
    for account in (1, 2):
        weaken(world, account, 1_000)
        assert world.liquidate(account, 5) == OK
    assert world.settle(3, 5) == OK


def build_reduce(world: FullWorld) -> None:
    assert world.force_reduce(3, BTC_01, 60_000, market=5) == OK


def build_withdraw(world: FullWorld) -> None:
    assert world.withdraw(3, USD, least_paid=USD) == OK


def build_forced_withdraw(world: FullWorld) -> None:
    assert world.force_withdraw(3, USD, least_paid=USD) == OK


def build_transfer(world: FullWorld) -> None:
    assert world.transfer(3, 1 << GROUP_BITS | 3, USD, least_paid=USD) == OK


def build_propose(world: FullWorld) -> None:
    assert world.propose(3, replace(RULES, taker_fee_ppm=400)) == OK


def build_enact(world: FullWorld) -> None:
    build_propose(world)
    world.second += world.init.timelock
    assert world.enact(3) == OK


def build_closing(world: FullWorld) -> None:
    """Of a market whose announcement has stood long enough."""
    world.pass_silence(world.init.silence)
    assert world.close(5) == OK
    world.pass_silence(world.init.window)
    assert world.close(5) == OK


BUILDERS: Final[Mapping[str, Callable[[FullWorld], Any]]] = {
    "HEADER": lambda world: world.open_batch(),
    "DEPOSIT": lambda world: world.deposit(3, 1),
    "PRICE": build_price,
    "TRADE": build_trade,
    "WITHDRAW": build_withdraw,
    "LIQUIDATE": build_liquidate,
    "LIQUIDATE, nobody able": build_deleveraging,
    "CANCEL": lambda world: world.cancel(3, 1, 1_000),
    "CANCEL_ALL": lambda world: world.cancel_all(3, 1_000),
    "TRANSFER": build_transfer,
    "SESSION_KEY": lambda world: world.lend(3),
    "FEES": lambda world: world.list_fees(3, 1, 50, 400),
    "ACCOUNT_TIER": lambda world: world.put_in_tier(3, 1),
    "SETTLE": build_settle,
    "PROPOSE_MARKET": build_propose,
    "ENACT_MARKET": build_enact,
    "FORCED CLOSE_MARKET": build_closing,
    "FORCED WITHDRAW": build_forced_withdraw,
    "FORCED REDUCE": build_reduce,
    "FORCED CANCEL_ALL": lambda world: world.force_cancel_all(3, 1_000),
    "FORCED SESSION_KEY": lambda world: world.force_session_end(3, 1),
}


def build_dearest() -> list[Dear]:
    """One input of every kind, INIT first."""
    world = FullWorld()
    built = [Dear("INIT", {}, world.inputs[0])]
    full, second = world.records, world.second
    for kind, builder in BUILDERS.items():
        world.restore(full)
        world.second = second
        builder(world)
        assert world.codes[-1] == OK, f"{kind}: {world.codes[-1]}"
        built.append(Dear(kind, world.before, world.inputs[-1]))
    return built


class Recovered(dict[tuple[bytes, int, bytes, bytes], int]):
    """Signatures as a sequencer's workers leave them: whoever asks twice finds the answer."""

    def get(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            digest, v, r, s = key
            self[key] = recover(digest, v, int.from_bytes(r, "big"), int.from_bytes(s, "big"))
        return self[key]


def measure(dear: Dear, rounds: int) -> float:
    """Native milliseconds of this thread, the median of some rounds, with all signatures known."""
    law = get_law(PRESET)
    known = Recovered()
    taken = []
    for _ in range(rounds + 1):
        state = State(dear.records)
        state.signatures = known
        begun = time.thread_time()  # of this thread alone: what others do meanwhile is not ours
        receipt = state.apply(law, dear.input)
        taken.append(time.thread_time() - begun)
        assert receipt.code == OK
    return statistics.median(taken[1:]) * 1_000


def measure_all(rounds: int = 51, tries: int = 5) -> dict[str, float]:
    """Kind -> native milliseconds: the best of some tries, for what else a machine does only adds to them."""
    return {dear.kind: min(measure(dear, rounds) for _ in range(tries)) for dear in build_dearest()}


def build_times(times: Mapping[str, float]) -> str:
    """A table of all kinds, the dearest first."""
    lines = ["| input | ms |", "|---|---:|"]
    lines += [f"| {kind} | {taken:.2f} |" for kind, taken in sorted(times.items(), key=lambda one: -one[1])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(build_times(measure_all()))
