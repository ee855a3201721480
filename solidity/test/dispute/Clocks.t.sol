// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {Hashes} from "../../src/lib/Hashes.sol";
import {RivalsTest} from "../support/RivalsTest.sol";

/// @notice Opening a match, its clocks to the second, and refunds.
contract ClocksTest is RivalsTest {
    uint256 internal constant LIE_AT = 5;
    uint256 internal constant LIE_STEP = 2;

    bytes32 internal a;
    bytes32 internal b;

    function setUp() public {
        deployRivals();
        claimBoth(LIE_AT, LIE_STEP);
        (a, b) = ordered(honest, liar);
    }

    function _open(bytes32 first) private {
        reveal(honest);
        reveal(liar);
        openMatch(honest, liar, first);
    }

    /* OPEN */

    function test_openMatch_twoRevealedRivals_startsAtTheTop() public {
        reveal(honest);
        reveal(liar);
        bytes32 id = dispute.openMatch(a, b, b);
        IDispute.Match memory m = dispute.getMatch(id);
        assertEq(id, Hashes.matchOf(a, b));
        assertEq(m.height, inputHeight());
        assertTrue(m.stage == IDispute.Stage.INPUTS && m.turnB);
        assertEq(m.clockA, PERIOD);
        assertEq(m.last, block.timestamp);
        IDispute.Position memory p;
        (p.round, p.prev) = (parent, parent);
        (p.nodeA, p.nodeB) = (rollup.getClaim(a).top, rollup.getClaim(b).top);
        assertEq(m.position, hashPosition(p));
    }

    function test_openMatch_largerIdFirst_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IDispute.NotOrdered.selector, b, a));
        dispute.openMatch(b, a, a);
        vm.expectRevert(abi.encodeWithSelector(IDispute.NotOrdered.selector, a, a));
        dispute.openMatch(a, a, a);
    }

    function test_openMatch_firstIsNeither_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IDispute.NotInMatch.selector, parent));
        dispute.openMatch(a, b, parent);
    }

    function test_openMatch_twice_reverts() public {
        _open(a);
        vm.expectRevert(abi.encodeWithSelector(IDispute.MatchExists.selector, dispute.matchId(a, b)));
        dispute.openMatch(a, b, a);
    }

    function test_openMatch_smallerNotRevealed_reverts() public {
        reveal(b);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotRevealed.selector, a));
        dispute.openMatch(a, b, a);
    }

    function test_openMatch_largerNotRevealed_reverts() public {
        reveal(a);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotRevealed.selector, b));
        dispute.openMatch(a, b, a);
    }

    function test_openMatch_sameNode_reverts() public {
        bytes32 copy = claimTruth(trudy, parent);
        reveal(honest);
        reveal(copy);
        (bytes32 x, bytes32 y) = ordered(honest, copy);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotRivals.selector, x, y));
        dispute.openMatch(x, y, x);
    }

    /* TIME */

    function test_dissect_secondBeforeClockEnds_succeeds() public {
        _open(honest);
        skip(PERIOD - 1);
        moveDissect(honest, liar);
        bytes32 id = matchOfRivals();
        assertEq(honest == a ? dispute.getMatch(id).clockA : dispute.getMatch(id).clockB, 1);
        assertEq(honest == a ? dispute.getMatch(id).clockB : dispute.getMatch(id).clockA, PERIOD);
    }

    function test_dissect_whenClockEnds_reverts() public {
        _open(honest);
        for (uint256 late = 0; late < 2; ++late) {
            skip(late == 0 ? PERIOD : 1);
            IDispute.Fork memory fork = forkOf(honest, liar);
            bytes32[] memory next = nextList(fork);
            vm.expectRevert(abi.encodeWithSelector(IDispute.Late.selector, PERIOD + late, PERIOD));
            dispute.dissect(fork, next);
        }
    }

    function test_timeout_secondBeforeClockEnds_reverts() public {
        _open(liar);
        skip(PERIOD - 1);
        vm.expectRevert(abi.encodeWithSelector(IDispute.NotLate.selector, PERIOD - 1, PERIOD));
        dispute.timeout(a, b);
    }

    function test_timeout_whenClockEnds_sideOnTurnDies() public {
        _open(liar);
        skip(PERIOD);
        dispute.timeout(a, b);
        assertDead(liar);
        assertLive(honest);
        assertEq(rollup.getClaim(honest).credit, BOND / 10);
    }

    function test_timeout_onlyTheSideOnTurnCanBeLate_otherwiseReverts() public {
        _open(honest);
        skip(PERIOD - 1);
        moveDissect(honest, liar); // honest has a second left, but it is the liar's turn
        skip(PERIOD - 1);
        vm.expectRevert(abi.encodeWithSelector(IDispute.NotLate.selector, PERIOD - 1, PERIOD));
        dispute.timeout(a, b);
        skip(1);
        dispute.timeout(a, b);
        assertDead(liar);
    }

    function test_prove_whenClockEnds_reverts() public {
        _open(honest);
        playToProof();
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        uint256 clock = m.turnB ? m.clockB : m.clockA;
        skip(clock);
        IDispute.Fork memory fork = forkOf(honest, liar);
        vm.expectRevert(abi.encodeWithSelector(IDispute.Late.selector, clock, clock));
        dispute.prove(fork, "");
        vm.warp(block.timestamp - 1);
        moveProve(honest, liar);
        assertDead(liar);
    }

    function test_openMatch_afterLateReveal_clockIsWhatIsLeft() public {
        uint256 born = block.timestamp;
        reveal(honest);
        skip(100);
        reveal(liar);
        openMatch(honest, liar, honest);
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        assertEq(block.timestamp - born, 100);
        assertEq(honest == a ? m.clockA : m.clockB, PERIOD);
        assertEq(honest == a ? m.clockB : m.clockA, PERIOD - 100);
    }

    /// @dev External, so that what a move reverts with can be caught.
    function moveOnce() external returns (bool) {
        return move(honest, liar);
    }

    /// forge-config: default.fuzz.runs = 64
    function testFuzz_match_anyWaits_aMoveIsInTimeOrATimeoutIs(uint256[12] calldata waits, bool liarFirst)
        public
    {
        _open(liarFirst ? liar : honest);
        bytes32 id = matchOfRivals();
        for (uint256 i = 0; i < waits.length; ++i) {
            IDispute.Match memory m = dispute.getMatch(id);
            uint256 clock = m.turnB ? m.clockB : m.clockA;
            uint256 waited = bound(waits[i], 0, PERIOD / 3);
            skip(waited);
            if (waited >= clock) {
                try this.moveOnce() {
                    assertTrue(false, "a late move was taken");
                } catch (bytes memory reason) {
                    assertEq(reason, abi.encodeWithSelector(IDispute.Late.selector, waited, clock));
                }
                dispute.timeout(a, b);
                assertDead(m.turnB ? b : a);
                assertLive(m.turnB ? a : b);
                return;
            }
            vm.expectRevert(abi.encodeWithSelector(IDispute.NotLate.selector, waited, clock));
            dispute.timeout(a, b);
            if (this.moveOnce()) {
                assertDead(liar);
                assertLive(honest);
                return;
            }
            IDispute.Match memory n = dispute.getMatch(id);
            assertEq(n.clockA, m.turnB ? m.clockA : m.clockA - waited);
            assertEq(n.clockB, m.turnB ? m.clockB - waited : m.clockB);
        }
        assertTrue(false, "a match has fewer moves");
    }

    /* REFUNDS */

    function test_collect_afterTheOpponentDied_paysEachMoveOnce() public {
        _open(honest);
        playOut(honest, liar);
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        uint256 moves = honest == a ? m.movesA : m.movesB;
        uint256 expected = moves * dispute.MOVE_GAS() * (block.basefee + 2 gwei);
        uint96 bounty = rollup.getClaim(honest).credit;
        assertEq(collect(honest, liar), expected);
        assertEq(rollup.getClaim(honest).credit, bounty + expected);
        assertEq(rollup.getClaim(liar).pot, BOND * 40 / 100 - expected);
        vm.expectRevert(abi.encodeWithSelector(IDispute.NothingToCollect.selector, honest));
        collect(honest, liar);
    }

    function test_collect_gasPriceAboveTheCap_paysTheCap() public {
        _open(honest);
        moveDissect(honest, liar);
        skip(PERIOD);
        dispute.timeout(a, b);
        vm.fee(1000 gwei);
        assertEq(collect(honest, liar), dispute.MOVE_GAS() * GAS_PRICE_CAP);
    }

    function test_collect_whileTheOpponentLives_reverts() public {
        _open(honest);
        moveDissect(honest, liar);
        vm.expectRevert(abi.encodeWithSelector(IRollup.EmptyPot.selector, liar));
        collect(honest, liar);
    }

    function test_collect_byTheDeadSide_reverts() public {
        _open(liar);
        moveDissect(honest, liar);
        moveDissect(honest, liar);
        skip(PERIOD);
        dispute.timeout(a, b);
        vm.expectRevert(abi.encodeWithSelector(IRollup.StakerOut.selector, mallory));
        collect(liar, honest);
    }

    /// @dev Gas is dear while the moves are made and cheap afterwards: who paid for them chooses when to be refunded.
    function test_collect_byAStranger_revertsAndLeavesTheRefund() public {
        vm.fee(60 gwei);
        _open(honest);
        playOut(honest, liar);
        address stranger = account("stranger");
        address[2] memory others = [stranger, mallory];
        vm.fee(0);
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IDispute.NotMover.selector, others[i], honest));
            dispute.collect(honest, liar);
        }
        vm.fee(60 gwei);
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        uint256 moves = honest == a ? m.movesA : m.movesB;
        assertEq(collect(honest, liar), moves * dispute.MOVE_GAS() * 62 gwei);
    }

    function test_collect_byTheOperator_paysTheClaim() public {
        address operator = account("operator");
        vm.prank(alice);
        rollup.setOperator(honest, operator);
        _open(honest);
        playOut(honest, liar);
        uint96 bounty = rollup.getClaim(honest).credit;
        vm.prank(operator);
        uint96 paid = dispute.collect(honest, liar);
        assertGt(paid, 0);
        assertEq(rollup.getClaim(honest).credit, bounty + paid);
    }
}
