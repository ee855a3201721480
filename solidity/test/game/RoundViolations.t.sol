// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {RivalsTest} from "../support/RivalsTest.sol";

/// @notice Attacks on rounds, clocks and bonds that broke earlier forms of the game, each in its own test. "True" ends
/// are alice's; mallory and trudy attack. V1 to V23 are explained in README.md.
contract RoundViolationsTest is RivalsTest {
    uint256 internal start;

    function setUp() public {
        deployRivals();
        start = block.timestamp;
    }

    function _node(bytes32 claim) private view returns (bytes32) {
        return rollup.getClaim(claim).node;
    }

    function _confirmParent() private {
        uint256 ripe = uint256(rollup.getNode(parent).born) + PERIOD;
        if (block.timestamp < ripe) vm.warp(ripe);
        rollup.confirm(parent);
    }

    /// @dev What a bond's owner does to its own claim at will: lose a match on purpose.
    function _sacrifice(bytes32 claim, bytes32 winner) private {
        vm.prank(address(dispute));
        rollup.eliminate(claim, winner);
    }

    function test_V1_deadEndAssertedAgain_countsAsALiveEnd() public {
        liar = claimLie(mallory, parent, 3);
        honest = claimTruth(alice, parent);
        skip(PERIOD / 2);
        _sacrifice(liar, honest);
        bytes32 again = claimLie(trudy, parent, 3);
        assertEq(_node(again), _node(liar));
        assertEq(rollup.getRound(parent).liveEnds, 2);
        _confirmParent();
        vm.warp(start + PERIOD);
        bytes32 falseNode = _node(again);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotSoleEnd.selector, 1, 2));
        rollup.confirm(falseNode);
        // Its birth is the second one.
        assertEq(rollup.getNode(falseNode).born, start + PERIOD / 2);
    }

    function test_V2_decoyPutsTheTruthFirst_lateLieIsStillAnswered() public {
        // Trudy asserts the truth, so nobody else does. In the last second mallory brings the lie and reveals.
        bytes32 decoy = claimTruth(trudy, parent);
        skip(PERIOD - 1);
        liar = claimLie(mallory, parent, 3);
        reveal(liar);
        skip(PERIOD / 2); // alice notices late
        honest = claimTruth(alice, parent);
        reveal(honest);
        openMatch(honest, liar, liar);
        // Mallory's clock runs from the birth of the true node: a second is left, and that has passed.
        skip(1);
        (bytes32 a, bytes32 b) = ordered(honest, liar);
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        assertEq(m.turnB ? m.clockB : m.clockA, 1);
        dispute.timeout(a, b);
        assertDead(liar);
        // The decoy never reveals and is of no consequence.
        _confirmParent();
        skip(GRACE);
        bytes32 trueNode = _node(honest);
        rollup.confirm(trueNode);
        assertEq(trueNode, _node(decoy));
    }

    function test_V2b_lateJoiner_isNotChargedForTheTimeBeforeTheLie() public {
        claimTruth(trudy, parent);
        skip(PERIOD - 1);
        liar = claimLie(mallory, parent, 3);
        skip(PERIOD - 1);
        honest = claimTruth(alice, parent);
        uint256 late = start + PERIOD - 1 + PERIOD;
        vm.expectRevert(abi.encodeWithSelector(IRollup.TooEarly.selector, block.timestamp, late));
        rollup.timeoutReveal(honest, liar);
        reveal(honest);
        reveal(liar);
        openMatch(honest, liar, honest);
        (bytes32 a,) = ordered(honest, liar);
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        assertEq(honest == a ? m.clockA : m.clockB, 1); // its latency since the lie's birth, no more
        assertEq(honest == a ? m.clockB : m.clockA, 0);
    }

    function test_V2c_endThatWasFirstAndDied_isNoIncumbent() public {
        liar = claimLie(mallory, parent, 3);
        skip(1);
        claimTruth(trudy, parent);
        _sacrifice(liar, 0);
        skip(PERIOD - 1);
        address eve = _newStakerOnParent("eve");
        bytes32 again = claimFor(eve, parent, 3, 2, "lie");
        assertEq(_node(again), _node(liar));
        // The truth was alone when this rival came: it can be joined for a whole period.
        skip(PERIOD - 1);
        honest = claimTruth(alice, parent);
        assertLive(honest);
    }

    function _newStakerOnParent(string memory name) private returns (address who) {
        who = newStaker(name);
        claimTruth(who, rollup.GENESIS());
    }

    function test_V3_timeoutAgainstADeadOpponent_reverts() public {
        claimBoth(3, 2);
        reveal(honest);
        reveal(liar);
        openMatch(honest, liar, honest);
        bytes32 copy = claimTruth(trudy, parent);
        _sacrifice(liar, copy);
        skip(PERIOD); // alice rightly stopped playing
        (bytes32 a, bytes32 b) = ordered(honest, liar);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimNotLive.selector, liar));
        dispute.timeout(a, b);
        assertLive(honest);
    }

    function test_V4_lazyClaimWithoutALivingRival_cannotTimeOut() public {
        claimBoth(3, 2);
        _sacrifice(liar, 0);
        skip(2 * PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimNotLive.selector, liar));
        rollup.timeoutReveal(honest, liar);
    }

    function test_V5_claimOfADecidedRound_cannotBeKilled() public {
        claimBoth(3, 2);
        reveal(liar);
        bytes32 copy = claimTruth(trudy, parent);
        _sacrifice(liar, copy);
        _confirmParent();
        vm.warp(start + PERIOD + GRACE);
        rollup.confirm(_node(honest));
        assertFalse(rollup.isLive(honest));
        vm.expectRevert(abi.encodeWithSelector(IRollup.RoundClosed.selector, parent));
        rollup.timeoutReveal(honest, copy);
    }

    function test_V6_revealAfterTheWholePeriod_leavesNoImmortalClaim() public {
        claimBoth(3, 2);
        reveal(honest);
        skip(PERIOD + 5);
        reveal(liar);
        openMatch(honest, liar, liar);
        (bytes32 a, bytes32 b) = ordered(honest, liar);
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        assertEq(m.turnB ? m.clockB : m.clockA, 0);
        dispute.timeout(a, b);
        assertDead(liar);
    }

    function test_V7_oneBondBehindTwoClaims_isSplitOnce() public {
        // Mallory's bond backs a lie and, on the node above, the truth.
        bytes32 above = rollup.getStaker(mallory).lastClaim;
        claimBoth(3, 2);
        uint256 balance = address(rollup).balance;
        _sacrifice(liar, honest);
        assertEq(rollup.getClaim(liar).pot + rollup.getClaim(honest).credit, uint256(BOND) * 50 / 100);
        // The other claim no longer counts: it cannot be killed, only pruned, and brings nothing.
        assertFalse(rollup.isLive(above));
        address eve = newStaker("eve");
        bytes32 rival = claimFor(eve, rollup.GENESIS(), 0, 2, "eve");
        skip(PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimNotLive.selector, above));
        rollup.timeoutReveal(above, rival);
        // Even a match that was lost in both rounds at once: the second split finds no bond.
        _sacrifice(above, rival);
        assertEq(rollup.getClaim(above).pot, 0);
        assertEq(rollup.getClaim(rival).credit, 0);
        assertEq(address(rollup).balance, balance + BOND);
    }

    function test_V8_burntBond_cannotBeWithdrawn() public {
        honest = claimTruth(alice, parent);
        bytes32 copy = claimTruth(trudy, parent);
        _sacrifice(copy, 0);
        _confirmParent();
        skip(PERIOD);
        rollup.confirm(_node(honest));
        assertTrue(rollup.isConfirmed(_node(copy)));
        vm.prank(trudy);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotStaked.selector, trudy));
        rollup.withdraw();
        vm.expectRevert(abi.encodeWithSelector(IRollup.StakerOut.selector, trudy));
        rollup.claimCredit(copy);
    }

    function test_V9_watcherReachesARoundBelowOldUndisputedNodes() public {
        // Trudy asserts two true nodes, one below the other; much later a lie appears below the second.
        bytes32 first = _node(claimTruth(trudy, parent));
        sealBatch(2);
        skip(MIN_PERIOD);
        bytes32 second = _node(claimTruth(trudy, first));
        sealBatch(2);
        claimTruth(mallory, parent);
        claimTruth(mallory, first);
        skip(5 * PERIOD);
        liar = claimLie(mallory, second, 1);
        // Alice stands on none of them, and all are unconfirmed. She joins each in turn and answers the lie.
        claimTruth(alice, parent);
        claimTruth(alice, first);
        honest = claimTruth(alice, second);
        reveal(honest);
        reveal(liar);
        openMatch(honest, liar, honest);
        playOut(honest, liar);
        assertDead(liar);
        assertLive(honest);
    }

    function test_V19_rangeFixedByAnother_revertsTheClaim() public {
        // Alice prepares two claims in a row; the first range turns out shorter, because somebody was faster.
        sealBatch(2);
        bytes32 acc = inbox.getBatch(4).acc;
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.UnexpectedRange.selector, 4, 3));
        rollup.assertState(parent, "after batch 4", 4, acc);
        assertEq(rollup.getStaker(alice).bond, BOND);
    }

    function test_V20_tinyRanges_needTimeBetweenNodes() public {
        bytes32 node = parent;
        uint256 nodes = 0;
        uint256 until = block.timestamp + 10 * MIN_PERIOD;
        while (block.timestamp < until) {
            sealBatch(0);
            bytes32 acc = expectedAcc(node);
            uint64 to = rollup.getRound(node).to;
            vm.prank(trudy);
            try rollup.assertState(node, bytes32(nodes), to, acc) returns (bytes32 claim) {
                node = _node(claim);
                ++nodes;
            } catch (bytes memory reason) {
                assertEq(bytes32(bytes4(reason)), bytes32(IRollup.TooEarly.selector));
            }
            skip(1);
        }
        assertEq(nodes, 10);
    }

    function test_V21_opponentKilledByItsOwnFriend_movesAreStillRefunded() public {
        claimBoth(3, 2);
        reveal(honest);
        reveal(liar);
        openMatch(honest, liar, honest);
        playToProof();
        // One move before alice wins, mallory's lie loses on purpose to trudy's copy of the truth.
        bytes32 copy = claimTruth(trudy, parent);
        _sacrifice(liar, copy);
        assertEq(rollup.getClaim(copy).credit, BOND / 10);
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        uint256 moves = honest < liar ? m.movesA : m.movesB;
        assertGt(moves, 0);
        vm.fee(10 gwei);
        assertEq(collect(honest, liar), moves * dispute.MOVE_GAS() * 12 gwei);
    }

    function test_V21_opponentLostItsBondOneRoundBelow_movesAreStillRefunded() public {
        openRivals(5, 2, false);
        bytes32 hand = claimFor(trudy, parent, 5, 2, "lie");
        assertEq(players[hand].node, players[liar].node);
        playToProof(); // all but the last blow
        // Below their common false end, mallory's bond is lost to a hand of her own.
        bytes32 end = players[liar].node;
        sealBatch(1);
        skip(MIN_PERIOD);
        bytes32 below = claimFor(mallory, end, 0, 2, "lie below");
        bytes32 other = claimFor(trudy, end, NEVER, 0, 0);
        _sacrifice(below, other);
        rollup.prune(liar);
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        uint256 moves = honest < liar ? m.movesA : m.movesB;
        assertGt(moves, 0);
        uint256 expected = moves * dispute.MOVE_GAS() * 2 gwei;
        assertEq(collect(honest, liar), expected);
        assertEq(rollup.getClaim(below).pot, BOND * 40 / 100 - expected);
    }

    function test_V22_someAncestorConfirmed_doesNotFreeTheBond() public {
        // Mallory's last claim is below `parent`. That the node above it is confirmed does not free her bond.
        liar = claimLie(mallory, parent, 3);
        _confirmParent();
        bytes32 acc = expectedAcc(parent);
        vm.startPrank(mallory);
        vm.expectRevert(abi.encodeWithSelector(IRollup.WrongBranch.selector, parent, liar));
        rollup.assertState(parent, "a second end", 3, acc);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimUndecided.selector, liar));
        rollup.withdraw();
    }

    function test_V23_nodeHeldByOthersOnly_cannotBeBuiltUpon() public {
        // Were this allowed, trudy could drop the only claim on the true node under alice.
        bytes32 first = _node(claimTruth(trudy, parent));
        sealBatch(2);
        skip(MIN_PERIOD);
        bytes32 acc = expectedAcc(first);
        uint64 to = rollup.getRound(first).to;
        bytes32 last = rollup.getStaker(alice).lastClaim;
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.WrongBranch.selector, first, last));
        rollup.assertState(first, "root", to, acc);
        claimTruth(alice, parent);
        claimTruth(alice, first);
    }
}
