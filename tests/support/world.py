"""A small world for tests of the law: one state, named traders with real keys, oracle keys, and short verbs.

Money in whole USD where a verb says `usd`, in 1e-6 USD elsewhere; prices in whole USD (`Fraction` allowed)
become 1e-8 USD; sizes are units of 10^-(size decimals). Every signature is real.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final, TypeVar, cast

from optimist.base.keccak import keccak
from optimist.base.signature import address_of
from optimist.derive.account_actions import (
    AccountTierRequest,
    Cancel,
    CancelAll,
    CancelAllRequest,
    CancelRequest,
    FeeTierRequest,
    ForcedCancelAll,
    ForcedReduce,
    ForcedSessionEnd,
    SessionKeyRequest,
    SetAccountTier,
    SetFees,
    SetSessionKey,
    Transfer,
    TransferRequest,
)
from optimist.derive.actions import (
    Action,
    CloseMarket,
    Deposit,
    EnactMarket,
    Forced,
    ForcedService,
    ForcedWithdraw,
    Header,
    Init,
    Liquidate,
    MarketParameters,
    PriceUpdate,
    ProposeMarket,
    Sequenced,
    Settle,
    SignedOrder,
    SignedPrice,
    Trade,
    Withdraw,
    describe_proposal,
    encode_forced,
)
from optimist.derive.typed_data import Message, Order, PriceReport, Signature, WithdrawRequest
from optimist.provable import Receipt, State
from optimist.stf.codes import Code
from optimist.stf.constants import ACCOUNT_LIMIT, GROUP_BITS, ONE, PRICE_CONFIRMED, SLOT_BITS
from optimist.stf.law import Apply, get_law
from optimist.stf.records import (
    Account,
    FeeManager,
    ForcedOutcome,
    Governance,
    Position,
    Price,
    Side,
)
from tests.support.ledger import Ledger

USD: Final = 10**6  # 1e-6 USD
PRICE: Final = 10**8  # 1e-8 USD
START: Final = 1_700_000_000  # s
OK: Final = 0
VAULT: Final = bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")

# Prices jump as a test wants, and nobody pays funding: those are for `test_oracle.py` and `test_funding.py`.
CALM: Final[dict[str, Any]] = {
    "step_ppm": 1_000_000,
    "halt_ppm": 1_000_000,
    "interest": 0,
    "damper": 0,
    "max_rate": 0,
}
BTC: Final = MarketParameters(
    size_decimals=8,
    lot=1_000,
    initial_margin_ppm=50_000,
    maintenance_margin_ppm=30_000,
    maker_fee_ppm=200,
    taker_fee_ppm=500,
    liquidation_penalty_ppm=10_000,
    max_position=10**13,  # 100,000 BTC
    **CALM,
)
ETH: Final = MarketParameters(
    size_decimals=6,
    lot=100,
    initial_margin_ppm=100_000,
    maintenance_margin_ppm=50_000,
    maker_fee_ppm=0,
    taker_fee_ppm=300,
    liquidation_penalty_ppm=15_000,
    max_position=10**12,  # 1,000,000 ETH
    **CALM,
)
FREE: Final = replace(
    BTC, maker_fee_ppm=0, taker_fee_ppm=0
)  # a market whose figures are easy to check by hand

R = TypeVar("R")


def secret(name: str) -> bytes:
    """The private key of whoever has this name."""
    return keccak(b"optimist test key " + name.encode())


def address(name: str) -> bytes:
    """The address of whoever has this name."""
    return address_of(secret(name))


def build_init(**changes: Any) -> Init:
    """A sound INIT: two markets, three of five oracle keys; `changes` replace fields."""
    init = Init(
        chain_id=31_337,
        vault=VAULT,
        second=START,
        backstop_owner=address("backstop"),
        quorum=3,
        future_tolerance=60,
        trade_heartbeat=10,
        liquidation_heartbeat=30,
        liquidation_buffer_ppm=150_000,
        signers=tuple(address(f"oracle {i}") for i in range(5)),
        markets=(BTC, ETH),
        fee_manager=address("fee manager"),
        governor=address("governor"),
        timelock=100,
        silence=10_000,
        window=500,
    )
    return replace(init, **changes)


@dataclass
class Terms:
    """What `World.order` fills in when a test does not care."""

    max_fee_ppm: int = 1_000
    slot: int = 0
    expiry: int = START + 1_000_000


class World(Ledger):
    """The law, a state, and the second at which the sequencer stands."""

    def __init__(
        self, preset: str = "minimal", law: Apply | None = None, before: Sequence[bytes] = (), **changes: Any
    ) -> None:
        """Apply what comes `before` INIT, INIT (`changes` replace its fields) and the header of batch 2."""
        self.law = law or get_law(preset)
        super().__init__({})
        self.state = State()
        self.init = build_init(**changes)
        self.domain = self.init.domain
        self.second = START
        self.inputs: list[bytes] = []
        self.codes: list[int] = []
        self.receipts: list[Receipt] = []
        self.deposited = 0  # 1e-6 USD
        self._nonce = 0
        for data in before:
            self.apply_bytes(data)
        assert self.apply_bytes(self.init.encode()).code == OK
        assert self.open_batch() == OK

    # ------------------------------------------------------------------------------------------------ inputs

    def apply_bytes(self, data: bytes) -> Receipt:
        """Apply any bytes."""
        receipt = self.state.apply(self.law, data)
        self.inputs.append(data)
        self.codes.append(receipt.code)
        self.receipts.append(receipt)
        return receipt

    def act(self, action: Action) -> int:
        """Apply a sequenced action at the current second; its code."""
        return self.apply_bytes(Sequenced(self.second, action).encode()).code

    def open_batch(self, last: int = START + 10**6, mode: int = 0) -> int:
        """Apply the next header at the current second."""
        return self.apply_bytes(Header(self.system.batch + 1, self.second, last, mode).encode()).code

    def deposit(self, account: int, usd: int | Fraction, owner: str | None = None) -> int:
        """Deposit to an account; its owner is called after its number unless named."""
        return self.deposit_units(account, int(usd * USD), owner)

    def deposit_units(self, account: int, amount: int, owner: str | None = None) -> int:
        """The same, in 1e-6 USD."""
        owner_address = address(owner or trader(account))
        code = self.apply_bytes(Deposit(account, owner_address, amount).encode()).code
        if code == OK:
            self.deposited += amount
        return code

    def price(self, market: int, usd: int | Fraction, keys: tuple[int, ...] = (0, 1, 2), **at: int) -> int:
        """Let oracle `keys` sign one and the same price, published at the current second unless `at`."""
        value = int(usd * PRICE)
        return self.act(self.price_update(market, [(key, value) for key in keys], **at))

    def price_update(self, market: int, signed: list[tuple[int, int]], at: int | None = None) -> PriceUpdate:
        """(key, price in 1e-8 USD), in the order given."""
        time = self.second if at is None else at
        reports = [(key, value, PriceReport(market, value, time)) for key, value in signed]
        return PriceUpdate(
            market,
            time,
            tuple(
                SignedPrice(key, value, report.sign(self.domain, secret(f"oracle {key}")))
                for key, value, report in reports
            ),
        )

    def order(self, account: int, is_buy: bool, size: int, usd: int | Fraction, **terms: Any) -> SignedOrder:
        """A signed order at `usd`."""
        return self.order_units(account, is_buy, size, int(usd * PRICE), **terms)

    def order_units(self, account: int, is_buy: bool, size: int, price: int, **terms: Any) -> SignedOrder:
        """A signed order at `price` (1e-8 USD); `terms` may be any of `Order`, `signer`, `key`."""
        self._nonce += 1
        signer = terms.pop("signer", None) or trader(account)
        key = terms.pop("key", 0)
        order = Order(
            account=account,
            market=terms.pop("market", 0),
            is_buy=is_buy,
            size=size,
            price=price,
            nonce=terms.pop("nonce", self._nonce),
            **{**vars(Terms()), **terms},
        )
        return self.sign_order(order, signer, key)

    def sign_order(self, order: Order, signer: str, key: int = 0) -> SignedOrder:
        """The order with the signature of whoever is called `signer`, as session key `key`."""
        return SignedOrder(order, order.sign(self.domain, secret(signer)), key)

    def trade(
        self, maker: int, taker: int, size: int, usd: int | Fraction, maker_buys: bool = True, **terms: Any
    ) -> int:
        """Both accounts trade `size` at `usd`, with orders just large enough."""
        return self.act(
            Trade(
                size,
                int(usd * PRICE),
                self.order(maker, maker_buys, size, usd, **terms),
                self.order(taker, not maker_buys, size, usd, **terms),
            )
        )

    def withdraw(self, account: int, amount: int, to: str = "recipient", **changes: Any) -> int:
        """A withdrawal of `amount` (1e-6 USD) with the next nonce, signed by the owner unless `signer`.

        It may pay as little as it has to, unless `least_paid`.
        """
        signer = changes.pop("signer", None) or trader(account)
        nonce = self.account(account).nonce + 1
        request = WithdrawRequest(account, amount, 0, address(to), nonce)
        request = replace(request, **changes)
        return self.act(Withdraw(request, request.sign(self.domain, secret(signer))))

    def cancel(self, account: int, slot: int, nonce: int, signer: str | None = None, key: int = 0) -> int:
        """Kill all orders of a slot with a nonce below `nonce`."""
        request = CancelRequest(account, slot, nonce)
        return self.act(Cancel(request, self.sign(request, signer or trader(account)), key))

    def cancel_all(self, account: int, nonce: int, signer: str | None = None, key: int = 0) -> int:
        """Kill all orders of an account with a nonce below `nonce`."""
        request = CancelAllRequest(account, nonce)
        return self.act(CancelAll(request, self.sign(request, signer or trader(account)), key))

    def transfer(self, source: int, target: int, amount: int, **changes: Any) -> int:
        """Move `amount` (1e-6 USD) with the next nonce, signed by the source's owner unless `signer`.

        As little may arrive as has to, unless `least_paid`.
        """
        signer = changes.pop("signer", None) or trader(source)
        request = TransferRequest(source, target, amount, 0, self.account(source).nonce + 1)
        request = replace(request, **changes)
        return self.act(Transfer(request, self.sign(request, signer)))

    def lend_key(self, account: int, index: int, name: str | None, rights: int = 3, **changes: Any) -> int:
        """Make the key of whoever is called `name` a session key for an hour; nobody's: end it."""
        signer = changes.pop("signer", None) or trader(account)
        key = address(name) if name else bytes(20)
        nonce = self.account(account).nonce + 1
        request = SessionKeyRequest(account, index, key, rights, self.second + 3_600, nonce)
        request = replace(request, **changes)
        return self.act(SetSessionKey(request, self.sign(request, signer)))

    def list_fees(self, market: int, tier: int, maker_ppm: int, taker_ppm: int, **changes: Any) -> int:
        """List a tier with the next nonce, signed by the fee manager unless `signer`."""
        signer = changes.pop("signer", "fee manager")
        nonce = self.record(FeeManager, 0).nonce + 1
        request = replace(FeeTierRequest(market, tier, maker_ppm, taker_ppm, nonce), **changes)
        return self.act(SetFees(request, self.sign(request, signer)))

    def put_in_tier(self, account: int, tier: int, **changes: Any) -> int:
        """Put an account into a tier, signed by the fee manager unless `signer`."""
        signer = changes.pop("signer", "fee manager")
        nonce = self.record(FeeManager, 0).nonce + 1
        request = replace(AccountTierRequest(account, tier, nonce), **changes)
        return self.act(SetAccountTier(request, self.sign(request, signer)))

    def sign(self, message: Message, signer: str) -> Signature:
        """The signature of whoever is called `signer`."""
        return message.sign(self.domain, secret(signer))

    def force_cancel_all(self, account: int, nonce: int, sender: str | None = None) -> int:
        """Force the cancellation of all orders below `nonce`; the code in its ForcedOutcome."""
        return self.force(ForcedCancelAll(account, nonce).encode(), sender or trader(account))

    def force_reduce(
        self,
        account: int,
        size: int,
        usd: int | Fraction,
        market: int = 0,
        sender: str | None = None,
        enqueued_at: int | None = None,
    ) -> int:
        """Force the reduction of a position, at `usd` or better; the code in its ForcedOutcome."""
        payload = ForcedReduce(account, market, size, int(usd * PRICE)).encode()
        return self.force(payload, sender or trader(account), enqueued_at)

    def force_session_end(self, account: int, index: int, sender: str | None = None) -> int:
        """Force the end of a session key; the code in its ForcedOutcome."""
        return self.force(ForcedSessionEnd(account, index).encode(), sender or trader(account))

    def force_withdraw(
        self,
        account: int,
        amount: int,
        sender: str | None = None,
        enqueued_at: int | None = None,
        least_paid: int = 0,
    ) -> int:
        """A forced withdrawal; the code in its ForcedOutcome."""
        payload = ForcedWithdraw(account, amount, least_paid).encode()
        return self.force(payload, sender or trader(account), enqueued_at)

    def force(self, payload: bytes, sender: str, enqueued_at: int | None = None) -> int:
        """Force anything; the code in its ForcedOutcome."""
        row = self.system.next_forced
        at = self.second if enqueued_at is None else enqueued_at
        assert self.apply_bytes(Forced(address(sender), at, payload).encode()).code == OK
        return self.record(ForcedOutcome, row).code

    def force_action(self, action: ForcedService, sender: str = "anyone") -> int:
        """Push what anybody may through L1; the code in its receipt."""
        return self.force_bytes(encode_forced(action), sender)

    def close(self, market: int = 0, sender: str = "anyone", enqueued_at: int | None = None) -> int:
        """Force the closing of a dead market, or its announcement; the code in its receipt."""
        return self.force_bytes(CloseMarket(market).encode(), sender, enqueued_at)

    def force_bytes(self, payload: bytes, sender: str = "anyone", enqueued_at: int | None = None) -> int:
        """Force any payload; the code in its receipt."""
        at = self.second if enqueued_at is None else enqueued_at
        return self.apply_bytes(Forced(address(sender), at, payload).encode()).code

    def pass_silence(self, seconds: int, mode: int = 1) -> None:
        """Let time go by with nothing sequenced: the next batch is a public one."""
        self.second += seconds
        assert self.open_batch(self.second + 10**6, mode) == OK

    def proposal(self, market: int, rules: MarketParameters, **changes: Any) -> ProposeMarket:
        """New rules with the next nonce, signed by the governor unless `signer`."""
        signer = changes.pop("signer", "governor")
        nonce = changes.pop("nonce", self.record(Governance, 0).nonce + 1)
        message = describe_proposal(market, nonce, rules)
        return ProposeMarket(market, nonce, rules, message.sign(self.domain, secret(signer)))

    def propose(self, market: int, rules: MarketParameters, **changes: Any) -> int:
        """Propose the rules."""
        return self.act(self.proposal(market, rules, **changes))

    def enact(self, market: int) -> int:
        """Let the rules that wait take effect."""
        return self.act(EnactMarket(market))

    def liquidate(self, account: int, market: int = 0) -> int:
        """Ask the law to liquidate."""
        return self.act(Liquidate(account, market))

    def settle(self, account: int, market: int = 0) -> int:
        """Ask the law to clear a position that deleveraging has closed."""
        return self.act(Settle(account, market))

    # ------------------------------------------------------------------------------------------------ state

    @property
    def records(self) -> Mapping[int, bytes]:
        """Key -> 256 bytes of every record that is not absent."""
        return dict(self.state.items())

    def record(self, kind: type[R], row: int) -> R:
        """A record of the state; zeros when absent."""
        made: Any = kind
        data = self.state.get_bytes(made.record_base + row)
        return cast("R", made.record_zero if data is None else made.record_from_bytes(data))

    def put(self, row: int, value: Any) -> None:
        """Change a record from outside of the law: for states that no input can reach."""
        self.state.set_bytes(value.record_base + row, value.record_bytes())

    def put_collateral(self, account: int, collateral: int) -> None:
        """Change an account's collateral (1e-6 USD) from outside of the law."""
        found: Any = self.account(account)
        changed: Account = found.record_copy()
        changed.collateral = collateral
        self.put(account, changed)

    def put_fund(self, amount: int, group: int = 0) -> None:
        """Fill, or empty, a group's fund by `amount` (1e-6 USD), as if it had been paid in."""
        record = self.group(group)
        record.fund += amount
        self.put(group, record)

    def put_position(self, account: int, slot: int, market: int, size: int) -> None:
        """Give an account `size` units out of nothing; its side gets the shares."""
        row = market << 1 | (size < 0)
        side = self.record(Side, row)
        side.multiplier = side.multiplier or ONE
        side.shares += abs(size)
        self.put(row, side)
        position = Position(market_plus_one=market + 1, shares=size, index=side.index, epoch=side.epoch)
        self.put(account << SLOT_BITS | slot, position)

    def check(self) -> None:
        """The invariants that hold in every state."""
        self.check_conservation(self.deposited)


def confirmed_price(price: int, publish_time: int) -> Price:
    """A price (1e-8 USD) that the law may use."""
    return Price(
        price=price,
        publish_time=publish_time,
        confirmed=price,
        status=PRICE_CONFIRMED,
        halted_at=0,
        mark=price,
    )


def trader(account: int) -> str:
    """Name of the owner of an account: of the account of its number in group 0."""
    number = account & (1 << GROUP_BITS) - 1 if account < ACCOUNT_LIMIT else account
    return "backstop" if number == 0 else f"trader {number}"


def forge(signature: Signature) -> Signature:
    """A signature of the right form that nobody made for this message."""
    return signature._replace(r=int.from_bytes(keccak(signature.r.to_bytes(32, "big")), "big") >> 1)


def code_name(code: int) -> str:
    """For messages of tests."""
    return Code(code).name if code in set(Code) else str(code)
