"""What the law tells about an input that it accepted: notes for its receipt, no part of the state.

From the notes of all inputs, in order, the collateral and the positions of every account can be rebuilt: each
says what it added (negative: took). Amounts are 1e-6 USD, prices 1e-8 USD per 1.0 of size, sizes
10^-(size decimals); a positive size is bought. A field whose name ends in `account` says whose
history a note belongs to.
"""

from optimist.provable import i64, i112, i160, i250, record, u8, u16, u40, u60, u64, u112, u128, u160, u250
from optimist.stf.records import Multiplier, Parts


@record()
class Deposited:
    """Money came in from L1."""

    account: u40
    owner: u160
    amount: u64


@record()
class Withdrawn:
    """A Withdrawal record was written: money to be paid on L1.

    Collateral fell by its amount, unless the reason is REASON_DEPOSIT_REFUSED: such money was never credited.
    """

    account: u40
    recipient: u160
    amount: u64
    row: u40  # of the Withdrawal
    reason: u8


@record()
class Haircut:
    """What an account left behind, besides, because its group has a loss."""

    account: u40
    amount: u64


@record()
class Settled:
    """What its side paid for one position up to now: funding, and the quote of what was deleveraged."""

    account: u40
    market: u16
    amount: i250  # received; negative: paid


@record()
class Filled:
    """One side of a trade."""

    account: u40
    market: u16
    size: i64
    price: u60
    quote: i160  # by how much collateral changed for the size: floor(-size * price / divisor)
    fee: i250  # what collateral fell by besides
    is_maker: bool


@record()
class Liquidated:
    """A position, or a part of one, was taken away from an account below its maintenance margin."""

    account: u40
    market: u16
    size: i64
    price: u60
    quote: i160
    charge: i250  # to the insurance fund; negative: what a bankrupt account was given
    value: i112  # of the account before: it was below
    maintenance: u112  # what it had to be worth


@record()
class TakenOver:
    """The backstop's side of a liquidation."""

    account: u40
    market: u16
    size: i64
    price: u60
    quote: i160
    shortfall: u128  # what the fund could not pay of the charge


@record()
class Deleveraged:
    """A whole position was closed against the other side of its market, as its backstop was unable."""

    account: u40
    market: u16
    parts: Parts  # 2^-48 units of size that were bought; negative: sold
    price: u60  # the mark
    quote: i160
    charge: i250  # to the other side; negative: what a bankrupt account was given,
    from_fund: u250  # of it by the fund,
    lost: u250  # as a loss of the fund, and the rest by the other side
    value: i112  # of the account before
    maintenance: u112  # what it had to be worth


@record()
class SideScaled:
    """All positions of a side became smaller at once, in the proportion of the two multipliers."""

    market: u16
    is_short: bool
    before: Multiplier
    after: Multiplier  # 0: they were closed whole


@record()
class MarketClosed:
    """All positions of a dead market ended at one price."""

    market: u16
    price: u60


@record()
class WrittenOff:
    """What an account without a position owed and nobody will pay: the fund's loss."""

    account: u40
    amount: u64


@record()
class Held:
    """What an account holds after a change of its own, to the last part."""

    account: u40
    market: u16
    parts: Parts


@record()
class Transferred:
    """Money moved between two accounts of one owner."""

    source_account: u40
    target_account: u40
    amount: u64


@record()
class MarketProposed:
    """Rules wait for a market that there is, or that there will be: in everybody's history."""

    market: u16
    not_before: u40


@record()
class MarketEnacted:
    """The rules that waited for a market are in force: in everybody's history."""

    market: u16
