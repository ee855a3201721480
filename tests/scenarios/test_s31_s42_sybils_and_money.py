"""Scenarios 31 to 42: copies, front-runners, refunds, bounties, bonds: who pays, and who is paid."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from challenger.game.dispute import MOVE_GAS, TIP
from challenger.game.types import Side
from challenger.strategy import acts
from optimist.base.merkle import ZERO
from tests.actors.actor import Actor, assert_hero_won, play
from tests.actors.crowds import PotDrainer, RefundSniper
from tests.actors.honest import Hero
from tests.actors.liars import Liar, Vulture
from tests.actors.mempool import Copycat, FrontRunner, Helper
from tests.lint.tree import REPOSITORY
from tests.support.arena import address
from tests.support.plays import get_answers, get_replay
from tests.support.scene import E1, E2, HONEST, PARAMETERS, SLOT, Scene, T
from tests.support.spoiling import Cut

BOND = PARAMETERS.bond
OUTSIDER = address(31)  # no bond, no claim
GWEI = 10**9
REVERT = bytes.fromhex("60006000fd")  # code of an account that takes no ether
CAP = PARAMETERS.gas_price_cap


@pytest.fixture
def scene() -> Scene:
    return Scene()


def settle(scene: Scene, *cast: Actor) -> None:
    """Play until the round is decided, and a while longer, so that everybody takes what is his."""
    play(scene, cast)
    end = scene.second + 3 * SLOT
    play(scene, cast, until=lambda: scene.second >= end)


# ------------------------------------------------------------------------------------------------ s31 to s34


def test_s31_whoever_sends_every_transaction_of_the_hero_first_gains_nothing(scene: Scene) -> None:
    runner = FrontRunner(E2)
    settle(scene, Liar(), runner, Hero())
    assert_hero_won(scene)
    assert runner.tried > 8
    answers = get_answers(scene, acts.AssertState) | get_answers(scene, acts.Reveal)
    assert answers == {""}  # a claim is the owner's: its copy is another claim
    assert scene.is_out(E1)
    assert scene.stage.get_profit(E1, E2) <= -BOND // 2


def test_s31_a_copied_claim_can_lose_only_itself(scene: Scene) -> None:
    copycat = Copycat(E2)
    settle(scene, Liar(), copycat, Hero())
    assert copycat.copied == 1
    own, copy = scene.claim_id(HONEST, scene.truth), scene.claim_id(E2, scene.truth)
    assert own != copy
    assert {own, copy} <= scene.arena.state.claims.keys()
    assert_hero_won(scene)


def test_s32_a_copy_that_loses_on_purpose_takes_nobody_with_it(scene: Scene) -> None:
    lie = scene.lie(2, 0)
    scene.claim(E1, lie)
    scene.claim(E2, scene.truth)  # it stands where the hero will stand, over garbage
    copy, evil = scene.claim_id(E2, scene.truth), scene.claim_id(E1, lie)
    end = scene.truth.get_history(1, 2).last_end
    assert scene.reveal_words(E2, copy, (b"\1" * 32, b"\2" * 32, b"\3" * 32, end)) == ""
    assert scene.reveal(E1, lie) == ""
    assert scene.open(E1, copy, evil, copy) == ""
    scene.at(SLOT)
    vulture = Vulture(E1, (copy, evil))
    play(scene, [vulture, Hero()], until=lambda: scene.is_out(E2))
    assert scene.arena.state.claims[evil].credit == BOND // 10  # won from the copy …
    assert scene.arena.rollup.is_live(scene.claim_id(HONEST, scene.truth))
    settle(scene, Hero())
    assert_hero_won(scene)
    assert scene.is_out(E1)
    assert scene.arena.play(E1, acts.ClaimCredit(evil)) == "NotConfirmed"  # … and never paid
    assert scene.stage.get_profit(E1, E2) == -2 * BOND


def test_s33_a_passer_by_may_strike_the_last_blow_and_is_not_paid_for_it(scene: Scene) -> None:
    lie = scene.lie(2, 0)
    helper = Helper(OUTSIDER, HONEST)
    settle(scene, Liar(lambda _: lie), helper, Hero())
    assert_hero_won(scene)
    assert scene.count(acts.Prove, by=OUTSIDER) == 1
    assert scene.count(acts.Prove, by=HONEST) == 0
    assert scene.stage.get_profit(OUTSIDER) == 0
    moves = scene.count(acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace) - scene.count(
        acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace, by=E1
    )
    bounty, refund = BOND // 10, moves * MOVE_GAS * TIP
    assert scene.stage.get_profit(HONEST) == bounty + refund  # the claim's owner, whoever moved


def test_s34_front_run_by_somebody_without_a_claim_everything_ends_alike() -> None:
    ends: list[object] = []
    for cast in ([], [FrontRunner(OUTSIDER, claims=False)]):
        scene = Scene()
        settle(scene, Liar(lambda s: s.lie(2, 0)), *cast, Hero())
        assert_hero_won(scene)
        claims = {
            claim.owner: (claim.status, claim.credit, claim.pot)
            for claim in scene.arena.state.claims.values()
            if claim.owner in (HONEST, E1)
        }
        assert all(each.tried > 5 for each in cast)
        ends.append((claims, scene.stage.get_profit(HONEST), scene.confirmed()))
    assert ends[0] == ends[1]


# ------------------------------------------------------------------------------------------------ s35 to s37


def play_at(base_fee: int) -> tuple[Scene, int, int]:
    """A dispute on the twin at a base fee; what the hero's moves cost at that price, and its refund."""
    scene = Scene(twin_only=True)
    scene.arena.base_fee = base_fee
    play(scene, [Liar(lambda s: s.lie(2, 0)), Hero()])
    hero = scene.claim_id(HONEST, scene.truth)
    moves = sum(
        isinstance(act, acts.Dissect | acts.CommitTrace | acts.CommitSecondTrace) and who == HONEST
        for who, act in get_replay(scene)
    )
    credit = scene.arena.state.claims[hero].credit
    bounty = BOND // 10
    return scene, moves * MOVE_GAS * (base_fee + TIP), credit - bounty


def test_s35_gas_ten_times_as_dear_is_refunded_up_to_the_cap() -> None:
    _, cost, refund = play_at(30 * GWEI)
    assert refund == cost > 0
    scene, cost, refund = play_at(300 * GWEI)
    assert_hero_won(scene)
    assert refund == cost * CAP // (300 * GWEI + TIP)
    pot = BOND * 40 // 100
    assert refund < pot
    assert cost - refund < BOND // 2  # what the hero is left with is less than what the liar has lost


def test_s36_what_a_mover_bids_for_its_gas_does_not_change_its_refund(scene: Scene) -> None:
    lie = scene.lie(2, 0)
    honest, evil = scene.begin(lie, honest_first=True)
    scene.kill(E1, lie, HONEST)
    moves = scene.match(honest, evil).moves[scene.side(honest, evil)]
    fresh = [act for _, act in get_replay(scene) if isinstance(act, acts.Collect)] == []
    refunds = []
    for bid in (0, 5_000 * GWEI):
        undo = scene.stage.remember()
        assert scene.stage.try_with_gas(HONEST, acts.Collect(honest, evil), 200_000, price=bid)
        refunds.append(scene.stage.contracts.read("Rollup", "getClaim", honest)["credit"] - BOND // 10)
        undo()
    assert fresh
    assert refunds == [moves * MOVE_GAS * TIP] * 2


def test_s37_all_that_a_pot_is_asked_for_is_not_more_than_it_holds() -> None:
    small = replace(PARAMETERS, bond=10**15)  # about three moves' worth
    scene = Scene(small)
    lie = scene.lie(2, 0)
    drainer = PotDrainer(E1, *(address(400 + i) for i in range(5)))
    settle(scene, drainer, Hero())
    assert_hero_won(scene)
    evil = scene.claim_id(E1, lie)
    assert scene.arena.state.claims[evil].pot == 0
    unpaid = [
        match.claims[side]
        for match in scene.arena.state.matches.values()
        for side in Side
        if match.moves[side] and match.claims[side.other] == evil
    ]
    owners = {claim: scene.arena.state.claims[claim].owner for claim in unpaid}
    assert {scene.arena.play(owners[claim], acts.Collect(claim, evil)) for claim in unpaid} == {"EmptyPot"}
    paid = sum(scene.stage.get_profit(each) for each in (*drainer.accounts[1:], HONEST))
    assert paid == small.bond // 10 + small.bond * 40 // 100
    scene.arena.check_ledger()
    contracts, claims = scene.stage.contracts, scene.arena.state.claims
    owed = sum(claim.credit + claim.pot for claim in claims.values())
    owed += sum(staker.bond for staker in scene.arena.state.stakers.values())
    assert contracts.get_balance("Rollup") >= owed


def test_s37_a_sniper_and_a_drainer_pay_for_it_themselves(scene: Scene) -> None:
    sniper = RefundSniper(E1, E2)
    settle(scene, sniper, Hero())
    assert sniper.struck
    assert_hero_won(scene)
    assert scene.stage.get_profit(*sniper.accounts) <= -BOND // 2
    assert scene.stage.get_profit(HONEST) > 0  # its moves are refunded, though it did not win the match


# ------------------------------------------------------------------------------------------------ s38 to s42


def test_s38_a_recipient_that_takes_no_money_holds_up_only_its_own(scene: Scene) -> None:
    other, lie = address(33), scene.lie(2, 0)
    both = [Hero(other), Hero()]
    play(scene, [Liar(lambda _: lie), *both], until=lambda: scene.is_out(E1))
    own = {player: scene.claim_id(player, scene.truth) for player in (HONEST, other)}
    evil = scene.claim_id(E1, lie)
    for player, claim in own.items():
        scene.arena.play(player, acts.Collect(claim, evil))
    owed = {player: scene.arena.state.claims[claim].credit for player, claim in own.items()}
    assert all(owed.values())
    stage = scene.stage
    scene.at(T + PARAMETERS.grace)
    assert stage.play(OUTSIDER, acts.Confirm(scene.node(scene.truth))) == ""
    stage.contracts.install(other, REVERT)
    stage.refusing.add(other)
    before = stage.contracts.get_balance("Rollup")
    assert stage.play(OUTSIDER, acts.ClaimCredit(own[other])) == "TransferFailed"
    assert stage.contracts.get_balance("Rollup") == before
    assert stage.play(OUTSIDER, acts.ClaimCredit(own[HONEST])) == ""
    assert stage.contracts.get_balance("Rollup") == before - owed[HONEST]


def measure_rivals(count: int) -> dict[str, int]:
    """Gas of what concerns one claim, among so many rivals."""
    scene = Scene()
    gas = {}
    for i in range(count):
        assert scene.claim(address(5_000 + i), scene.lie(1, 0, salt=100 + i)) == ""
    gas["assertState"] = scene.stage.get_gas_used()
    scene.claim(HONEST, scene.truth)
    scene.reveal(HONEST, scene.truth)
    honest = scene.claim_id(HONEST, scene.truth)
    scene.at(T)
    for i in range(count):
        evil = scene.claim_id(address(5_000 + i), scene.lie(1, 0, salt=100 + i))
        assert scene.arena.play(OUTSIDER, acts.TimeoutReveal(evil, honest)) == ""
        gas.setdefault("eliminate", scene.stage.get_gas_used())
    scene.at(T + PARAMETERS.grace)
    assert scene.arena.play(OUTSIDER, acts.Confirm(scene.node(scene.truth))) == ""
    gas["confirm"] = scene.stage.get_gas_used()
    return gas


def assert_flat(many: int) -> None:
    few, lots = measure_rivals(3), measure_rivals(many)
    for name, gas in few.items():
        assert abs(lots[name] - gas) < 300, (name, few, lots)  # zero bytes in ids are cheaper, nothing else


def test_s39_many_rivals_cost_nobody_more_gas() -> None:
    assert_flat(150)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_s39_ten_thousand_rivals_cost_nobody_more_gas() -> None:
    assert_flat(10_000)


def test_s39_no_loop_runs_over_claims_or_matches() -> None:
    loop = re.compile(r"\b(for|while|do)\b\s*[({]")
    for name in ("rollup/Rollup.sol", "dispute/Dispute.sol"):
        code = re.sub(r"//.*|/\*.*?\*/", "", (REPOSITORY / "solidity/src" / name).read_text())
        assert not loop.search(code), name


def test_s40_a_pair_is_matched_once_and_nobody_is_matched_with_itself(scene: Scene) -> None:
    honest, evil = scene.begin(scene.x, honest_first=True)
    left, right = sorted((honest, evil))
    play_again = scene.arena.play
    assert play_again(E1, acts.OpenMatch(left, right, left)) == "MatchExists"
    assert play_again(E1, acts.OpenMatch(right, left, left)) == "NotOrdered"
    assert play_again(E1, acts.OpenMatch(left, left, left)) == "NotOrdered"
    assert play_again(E1, acts.OpenMatch(left, right, ZERO)) == "NotInMatch"
    scene.claim(E2, scene.truth)
    scene.reveal(E2, scene.truth)
    assert scene.open(E1, honest, scene.claim_id(E2, scene.truth), honest) == "NotRivals"
    assert len(scene.arena.state.matches) == 1


def test_s40_matched_with_its_like_the_honest_side_would_find_no_difference() -> None:
    scene = Scene(cuts=[Cut("if claims[left].node == claims[right].node or", "if")])
    for player in (HONEST, E1):
        scene.claim(player, scene.truth)
        scene.reveal(player, scene.truth)
    honest, copy = scene.claim_id(HONEST, scene.truth), scene.claim_id(E1, scene.truth)
    assert scene.open(E1, honest, copy, honest) == ""
    scene.at(T)
    assert scene.arena.play(E1, acts.Timeout(scene.match(honest, copy).claims)) == ""
    assert scene.is_out(HONEST)


def test_s40_two_hands_of_one_owner_may_fight_and_only_lose(scene: Scene) -> None:
    scene.claim(E1, scene.x)
    scene.claim(E2, scene.truth)
    scene.kill(E1, scene.x, E2)
    scene.at(T)
    own = scene.claim_id(E2, scene.truth)
    assert scene.arena.play(E2, acts.Collect(own, scene.claim_id(E1, scene.x))) == ""
    assert scene.arena.play(E2, acts.Confirm(scene.node(scene.truth))) == ""
    assert scene.arena.play(E2, acts.ClaimCredit(own)) == ""
    assert -BOND < scene.stage.get_profit(E1, E2) <= -BOND // 2


def test_s41_a_bond_cannot_be_taken_out_while_it_stands_for_something(scene: Scene) -> None:
    scene.claim(E1, scene.truth)
    child = scene.node(scene.truth)
    scene.claim(E1, scene.truth, child)
    assert scene.arena.play(E1, acts.Withdraw()) == "ClaimUndecided"
    scene.at(T)
    assert scene.arena.play(E1, acts.Confirm(child)) == ""
    assert scene.arena.play(E1, acts.Withdraw()) == "ClaimUndecided"  # the deeper claim stands yet
    assert scene.arena.play(E1, acts.Confirm(scene.node(scene.truth, child))) == ""
    assert scene.arena.play(E1, acts.Withdraw()) == ""
    assert scene.arena.play(E1, acts.Withdraw()) == "NotStaked"
    assert scene.stage.get_profit(E1) == 0
    root = scene.truth.get_end_root(4)
    assert root is not None
    last = scene.node(scene.truth, child)
    claim = acts.AssertState(last, root, 4, scene.truth.batches[4].accumulator)
    assert scene.arena.play(E1, claim) == "NotStaked"
    assert scene.arena.play(E1, acts.Stake()) == ""  # the bond may be used again
    assert scene.arena.play(E1, claim) == ""


def test_s41_taken_out_early_the_claim_would_stand_for_nothing() -> None:
    old = "if staker.last_claim != ZERO and not self.is_confirmed(self.state.claims[staker.last_claim].node):"
    scene = Scene(cuts=[Cut(old, "if False:")])
    scene.claim(E1, scene.x)
    assert scene.arena.play(E1, acts.Withdraw()) == ""
    scene.claim(HONEST, scene.truth)
    scene.watch(lambda: scene.is_out(E1))
    assert all(claim.pot == 0 for claim in scene.arena.state.claims.values())  # it died for free


def test_s42_one_staker_stands_on_one_end_of_a_round(scene: Scene) -> None:
    scene.claim(E1, scene.x)
    scene.claim(HONEST, scene.truth)
    assert scene.claim(E1, scene.truth) == "WrongBranch"
    assert scene.claim(E1, scene.y) == "WrongBranch"
    assert scene.claim(E1, scene.x) == "WrongBranch"  # not even twice on its own
    assert scene.claim(E1, scene.truth, scene.node(scene.truth)) == "WrongBranch"  # nor below the other end
    counts = Counter(claim.owner for claim in scene.arena.state.claims.values())
    assert counts[E1] == 1
    scene.assert_truth_wins()
