// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRollup} from "../../src/interfaces/IRollup.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Hashes} from "../../src/lib/Hashes.sol";
import {Histories} from "../support/Histories.sol";
import {RivalsTest} from "../support/RivalsTest.sol";

/// @notice A staker that refuses money.
contract Refuser {
    function stake(IRollup rollup) external payable {
        rollup.stake{value: msg.value}();
    }

    function withdraw(IRollup rollup) external {
        rollup.withdraw();
    }
}

/// @notice Every function of the Rollup by itself: who, when, and each reason to refuse.
contract RollupTest is RivalsTest {
    using Histories for Histories.History;

    function setUp() public {
        deployRivals();
    }

    function _kill(bytes32 claim, bytes32 winner) private {
        vm.prank(address(dispute));
        rollup.eliminate(claim, winner);
    }

    function _node(bytes32 claim) private view returns (bytes32) {
        return rollup.getClaim(claim).node;
    }

    /* BONDS */

    function test_stake_wrongValue_reverts() public {
        address carol = account("carol");
        vm.deal(carol, 2 * BOND);
        vm.startPrank(carol);
        vm.expectRevert(abi.encodeWithSelector(IRollup.WrongBond.selector, BOND - 1, BOND));
        rollup.stake{value: BOND - 1}();
        vm.expectRevert(abi.encodeWithSelector(IRollup.WrongBond.selector, BOND + 1, BOND));
        rollup.stake{value: BOND + 1}();
    }

    function test_stake_twice_reverts() public {
        vm.deal(alice, BOND);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.AlreadyStaked.selector, alice));
        rollup.stake{value: BOND}();
    }

    function test_stake_afterLosing_revertsForEver() public {
        liar = claimLie(mallory, parent, 3);
        _kill(liar, 0);
        vm.deal(mallory, BOND);
        vm.prank(mallory);
        vm.expectRevert(abi.encodeWithSelector(IRollup.StakerOut.selector, mallory));
        rollup.stake{value: BOND}();
    }

    function test_withdraw_neverClaimed_paysBack() public {
        address carol = newStaker("carol");
        vm.startPrank(carol);
        rollup.withdraw();
        assertEq(carol.balance, BOND);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotStaked.selector, carol));
        rollup.withdraw();
        rollup.stake{value: BOND}();
    }

    function test_withdraw_lastClaimUndecided_reverts() public {
        bytes32 last = rollup.getStaker(alice).lastClaim;
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimUndecided.selector, last));
        rollup.withdraw();
    }

    function test_withdraw_toAContractThatRefuses_reverts() public {
        Refuser refuser = new Refuser();
        vm.deal(address(this), BOND);
        refuser.stake{value: BOND}(rollup);
        vm.expectRevert(abi.encodeWithSelector(IRollup.TransferFailed.selector, address(refuser), BOND));
        refuser.withdraw(rollup);
    }

    function test_setOperator_onlyByTheOwnerOfALiveClaim() public {
        bytes32 claim = rollup.getStaker(alice).lastClaim;
        vm.prank(mallory);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotOwner.selector, mallory, alice));
        rollup.setOperator(claim, mallory);
        vm.startPrank(alice);
        vm.expectRevert(Errors.ZeroAddress.selector);
        rollup.setOperator(claim, address(0));
        rollup.setOperator(claim, trudy);
        assertTrue(rollup.mayMove(claim, trudy));
        assertFalse(rollup.mayMove(claim, mallory));
        assertFalse(rollup.mayMove(claim, address(0)));
        vm.stopPrank();
        _kill(claim, 0);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimNotLive.selector, claim));
        rollup.setOperator(claim, trudy);
    }

    /* ASSERT */

    function _expectAssert(address owner, bytes32 above, uint64 to, bytes32 acc, bytes memory reason)
        private
    {
        vm.prank(owner);
        vm.expectRevert(reason);
        rollup.assertState(above, "root", to, acc);
    }

    function test_assertState_withoutABond_reverts() public {
        address carol = account("carol");
        _expectAssert(carol, parent, 3, 0, abi.encodeWithSelector(IRollup.NotStaked.selector, carol));
    }

    function test_assertState_unknownParent_reverts() public {
        _expectAssert(alice, "?", 3, 0, abi.encodeWithSelector(IRollup.UnknownNode.selector, bytes32("?")));
    }

    function test_assertState_anotherRange_reverts() public {
        bytes32 acc = expectedAcc(parent);
        _expectAssert(alice, parent, 2, acc, abi.encodeWithSelector(IRollup.UnexpectedRange.selector, 2, 3));
        bytes32 other = bytes32(uint256(acc) ^ 1);
        _expectAssert(
            alice, parent, 3, other, abi.encodeWithSelector(IRollup.WrongHistory.selector, other, acc)
        );
    }

    function test_assertState_rangeStillToCome_reverts() public {
        honest = claimTruth(alice, parent);
        bytes32 node = _node(honest);
        assertEq(rollup.getRound(node).to, 4);
        skip(MIN_PERIOD);
        _expectAssert(alice, node, 4, 0, abi.encodeWithSelector(IRollup.RangeNotSealed.selector, 4, 3));
        sealBatch(1);
        claimTruth(alice, node);
    }

    function test_assertState_rangeIsFixedWhenTheParentIsCreated() public {
        sealBatch(1); // comes after the node over batch 1: not in its round's range
        assertEq(rollup.getRound(parent).to, 3);
        assertFalse(rollup.getRound(parent).full);
        assertEq(rollup.inputCount(parent), INPUTS);
    }

    function test_assertState_sameClaimTwice_reverts() public {
        honest = claimTruth(alice, parent);
        bytes32 root = players[honest].roots[INPUTS - 1];
        bytes32 acc = expectedAcc(parent);
        vm.prank(alice);
        vm.expectPartialRevert(IRollup.WrongBranch.selector);
        rollup.assertState(parent, root, 3, acc);
        // With the parent confirmed and the bond free, it is still the same claim.
        skip(PERIOD);
        rollup.confirm(parent);
        rollup.confirm(_node(honest));
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.RoundClosed.selector, parent));
        rollup.assertState(parent, root, 3, acc);
    }

    /// @dev The branch rule makes this unreachable; the check stands on its own all the same.
    function test_assertState_existingClaim_revertsEvenIfTheBranchWereFree() public {
        bytes32 above = rollup.getStaker(alice).lastClaim;
        honest = claimTruth(alice, parent);
        bytes32 slot = bytes32(uint256(keccak256(abi.encode(alice, uint256(2)))) + 1);
        assertEq(vm.load(address(rollup), slot), honest);
        vm.store(address(rollup), slot, above);
        bytes32 acc = expectedAcc(parent);
        bytes32 root = players[honest].roots[INPUTS - 1];
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimExists.selector, honest));
        rollup.assertState(parent, root, 3, acc);
    }

    function test_assertState_claimOnADeadEndAgain_reverts() public {
        liar = claimLie(mallory, parent, 3);
        _kill(liar, 0);
        bytes32 root = players[liar].roots[INPUTS - 1];
        bytes32 acc = expectedAcc(parent);
        // The staker is out, so it has no bond; the id alone would refuse too.
        vm.prank(mallory);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotStaked.selector, mallory));
        rollup.assertState(parent, root, 3, acc);
    }

    function test_assertState_belowAnUnconfirmedNodeNotHeld_reverts() public {
        address carol = newStaker("carol");
        bytes32 acc = expectedAcc(parent);
        bytes memory reason = abi.encodeWithSelector(IRollup.WrongBranch.selector, parent, bytes32(0));
        _expectAssert(carol, parent, 3, acc, reason);
        skip(PERIOD);
        rollup.confirm(parent);
        claimTruth(carol, parent);
    }

    function test_assertState_onTwoBranchesOfOneRound_reverts() public {
        honest = claimTruth(alice, parent);
        bytes32 acc = expectedAcc(parent);
        bytes memory reason = abi.encodeWithSelector(IRollup.WrongBranch.selector, parent, honest);
        _expectAssert(alice, parent, 3, acc, reason);
        skip(PERIOD);
        rollup.confirm(parent);
        _expectAssert(alice, parent, 3, acc, reason);
    }

    function test_assertState_newNodeWithinMinPeriod_reverts() public {
        bytes32 genesis = rollup.GENESIS();
        honest = claimTruth(alice, parent);
        bytes32 node = _node(honest);
        sealBatch(1);
        uint256 ripe = block.timestamp + MIN_PERIOD;
        skip(MIN_PERIOD - 1);
        bytes32 acc = expectedAcc(node);
        _expectAssert(alice, node, 4, acc, abi.encodeWithSelector(IRollup.TooEarly.selector, ripe - 1, ripe));
        skip(1);
        bytes32 child = claimTruth(alice, node);
        assertEq(rollup.getNode(_node(child)).batch, 4);
        assertTrue(rollup.isOpen(genesis));
    }

    function test_assertState_fullRange_needsNoMinPeriod() public {
        // Five batches of four inputs after batch 3: four fit a range of 16.
        for (uint256 i = 0; i < 5; ++i) {
            sealBatch(3);
        }
        honest = claimTruth(alice, parent);
        bytes32 node = _node(honest);
        assertEq(rollup.getRound(node).to, 7);
        assertTrue(rollup.getRound(node).full);
        claimTruth(alice, node);
    }

    function test_assertState_support_needsNoMinPeriod() public {
        honest = claimTruth(alice, parent);
        bytes32 other = claimTruth(trudy, parent);
        assertEq(_node(honest), _node(other));
        assertEq(rollup.getNode(_node(honest)).live, 2);
        assertEq(rollup.getRound(parent).liveEnds, 1);
    }

    /* JOINING, to the second */

    function test_join_rivalToTheSoleEnd_untilPeriodFromItsBirth() public {
        uint256 born = block.timestamp;
        claimTruth(alice, parent);
        skip(PERIOD);
        bytes32 acc = expectedAcc(parent);
        bytes memory reason =
            abi.encodeWithSelector(IRollup.JoinClosed.selector, born + PERIOD, born + PERIOD);
        _expectAssert(mallory, parent, 3, acc, reason);
        vm.warp(born + PERIOD - 1);
        claimLie(mallory, parent, 3);
        IRollup.Round memory round = rollup.getRound(parent);
        assertEq(round.liveEnds, 2);
        assertEq(round.rivalAt, born + PERIOD - 1);
        assertEq(round.until, born + PERIOD);
    }

    function test_join_soleEnd_isOpenForEver() public {
        claimTruth(alice, parent);
        skip(50 * PERIOD);
        claimTruth(trudy, parent);
        assertEq(rollup.getRound(parent).liveEnds, 1);
    }

    function test_join_incumbent_untilPeriodFromItsRival() public {
        claimTruth(alice, parent);
        skip(PERIOD - 1);
        claimLie(mallory, parent, 3);
        uint256 rivalAt = block.timestamp;
        skip(PERIOD);
        bytes32 acc = expectedAcc(parent);
        bytes32 root = rootsFor(parent, NEVER, 0)[INPUTS - 1];
        vm.prank(trudy);
        vm.expectRevert(
            abi.encodeWithSelector(IRollup.JoinClosed.selector, rivalAt + PERIOD, rivalAt + PERIOD)
        );
        rollup.assertState(parent, root, 3, acc);
        vm.warp(rivalAt + PERIOD - 1);
        claimTruth(trudy, parent);
    }

    function test_join_thirdEnd_untilPeriodFromTheIncumbentsBirth() public {
        uint256 born = block.timestamp;
        claimTruth(alice, parent);
        skip(10);
        claimLie(mallory, parent, 3);
        vm.warp(born + PERIOD);
        bytes32 acc = expectedAcc(parent);
        bytes memory reason =
            abi.encodeWithSelector(IRollup.JoinClosed.selector, born + PERIOD, born + PERIOD);
        _expectAssert(trudy, parent, 3, acc, reason);
        vm.warp(born + PERIOD - 1);
        claimFor(trudy, parent, 4, 2, "another lie");
        assertEq(rollup.getRound(parent).liveEnds, 3);
    }

    function test_join_emptyRound_isOpenForEverAndBornAnew() public {
        liar = claimLie(mallory, parent, 3);
        _kill(liar, 0);
        assertEq(rollup.getRound(parent).liveEnds, 0);
        assertEq(rollup.getRound(parent).xorLive, 0);
        skip(50 * PERIOD);
        bytes32 again = claimLie(trudy, parent, 3);
        assertEq(_node(again), _node(liar));
        assertEq(rollup.getNode(_node(again)).born, block.timestamp);
        assertEq(rollup.getRound(parent).xorLive, _node(again));
    }

    /* REVEAL */

    function test_reveal_byOwnerOrOperator_only() public {
        honest = claimTruth(alice, parent);
        bytes32[] memory list = historyOf(honest).top();
        vm.prank(mallory);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotOwner.selector, mallory, alice));
        rollup.reveal(honest, list);
        vm.prank(alice);
        rollup.setOperator(honest, trudy);
        vm.prank(trudy);
        rollup.reveal(honest, list);
        assertEq(rollup.getClaim(honest).top, historyOf(honest).root());
        assertEq(rollup.getClaim(honest).revealedAt, block.timestamp);
    }

    function test_reveal_twiceOrDead_reverts() public {
        claimBoth(3, 2);
        reveal(honest);
        bytes32[] memory list = historyOf(honest).top();
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.AlreadyRevealed.selector, honest));
        rollup.reveal(honest, list);
        _kill(liar, 0);
        list = historyOf(liar).top();
        vm.prank(mallory);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimNotLive.selector, liar));
        rollup.reveal(liar, list);
    }

    function test_reveal_wrongLengthOrEnd_reverts() public {
        honest = claimTruth(alice, parent);
        bytes32 node = _node(honest);
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLength.selector, 3, 4));
        rollup.reveal(honest, new bytes32[](3));
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongEnd.selector, Hashes.node(parent, 0), node));
        rollup.reveal(honest, new bytes32[](4));
    }

    function test_timeoutReveal_periodFromTheRivalsBirth_toTheSecond() public {
        honest = claimTruth(alice, parent);
        skip(100);
        liar = claimLie(mallory, parent, 3);
        reveal(honest);
        uint256 late = block.timestamp + PERIOD - 100;
        vm.warp(late - 1);
        vm.expectRevert(abi.encodeWithSelector(IRollup.TooEarly.selector, late - 1, late));
        rollup.timeoutReveal(liar, honest);
        skip(1);
        rollup.timeoutReveal(liar, honest);
        assertDead(liar);
        // Nobody wins: what is neither pot nor bounty is burnt.
        assertEq(rollup.getClaim(honest).credit, 0);
        assertEq(rollup.getClaim(liar).pot, BOND * 40 / 100);
    }

    function test_timeoutReveal_revealedClaim_reverts() public {
        claimBoth(3, 2);
        reveal(honest);
        skip(PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IRollup.AlreadyRevealed.selector, honest));
        rollup.timeoutReveal(honest, liar);
    }

    function test_timeoutReveal_againstItsOwnSide_reverts() public {
        honest = claimTruth(alice, parent);
        bytes32 copy = claimTruth(trudy, parent);
        skip(PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotRivals.selector, copy, honest));
        rollup.timeoutReveal(copy, honest);
    }

    function test_timeoutReveal_againstAClaimOfAnotherRound_reverts() public {
        liar = claimLie(mallory, parent, 3);
        bytes32 above = rollup.getStaker(alice).lastClaim;
        skip(PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotRivals.selector, liar, above));
        rollup.timeoutReveal(liar, above);
    }

    /* DEATH */

    function test_eliminateAndRefund_byAnyoneButTheDispute_revert() public {
        honest = claimTruth(alice, parent);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotDispute.selector, address(this), address(dispute)));
        rollup.eliminate(honest, 0);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotDispute.selector, address(this), address(dispute)));
        rollup.refund(honest, honest, 1);
    }

    function test_eliminate_splitsTheBond() public {
        claimBoth(3, 2);
        vm.expectEmit(address(rollup));
        emit IRollup.Eliminated(
            liar, _node(liar), honest, uint40(block.timestamp), uint128(BOND) * 40 / 100, BOND / 10
        );
        _kill(liar, honest);
        assertEq(rollup.getClaim(liar).pot, BOND * 40 / 100);
        assertEq(rollup.getClaim(honest).credit, BOND / 10);
        assertEq(rollup.getRound(parent).decidedAt, block.timestamp);
        assertEq(rollup.getRound(parent).xorLive, _node(honest));
    }

    function test_eliminate_aSupporterOfALiveEnd_doesNotBeginTheGracePeriod() public {
        honest = claimTruth(alice, parent);
        _kill(claimTruth(mallory, parent), 0);
        assertEq(rollup.getRound(parent).decidedAt, 0);
        assertEq(rollup.getNode(_node(honest)).live, 1);
    }

    function test_refund_neverMoreThanThePot() public {
        claimBoth(3, 2);
        _kill(liar, honest);
        vm.startPrank(address(dispute));
        assertEq(rollup.refund(honest, liar, BOND / 10), BOND / 10);
        assertEq(rollup.refund(honest, liar, BOND), BOND * 30 / 100);
        vm.expectRevert(abi.encodeWithSelector(IRollup.EmptyPot.selector, liar));
        rollup.refund(honest, liar, 1);
        vm.expectRevert(abi.encodeWithSelector(IRollup.StakerOut.selector, mallory));
        rollup.refund(liar, liar, 1);
    }

    function test_refund_bondLostForAnotherClaim_comesFromTheSamePot() public {
        bytes32 above = rollup.getStaker(mallory).lastClaim;
        claimBoth(3, 2);
        vm.prank(address(dispute));
        vm.expectRevert(abi.encodeWithSelector(IRollup.EmptyPot.selector, above));
        rollup.refund(honest, above, 1);
        _kill(liar, honest);
        vm.startPrank(address(dispute));
        assertEq(rollup.refund(honest, above, BOND / 10), BOND / 10);
        assertEq(rollup.getClaim(liar).pot, BOND * 30 / 100);
        assertEq(rollup.refund(honest, above, BOND), BOND * 30 / 100);
        vm.expectRevert(abi.encodeWithSelector(IRollup.EmptyPot.selector, liar));
        rollup.refund(honest, liar, 1);
        assertEq(rollup.getClaim(honest).credit, BOND / 10 + BOND * 40 / 100);
    }

    function test_prune_claimOfAnOutStaker_leavesTheCount() public {
        bytes32 above = rollup.getStaker(mallory).lastClaim;
        liar = claimLie(mallory, parent, 3);
        vm.expectRevert(abi.encodeWithSelector(IRollup.StakerNotOut.selector, mallory));
        rollup.prune(above);
        _kill(liar, 0);
        assertFalse(rollup.isLive(above));
        assertEq(rollup.getNode(parent).live, 3);
        rollup.prune(above);
        assertEq(rollup.getNode(parent).live, 2);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimNotLive.selector, above));
        rollup.prune(above);
    }

    function test_prune_afterTheDecision_reverts() public {
        bytes32 above = rollup.getStaker(mallory).lastClaim;
        liar = claimLie(mallory, parent, 3);
        skip(PERIOD);
        rollup.confirm(parent);
        _kill(liar, 0);
        bytes32 genesis = rollup.GENESIS();
        vm.expectRevert(abi.encodeWithSelector(IRollup.RoundClosed.selector, genesis));
        rollup.prune(above);
    }

    /* CONFIRM */

    function test_confirm_periodFromBirth_toTheSecond() public {
        uint256 ripe = uint256(rollup.getNode(parent).born) + PERIOD;
        vm.warp(ripe - 1);
        vm.expectRevert(abi.encodeWithSelector(IRollup.TooEarly.selector, ripe - 1, ripe));
        rollup.confirm(parent);
        skip(1);
        rollup.confirm(parent);
        assertTrue(rollup.isConfirmed(parent));
        bytes32 genesis = rollup.GENESIS();
        assertFalse(rollup.isOpen(genesis));
        vm.expectRevert(abi.encodeWithSelector(IRollup.RoundClosed.selector, genesis));
        rollup.confirm(parent);
    }

    function test_confirm_graceAfterADeath_toTheSecond() public {
        claimBoth(3, 2);
        skip(PERIOD);
        rollup.confirm(parent);
        _kill(liar, honest);
        uint256 ripe = block.timestamp + GRACE;
        bytes32 node = _node(honest);
        skip(GRACE - 1);
        vm.expectRevert(abi.encodeWithSelector(IRollup.TooEarly.selector, ripe - 1, ripe));
        rollup.confirm(node);
        skip(1);
        rollup.confirm(node);
    }

    function test_confirm_unknownNodeOrUnconfirmedParent_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IRollup.UnknownNode.selector, bytes32("?")));
        rollup.confirm("?");
        honest = claimTruth(alice, parent);
        bytes32 node = _node(honest);
        skip(PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ParentUnconfirmed.selector, parent));
        rollup.confirm(node);
        bytes32 genesis = rollup.GENESIS();
        vm.expectRevert(abi.encodeWithSelector(IRollup.ParentUnconfirmed.selector, bytes32(0)));
        rollup.confirm(genesis);
    }

    function test_confirm_withTwoEndsOrNoClaim_reverts() public {
        claimBoth(3, 2);
        bytes32 node = _node(liar);
        skip(PERIOD);
        rollup.confirm(parent);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotSoleEnd.selector, 1, 2));
        rollup.confirm(node);
        _kill(liar, honest);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotSoleEnd.selector, 0, 1));
        rollup.confirm(node);
    }

    /* CREDIT */

    function test_claimCredit_onlyOnAConfirmedNodeAndOnce() public {
        claimBoth(3, 2);
        _kill(liar, honest);
        bytes32 node = _node(honest);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotConfirmed.selector, node));
        rollup.claimCredit(honest);
        skip(PERIOD);
        rollup.confirm(parent);
        rollup.confirm(node);
        rollup.claimCredit(honest);
        assertEq(alice.balance, BOND / 10);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NoCredit.selector, honest));
        rollup.claimCredit(honest);
    }

    function test_claimCredit_ownerLostElsewhere_reverts() public {
        claimBoth(3, 2);
        _kill(liar, honest);
        skip(PERIOD);
        rollup.confirm(parent);
        sealBatch(2);
        bytes32 child = claimLie(alice, _node(honest), 1);
        rollup.confirm(_node(honest));
        _kill(child, 0);
        vm.expectRevert(abi.encodeWithSelector(IRollup.StakerOut.selector, alice));
        rollup.claimCredit(honest);
    }

    /* READING */

    function test_eventsAndViews_ofAFirstClaim_agree() public {
        bytes32 root = rootsFor(parent, NEVER, 0)[INPUTS - 1];
        bytes32 acc = expectedAcc(parent);
        bytes32 end = Hashes.leaf(root, 3, 0);
        bytes32 node = Hashes.node(parent, end);
        bytes32 claim = Hashes.claim(node, alice);
        uint40 time = uint40(block.timestamp);
        vm.expectEmit(address(rollup));
        emit IRollup.NodeCreated(node, parent, end, root, 1, 3, acc, 4, false);
        vm.expectEmit(address(rollup));
        emit IRollup.Claimed(claim, node, alice, time, time);
        vm.prank(alice);
        assertEq(rollup.assertState(parent, root, 3, acc), claim);
        IRollup.Node memory stored = rollup.getNode(node);
        assertEq(stored.parent, parent);
        assertEq(stored.batch, 3);
        assertEq(stored.born, time);
        assertEq(rollup.roundOf(claim), parent);
        assertEq(rollup.getStaker(alice).lastClaim, claim);
    }

    function test_rivalAppeared_event_carriesTheDeadlines() public {
        bytes32 node = _node(claimTruth(alice, parent));
        uint40 born = uint40(block.timestamp);
        skip(7);
        vm.expectEmit(address(rollup));
        emit IRollup.RivalAppeared(parent, node, born + 7, born + PERIOD);
        claimLie(mallory, parent, 3);
    }
}
