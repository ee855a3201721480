"""Checks of what ends: positions closed with their side, and markets that are dead."""

from fractions import Fraction

from optimist.derive.actions import Settle
from optimist.stf.inputs import KIND_CLOSE_MARKET
from optimist.stf.records import Account, Closing, Group, Position, WindDown, Withdrawal
from tests.support.audit_shared import check_only, find_swept
from tests.support.judging import judging
from tests.support.ledger import Ledger


def check_settlement(action: Settle, before: Ledger, after: Ledger) -> None:
    """A position that was closed is paid; what an account without a position owes is the fund's loss."""
    account, group = action.account, action.account >> 32
    check_only(before, after, {account})
    with judging("frame"):
        assert action.market in before.markets_of(account)
        assert action.market not in before.positions(account)
        assert action.market not in after.markets_of(account)
    left = before.account(account).collateral + before.unpaid(account, action.market) // 1
    is_written_off = left < 0 and not after.markets_of(account)
    with judging("I3"):
        assert after.account(account).collateral == (0 if is_written_off else left)
        swept = after.group(group).fund - before.group(group).fund - (left if is_written_off else 0)
        assert swept == find_swept(before, action.market, account), "what rounding has left goes to the fund"


@judging("wind-down")
def check_closing(market: int, enqueued_at: int, before: Ledger, after: Ledger) -> None:
    """Announced or carried out, only in a dead market; in the latter everybody is worth what he was."""
    rule, now = before.record(WindDown, 0), after.system.clock
    assert after.record(WindDown, 0) == rule
    assert after.system.next_forced == before.system.next_forced
    assert before.all_records(Account) == after.all_records(Account)
    assert before.all_records(Position) == after.all_records(Position)
    assert before.total(market, True) > 0
    assert was_dead(before, market, now)
    announced_at = before.record(Closing, market).announced_at
    if not was_dead(before, market, announced_at):
        assert after.record(Closing, market).announced_at == now
        assert before.all_records(Group) == after.all_records(Group)
        assert before.total(market, True) == after.total(market, True)
        return
    assert min(now, enqueued_at) >= announced_at + rule.window
    assert after.record(Closing, market).announced_at == 0
    for is_short in (False, True):
        assert after.total(market, is_short) == 0
        assert after.side(market, is_short).epoch == before.side(market, is_short).epoch + 1
    price, divisor = before.stored_price(market).mark, before.market(market).notional_divisor
    for row, position in before.all_records(Position).items():
        if position.market_plus_one == market + 1:
            account = row >> 4
            worth = before.position(account, market) * Fraction(price, divisor)
            assert after.unpaid(account, market) - before.unpaid(account, market) == worth
    group = before.group_of(market)
    assert after.group(group).held_until == now + rule.window
    assert (after.group(group).fund, after.group(group).money) == (
        before.group(group).fund,
        before.group(group).money,
    )


@judging("I21")
def check_held(data: bytes, before: Ledger, after: Ledger) -> None:
    """No money leaves a group that is held, and nothing but a closing holds one."""
    is_closing = data[0] == 4 and data[26:27] == bytes((KIND_CLOSE_MARKET,))
    for row, group in after.all_records(Group).items():
        assert is_closing or group.held_until == before.group(row).held_until
        if after.system.clock < before.group(row).held_until:
            assert group.money >= before.group(row).money
    for row, withdrawal in after.all_records(Withdrawal).items():
        is_new = before.withdrawal(row).amount == 0
        if is_new and withdrawal.reason != 3:  # a deposit that goes back was never in a group
            assert after.system.clock >= before.group(withdrawal.account >> 32).held_until


def was_dead(ledger: Ledger, market: int, second: int) -> bool:
    """Whether the sequencer, or the market's price, had been silent for long enough at `second`."""
    newest = min(ledger.system.last_sequenced, ledger.stored_price(market).publish_time)
    return second >= newest + ledger.record(WindDown, 0).silence
