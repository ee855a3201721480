"""Every input of the law as a typed object; `encode()` gives its bytes. The way back is `decode.py`.

The wire format is `docs/PROTOCOL.md` §3, the numbers of origins and kinds are `optimist/stf/inputs.py`.
Encoders check widths only: whether an action is allowed is the law's business alone, and tests must be able
to write bad ones.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Final, TypeAlias

from optimist.derive.account_actions import AccountAction
from optimist.derive.octets import EncodingError, pack_bytes, pack_uint
from optimist.derive.typed_data import (
    ADDRESS_BYTES,
    Domain,
    MarketProposal,
    Order,
    PriceReport,
    Signature,
    WithdrawRequest,
    pack_signature,
)
from optimist.stf import inputs
from optimist.stf.constants import MAX_SIZE, MAX_TIERS

MAX_INPUT_BYTES: Final = 1024
HASH_BYTES: Final = 32
NOBODY: Final = bytes(ADDRESS_BYTES)
RULES_BYTES: Final = 192  # six words: the rules of a market as they are signed


@dataclass(frozen=True, slots=True)
class Tier:
    """What lies beyond `from_notional` (1e-6 USD) of a position is asked these fractions."""

    from_notional: int
    initial_margin_ppm: int
    maintenance_margin_ppm: int

    def encode(self) -> bytes:
        """16 bytes."""
        return (
            pack_uint("tier from notional", self.from_notional, 8)
            + pack_uint("tier initial margin ppm", self.initial_margin_ppm, 4)
            + pack_uint("tier maintenance margin ppm", self.maintenance_margin_ppm, 4)
        )


NO_TIER: Final = Tier(0, 0, 0)


@dataclass(frozen=True, slots=True)
class MarketParameters:
    """One market of INIT. Sizes are in 10^-size_decimals, fractions in parts per million."""

    size_decimals: int
    lot: int
    initial_margin_ppm: int
    maintenance_margin_ppm: int
    maker_fee_ppm: int
    taker_fee_ppm: int
    liquidation_penalty_ppm: int
    max_position: int
    step_ppm: int = 100_000  # (= 10 %): a larger move must be confirmed by the next round
    halt_ppm: int = 250_000  # (= 25 %): a larger move halts the market
    halt_seconds: int = 60
    gap_seconds: int = 3_600  # a longer silence must be confirmed as well
    interest: int = 100_000  # 1e-9 (= 0.01 %) over eight hours
    damper: int = 500_000  # 1e-9 (= 0.05 %)
    max_rate: int = 5_000_000  # 1e-9 (= 0.5 %) an hour
    max_premium: int = 50_000_000  # 1e-9 (= 5 %)
    smoothing_seconds: int = 3_600
    tiers: tuple[Tier, ...] = ()  # beyond the first, whose fractions are the ones above; up to 3
    max_open_interest: int = MAX_SIZE
    open_interest_lower: int = 0  # 1e-6 USD; from here on initial margin rises,
    open_interest_upper: int = 0  # to 100 % here; 0: it does not
    mark_cap_ppm: int = 50_000  # (= 5 %): how far the mark price may be from the index
    volatility_multiplier_ppm: int = 0  # of sigma: the least initial margin; 0: there is none
    volatility_horizon: int = 28_800  # s (= 8 h)
    volatility_window: int = 86_400  # s (= 1 day)
    volatility_sample: int = 60  # s
    group: int = 0  # risk group

    def encode(self) -> bytes:
        """166 bytes. Raises EncodingError for too many tiers."""
        if len(self.tiers) >= MAX_TIERS:
            raise EncodingError(f"{len(self.tiers)} further tiers: a market has {MAX_TIERS - 1} at most")
        return (
            pack_uint("size decimals", self.size_decimals, 1)
            + pack_uint("lot", self.lot, 8)
            + pack_uint("initial margin ppm", self.initial_margin_ppm, 4)
            + pack_uint("maintenance margin ppm", self.maintenance_margin_ppm, 4)
            + pack_uint("maker fee ppm", self.maker_fee_ppm, 4)
            + pack_uint("taker fee ppm", self.taker_fee_ppm, 4)
            + pack_uint("liquidation penalty ppm", self.liquidation_penalty_ppm, 4)
            + pack_uint("max position", self.max_position, 8)
            + pack_uint("step ppm", self.step_ppm, 4)
            + pack_uint("halt ppm", self.halt_ppm, 4)
            + pack_uint("halt seconds", self.halt_seconds, 4)
            + pack_uint("gap seconds", self.gap_seconds, 4)
            + pack_uint("interest", self.interest, 4)
            + pack_uint("damper", self.damper, 4)
            + pack_uint("max rate", self.max_rate, 4)
            + pack_uint("max premium", self.max_premium, 4)
            + pack_uint("smoothing seconds", self.smoothing_seconds, 4)
            + b"".join(tier.encode() for tier in pad_tiers(self.tiers))
            + pack_uint("max open interest", self.max_open_interest, 8)
            + pack_uint("open interest lower", self.open_interest_lower, 8)
            + pack_uint("open interest upper", self.open_interest_upper, 8)
            + pack_uint("mark cap ppm", self.mark_cap_ppm, 4)
            + pack_uint("volatility multiplier ppm", self.volatility_multiplier_ppm, 4)
            + pack_uint("volatility horizon", self.volatility_horizon, 4)
            + pack_uint("volatility window", self.volatility_window, 4)
            + pack_uint("volatility sample", self.volatility_sample, 4)
            + pack_uint("group", self.group, 1)
        )


def pad_tiers(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    """As many as the wire format has room for."""
    return (*tiers, *[NO_TIER] * (MAX_TIERS - 1 - len(tiers)))


@dataclass(frozen=True, slots=True)
class Init:
    """The single input of batch 1: everything that can be chosen about a rollup. Times in seconds."""

    chain_id: int
    vault: bytes
    second: int
    backstop_owner: bytes
    quorum: int
    future_tolerance: int
    trade_heartbeat: int
    liquidation_heartbeat: int
    liquidation_buffer_ppm: int
    silence: int  # s without an input or a price after which a market counts as dead
    window: int  # s from announcing its closing to closing it, and from then until money leaves
    signers: tuple[bytes, ...]
    markets: tuple[MarketParameters, ...]
    fee_manager: bytes = NOBODY
    governor: bytes = NOBODY  # who may propose rules of markets; zeros: nobody
    timelock: int = 0  # s that a proposal waits at least

    @property
    def domain(self) -> Domain:
        """The EIP-712 domain of everything signed for this rollup."""
        return Domain(self.chain_id, self.vault)

    def encode_body(self) -> bytes:
        """What follows the envelope: the Inbox's constructor argument."""
        return (
            pack_bytes("backstop owner", self.backstop_owner, ADDRESS_BYTES)
            + pack_uint("quorum", self.quorum, 1)
            + pack_uint("signer count", len(self.signers), 1)
            + pack_uint("market count", len(self.markets), 1)
            + pack_uint("future tolerance", self.future_tolerance, 4)
            + pack_uint("trade heartbeat", self.trade_heartbeat, 4)
            + pack_uint("liquidation heartbeat", self.liquidation_heartbeat, 4)
            + pack_uint("liquidation buffer ppm", self.liquidation_buffer_ppm, 4)
            + pack_bytes("fee manager", self.fee_manager, ADDRESS_BYTES)
            + pack_bytes("governor", self.governor, ADDRESS_BYTES)
            + pack_uint("timelock", self.timelock, 4)
            + pack_uint("silence", self.silence, 4)
            + pack_uint("window", self.window, 4)
            + b"".join(pack_bytes("signer", signer, ADDRESS_BYTES) for signer in self.signers)
            + b"".join(market.encode() for market in self.markets)
        )

    def encode(self) -> bytes:
        """The whole input."""
        return (
            bytes((inputs.ORIGIN_INIT,))
            + pack_uint("chain id", self.chain_id, 8)
            + pack_bytes("vault", self.vault, ADDRESS_BYTES)
            + pack_uint("second", self.second, 5)
            + self.encode_body()
        )


@dataclass(frozen=True, slots=True)
class Header:
    """First input of every batch but the first."""

    batch: int
    first: int
    last: int
    mode: int = inputs.MODE_SEQUENCER

    def encode(self) -> bytes:
        """The whole input."""
        return (
            bytes((inputs.ORIGIN_HEADER,))
            + pack_uint("batch", self.batch, 8)
            + pack_uint("first", self.first, 5)
            + pack_uint("last", self.last, 5)
            + pack_uint("mode", self.mode, 1)
        )


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money that the Vault has received. `amount` in 1e-6 USD."""

    account: int
    owner: bytes
    amount: int

    def encode(self) -> bytes:
        """The whole input."""
        return (
            bytes((inputs.ORIGIN_DEPOSIT,))
            + pack_uint("account", self.account, 5)
            + pack_bytes("owner", self.owner, ADDRESS_BYTES)
            + pack_uint("amount", self.amount, 8)
        )


@dataclass(frozen=True, slots=True)
class Forced:
    """Anything that somebody forced through L1: the Inbox writes sender and time, the rest is theirs."""

    sender: bytes
    enqueued_at: int
    payload: bytes  # kind and body

    def encode(self) -> bytes:
        """The whole input."""
        return (
            bytes((inputs.ORIGIN_FORCED,))
            + pack_bytes("sender", self.sender, ADDRESS_BYTES)
            + pack_uint("enqueued at", self.enqueued_at, 5)
            + self.payload
        )


def encode_forced(action: "ForcedService") -> bytes:
    """The payload of an action that anybody may force: the argument of `Inbox.force`."""
    return bytes((action.KIND,)) + action.encode_body()


@dataclass(frozen=True, slots=True)
class ForcedWithdraw:
    """The payload of a forced withdrawal: `amount` of the sender's `account` back to the sender."""

    account: int
    amount: int
    least_paid: int  # rather nothing than less: where a group has a loss, a part stays behind

    def encode(self) -> bytes:
        """Kind and body: the argument of `Inbox.force`."""
        return (
            bytes((inputs.KIND_WITHDRAW,))
            + pack_uint("account", self.account, 5)
            + pack_uint("amount", self.amount, 8)
            + pack_uint("least paid", self.least_paid, 8)
        )


@dataclass(frozen=True, slots=True)
class CloseMarket:
    """The payload that announces the closing of a dead market, or closes it. Anybody's."""

    market: int

    def encode(self) -> bytes:
        """Kind and body: the argument of `Inbox.force`."""
        return bytes((inputs.KIND_CLOSE_MARKET,)) + pack_uint("market", self.market, 2)


@dataclass(frozen=True, slots=True)
class SignedPrice:
    """One oracle key's price inside a PriceUpdate, which holds the market and the publish time."""

    signer: int  # index of the key
    price: int
    signature: Signature


@dataclass(frozen=True, slots=True)
class PriceUpdate:
    """Prices of one feed, signed by a quorum of keys. The law wants them ascending: see `sort`.

    `market`: a market for its index, PERPETUAL_FEED + market for what its perpetual costs elsewhere.
    """

    KIND: ClassVar[int] = inputs.KIND_PRICE

    market: int
    publish_time: int
    prices: tuple[SignedPrice, ...]

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        listed = [
            pack_uint("signer index", one.signer, 1)
            + pack_uint("price", one.price, 8)
            + pack_signature(one.signature)
            for one in self.prices
        ]
        return (
            pack_uint("market", self.market, 2)
            + pack_uint("publish time", self.publish_time, 5)
            + pack_uint("count", len(listed), 1)
            + b"".join(listed)
        )

    def sort(self) -> "PriceUpdate":
        """The same update in the order that the law wants."""
        return replace(self, prices=tuple(sorted(self.prices, key=lambda one: (one.price, one.signer))))

    def reports(self) -> tuple[PriceReport, ...]:
        """What each key signed."""
        return tuple(PriceReport(self.market, one.price, self.publish_time) for one in self.prices)


@dataclass(frozen=True, slots=True)
class SignedOrder:
    """An order and the signature of its owner, or of session key `key`.

    Signed together with others (`order_tree.py`) it is number `index` of them, and `siblings` are the hashes
    on its way up: at most three.
    """

    order: Order
    signature: Signature
    key: int = 0
    index: int = 0
    siblings: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """110 bytes and 32 a sibling; the market is not among them: the Trade names it once."""
        order = self.order
        return (
            pack_uint("account", order.account, 5)
            + pack_uint("is buy", int(order.is_buy), 1)
            + pack_uint("size", order.size, 8)
            + pack_uint("price", order.price, 8)
            + pack_uint("max fee ppm", order.max_fee_ppm, 4)
            + pack_uint("slot", order.slot, 1)
            + pack_uint("nonce", order.nonce, 8)
            + pack_uint("expiry", order.expiry, 5)
            + pack_uint("reduce only", int(order.reduce_only), 1)
            + pack_uint("time in force", order.time_in_force, 1)
            + pack_uint("key", self.key, 1)
            + pack_uint("depth", len(self.siblings), 1)
            + pack_uint("index", self.index, 1)
            + b"".join(pack_bytes("sibling", sibling, HASH_BYTES) for sibling in self.siblings)
            + pack_signature(self.signature)
        )


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill of two signed orders of one market."""

    KIND: ClassVar[int] = inputs.KIND_TRADE

    size: int
    price: int
    maker: SignedOrder
    taker: SignedOrder

    @property
    def market(self) -> int:
        """The market of both orders."""
        return self.maker.order.market

    def encode_body(self) -> bytes:
        """What follows the kind byte. Raises EncodingError when the orders are of two markets."""
        if self.maker.order.market != self.taker.order.market:
            raise EncodingError(
                f"orders of market {self.maker.order.market} and {self.taker.order.market} cannot trade"
            )
        return (
            pack_uint("market", self.market, 2)
            + pack_uint("fill size", self.size, 8)
            + pack_uint("fill price", self.price, 8)
            + self.maker.encode()
            + self.taker.encode()
        )


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A withdrawal signed by the account's owner."""

    KIND: ClassVar[int] = inputs.KIND_WITHDRAW

    request: WithdrawRequest
    signature: Signature

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        request = self.request
        return (
            pack_uint("account", request.account, 5)
            + pack_uint("amount", request.amount, 8)
            + pack_uint("least paid", request.least_paid, 8)
            + pack_bytes("recipient", request.recipient, ADDRESS_BYTES)
            + pack_uint("nonce", request.nonce, 8)
            + pack_signature(self.signature)
        )


@dataclass(frozen=True, slots=True)
class Liquidate:
    """Ask the law to liquidate what it finds unhealthy. Signed by nobody: size and price are the law's."""

    KIND: ClassVar[int] = inputs.KIND_LIQUIDATE

    account: int
    market: int

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        return pack_uint("account", self.account, 5) + pack_uint("market", self.market, 2)


@dataclass(frozen=True, slots=True)
class ProposeMarket:
    """New rules of a market, or the next market, signed by the governor."""

    KIND: ClassVar[int] = inputs.KIND_PROPOSE_MARKET

    market: int
    nonce: int
    rules: MarketParameters
    signature: Signature

    @property
    def message(self) -> MarketProposal:
        """What the governor signs."""
        return describe_proposal(self.market, self.nonce, self.rules)

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        return (
            pack_uint("market", self.market, 2)
            + pack_uint("nonce", self.nonce, 8)
            + pack_signature(self.signature)
            + self.rules.encode()
        )


def describe_proposal(market: int, nonce: int, rules: MarketParameters) -> MarketProposal:
    """The message that proposes `rules` for a market."""
    return MarketProposal(market, nonce, rules.encode().ljust(RULES_BYTES, b"\0"))


@dataclass(frozen=True, slots=True)
class EnactMarket:
    """Let the rules that wait for a market take effect. Signed by nobody."""

    KIND: ClassVar[int] = inputs.KIND_ENACT_MARKET

    market: int

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        return pack_uint("market", self.market, 2)


@dataclass(frozen=True, slots=True)
class Settle:
    """Ask the law to clear a position that was closed with its whole side. Signed by nobody."""

    KIND: ClassVar[int] = inputs.KIND_SETTLE

    account: int
    market: int

    def encode_body(self) -> bytes:
        """What follows the kind byte."""
        return pack_uint("account", self.account, 5) + pack_uint("market", self.market, 2)


Action: TypeAlias = (
    PriceUpdate | Trade | Withdraw | Liquidate | Settle | ProposeMarket | EnactMarket | AccountAction
)
ForcedService: TypeAlias = PriceUpdate | Liquidate | Settle | ProposeMarket | EnactMarket


@dataclass(frozen=True, slots=True)
class Sequenced:
    """An action at the sequencer's second."""

    second: int
    action: Action

    def encode(self) -> bytes:
        """The whole input."""
        return (
            bytes((inputs.ORIGIN_SEQUENCED,))
            + pack_uint("second", self.second, 5)
            + bytes((self.action.KIND,))
            + self.action.encode_body()
        )


Input: TypeAlias = Init | Header | Deposit | Forced | Sequenced
