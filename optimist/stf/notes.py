"""What the law tells about an input that it accepted: notes for its receipt, no part of the state.

From the notes of all inputs, in order, the collateral and the positions of every account can be rebuilt: each
says what it added (negative: took). Amounts are 1e-6 USD, prices 1e-8 USD per 1.0 of size, sizes
10^-(size decimals); a positive size is bought. A field whose name ends in `account` says whose
history a note belongs to.
"""

from optimist.provable import i64, i160, i250, record, u8, u16, u40, u60, u64, u160


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
class FundingPaid:
    """Funding of one position, up to now."""

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


@record()
class TakenOver:
    """The backstop's side of a liquidation."""

    account: u40
    market: u16
    size: i64
    price: u60
    quote: i160
    shortfall: i64  # what the fund could not pay of the charge


@record()
class Transferred:
    """Money moved between two accounts of one owner."""

    source_account: u40
    target_account: u40
    amount: u64
