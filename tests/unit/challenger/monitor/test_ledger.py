"""What the monitor says about money."""

from challenger.costs import compute_stand
from challenger.game.dispute import MOVE_GAS
from challenger.monitor.views import StakerView
from challenger.strategy import acts
from optimist.derive.commitments import GENESIS_ASSERTION
from tests.support.watched_game import GRACE, HONEST, LIAR, OTHER, PERIOD, WatchedGame

ETHER = 10**18


def find(game: WatchedGame, address: bytes) -> StakerView:
    return next(each for each in game.report().ledger.stakers if each.staker == address)


def test_bonds_are_locked_until_what_they_stand_on_is_confirmed() -> None:
    game = WatchedGame()
    game.claim(HONEST, game.truth)
    before = find(game, HONEST)
    assert (before.status, before.bond, before.is_withdrawable, before.expectation) == (
        "staked",
        ETHER,
        False,
        "returned",
    )
    game.at(PERIOD)
    game.land(OTHER, acts.Confirm(game.node(game.truth)))
    assert find(game, HONEST).is_withdrawable
    game.land(HONEST, acts.Withdraw())
    after = find(game, HONEST)
    assert (after.status, after.bond, after.is_withdrawable) == ("withdrawn", 0, False)
    assert game.report().ledger.liabilities == 0


def test_a_lost_bond_is_pot_bounty_and_ash() -> None:
    game = WatchedGame()
    true, false = game.claim(HONEST, game.truth), game.claim(LIAR, game.x)
    assert find(game, LIAR).expectation == "lost"
    game.arena.rollup.eliminate(game.arena.now, false, true)
    ledger = game.report().ledger
    assert (ledger.bonds, ledger.credits, ledger.pots) == (ETHER, ETHER // 10, ETHER * 4 // 10)
    assert ledger.burnt == ETHER // 2
    assert (ledger.balance, ledger.surplus, ledger.is_solvent) == (2 * ETHER, 0, True)
    loser, winner = find(game, LIAR), find(game, HONEST)
    assert (loser.status, loser.bond, loser.pot, loser.expectation) == ("out", 0, ETHER * 4 // 10, "lost")
    assert (winner.credit_due, winner.credit_locked, winner.credit_stranded) == (0, ETHER // 10, 0)
    game.at(PERIOD + GRACE)
    game.land(OTHER, acts.Confirm(game.node(game.truth)))
    winner = find(game, HONEST)
    assert (winner.credit_due, winner.credit_locked, winner.credit_stranded) == (ETHER // 10, 0, 0)


def test_credit_of_somebody_who_lost_the_bond_is_stranded() -> None:
    game = WatchedGame()
    true = game.claim(HONEST, game.truth)
    x, y = game.claim(LIAR, game.x), game.claim(OTHER, game.y)
    game.arena.rollup.eliminate(game.arena.now, y, x)  # a lie wins a bounty
    assert find(game, LIAR).credit_locked == ETHER // 10
    game.arena.rollup.eliminate(game.arena.now, x, true)
    assert find(game, LIAR).credit_stranded == ETHER // 10


def test_a_bond_on_a_true_claim_below_a_false_one_is_expected_to_be_lost() -> None:
    game = WatchedGame()
    game.claim(LIAR, game.x)
    game.claim(LIAR, game.truth, game.node(game.x))
    assert find(game, LIAR).expectation == "lost"


def test_moves_in_won_matches_are_refunds_until_they_are_collected() -> None:
    """To the wei what the player's own bookkeeping says."""
    game = WatchedGame()
    true, false = game.claim(HONEST, game.truth), game.claim(LIAR, game.x)
    game.reveal(HONEST, game.truth)
    game.reveal(LIAR, game.x)
    game.open(true, false, first=true)
    (dissect,) = [act for act in game.arena.plan(HONEST, game.truth).acts if isinstance(act, acts.Dissect)]
    game.land(HONEST, dissect)
    assert find(game, HONEST).refund_due == 0  # nothing is won yet
    game.at(PERIOD)
    game.land(OTHER, acts.Timeout((min(true, false), max(true, false))))
    owed = find(game, HONEST).refund_due
    assert owed == MOVE_GAS * game.parameters.gas_price_cap
    for address in (HONEST, LIAR):
        stand = compute_stand(game.parameters, game.arena.state, address)
        view = find(game, address)
        assert (stand.locked, stand.due, stand.pending, stand.refunds) == (
            view.bond,
            view.credit_due,
            view.credit_locked,
            view.refund_due,
        )
    game.land(HONEST, acts.Collect(true, false))
    assert find(game, HONEST).refund_due == 0


def test_solvency_is_the_balance_against_everything_owed() -> None:
    game = WatchedGame()
    game.claim(HONEST, game.truth, GENESIS_ASSERTION)
    for extra, is_solvent in ((0, True), (5, True), (-1, False)):
        ledger = game.report(extra=extra).ledger
        assert (ledger.is_solvent, ledger.surplus) == (is_solvent, extra)
