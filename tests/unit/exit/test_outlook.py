"""What the law says of an account that wants to leave, read from real states of the law."""

from dataclasses import replace

from optimist.derive.actions import CloseMarket, Forced, ForcedWithdraw, Settle
from optimist.exit.facts import Bankrupt
from optimist.exit.outlook import find_accounts, look_ahead, measure
from optimist.stf.codes import Code
from tests.support.world import FREE, OK, START, USD, World, address, trader

SILENCE = 10_000  # s, as INIT says in `build_init`
WINDOW = 500  # s
BTC_01 = 10**7
MARKETS = (FREE, FREE)


def traded(price: int = 50_000) -> World:
    """Account 1 is long, 2 is short, 0.1 BTC at 50,000, now at `price`. Accounts 0 and 3 have money."""
    world = World(markets=MARKETS)
    for account in (0, 1, 2, 3):
        world.deposit(account, 1_000)
    world.price(0, 50_000)
    assert world.trade(1, 2, BTC_01, 50_000) == OK
    world.second += 1
    world.price(0, price)
    return world


def closed(price: int) -> World:
    """The same market, dead and closed at `price`."""
    world = traded(price)
    for _ in range(2):
        world.pass_silence(SILENCE)
        assert world.close() == OK
    return world


def test_open_positions_say_from_when_on_their_market_is_dead() -> None:
    world = traded()
    (long,) = measure(world.state, 1).positions
    (short,) = measure(world.state, 2).positions
    assert (long.market, long.size, short.size) == (0, BTC_01, -BTC_01)
    assert long.dead_at == short.dead_at == world.second + SILENCE
    assert long.announced_at == 0
    world.pass_silence(SILENCE - 1)
    assert world.close() == Code.NOT_DEAD
    world.pass_silence(1)
    assert world.close() == OK
    assert measure(world.state, 1).positions == (replace(long, announced_at=world.second),)


def test_announcement_is_void_when_the_sequencer_returns() -> None:
    world = traded()
    world.pass_silence(SILENCE)
    assert world.close() == OK
    world.second += 1
    assert world.price(0, 50_000) == OK
    assert measure(world.state, 1).positions[0].announced_at == 0


def test_what_it_says_may_leave_the_law_takes_and_not_a_millionth_more() -> None:
    for price in (50_000, 51_000, 59_999):
        world = closed(price)
        world.pass_silence(WINDOW)
        for account in (1, 3, 0, 2):
            found = measure(world.state, account)
            assert world.force_withdraw(account, found.takes + 1) == Code.BELOW_INITIAL_MARGIN
            assert world.force_withdraw(account, found.takes, least_paid=found.pays) == OK
            assert world.withdrawal(world.system.next_withdrawal - 1).amount == found.pays
            assert measure(world.state, account).takes == 0
        assert world.group().money == world.fund, "what is left is the fund's"


def test_bankrupt_account_is_named_until_it_is_settled_and_its_loss_is_shared_then() -> None:
    world = closed(70_000)
    assert measure(world.state, 3).bankrupts == (Bankrupt(2, (0,), owes=1_000 * USD),)
    assert measure(world.state, 2).bankrupts == (), "one's own debts are nobody else's to tell"
    assert measure(world.state, 3).held_until == world.second + WINDOW
    assert measure(world.state, 3).pays == 1_000 * USD
    assert world.force_action(Settle(2, 0)) == OK
    assert measure(world.state, 3).bankrupts == ()
    assert (measure(world.state, 3).takes, measure(world.state, 3).pays) == (1_000 * USD, 800 * USD)
    assert measure(world.state, 2).takes == 0


def test_nobody_is_told_to_take_more_than_the_group_has() -> None:
    """The winner claims 3,000 where 4,000 were paid in and 3,000 have left."""
    world = closed(70_000)
    world.pass_silence(WINDOW)
    for account in (3, 0):
        assert world.force_withdraw(account, 1_000 * USD) == OK
    found = measure(world.state, 1)
    assert (found.worth, found.takes) == (3_000 * USD, 2_000 * USD)
    assert world.force_withdraw(1, found.takes, least_paid=found.pays) == OK


def test_queue_is_applied_to_a_copy_as_a_public_batch() -> None:
    world = closed(51_000)
    world.pass_silence(WINDOW)
    before = measure(world.state, 1)
    wish = ForcedWithdraw(1, before.takes, before.pays).encode()
    queue = [Forced(address(trader(1)), world.second, wish).encode()]
    ahead = look_ahead(world.law, world.state, queue, world.second + 9)
    assert measure(world.state, 1) == before
    assert measure(ahead, 1).takes == 0
    assert measure(ahead, 1).rows == ((1, before.pays),)
    assert look_ahead(world.law, world.state, [], world.second) is world.state


def test_announcement_in_the_queue_counts_from_when_it_will_be_sealed() -> None:
    world = traded()
    second = world.second + SILENCE
    announce = Forced(address("anyone"), second, CloseMarket(0).encode()).encode()
    ahead = look_ahead(world.law, world.state, [announce], second + 7)
    assert measure(ahead, 1).positions[0].announced_at == second + 7


def test_refusal_is_told_until_something_better_follows() -> None:
    world = closed(51_000)
    assert measure(world.state, 3).refusal is None
    assert world.force_withdraw(3, USD) == Code.GROUP_HELD
    refusal = measure(world.state, 3).refusal
    assert refusal is not None
    assert refusal.code == Code.GROUP_HELD
    assert measure(world.state, 1).refusal is None
    world.pass_silence(WINDOW)
    assert world.force_withdraw(3, USD) == OK
    assert measure(world.state, 3).refusal is None


def test_accounts_are_found_by_their_owner() -> None:
    world = World(markets=MARKETS)
    for account in (1, 4):
        world.deposit(account, 1_000, owner="ada")
    assert find_accounts(world.state, address("ada")) == [1, 4]
    assert find_accounts(world.state, address("nobody")) == []
    assert measure(world.state, 2).owner == bytes(20)
    assert world.second == START
