// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {RivalsTest} from "../support/RivalsTest.sol";
import {Vm} from "../support/Vm.sol";

/// @notice Whole matches, from both reveals to the last step, for every place at which a lie can begin.
contract MatchTest is RivalsTest {
    function setUp() public {
        deployRivals();
    }

    function _play(uint256 lieAt, uint256 lieStep, bool liarFirst) private {
        openRivals(lieAt, lieStep, liarFirst);
        playOut(honest, liar);
    }

    function test_match_lieAtEveryInputAndStep_onlyTheLiarDies() public {
        uint256 snapshot = vm.snapshotState();
        for (uint256 lieAt = 0; lieAt < INPUTS; ++lieAt) {
            for (uint256 lieStep = 0; lieStep < STEPS; ++lieStep) {
                _play(lieAt, lieStep, (lieAt + lieStep) % 2 == 0);
                assertLive(honest);
                assertDead(liar);
                vm.revertToState(snapshot);
                snapshot = vm.snapshotState();
            }
        }
    }

    function test_match_lieAtEveryPaddingPosition_onlyTheLiarDies() public {
        uint256 snapshot = vm.snapshotState();
        for (uint256 lieAt = INPUTS; lieAt < POSITIONS; ++lieAt) {
            _play(lieAt, 0, lieAt % 2 == 0);
            assertLive(honest);
            assertDead(liar);
            vm.revertToState(snapshot);
            snapshot = vm.snapshotState();
        }
    }

    function test_match_twoLiarsFromTheSameStep_bothDie() public {
        bytes32 one = claimFor(mallory, parent, 4, 1, "one");
        bytes32 other = claimFor(trudy, parent, 4, 1, "other");
        reveal(one);
        reveal(other);
        openMatch(one, other, one);
        playOut(one, other);
        assertDead(one);
        assertDead(other);
        // Nobody has won: no bounty, but what the bonds leave for refunds.
        assertEq(rollup.getClaim(one).credit, 0);
        assertEq(rollup.getClaim(other).credit, 0);
        assertEq(rollup.getClaim(one).pot, BOND * 40 / 100);
        assertEq(rollup.getRound(parent).liveEnds, 0);
    }

    function test_match_twoLiarsInPadding_bothDie() public {
        bytes32 one = claimFor(mallory, parent, INPUTS + 1, 0, "one");
        bytes32 other = claimFor(trudy, parent, INPUTS + 1, 0, "other");
        reveal(one);
        reveal(other);
        openMatch(one, other, other);
        playOut(one, other);
        assertDead(one);
        assertDead(other);
    }

    function test_match_afterWonMatch_bountyCreditAndConfirmation() public {
        _play(5, 3, true);
        IRollup.Claim memory winner = rollup.getClaim(honest);
        assertEq(winner.credit, BOND * 10 / 100);
        assertTrue(rollup.getStaker(mallory).out);
        assertEq(rollup.getStaker(mallory).bond, 0);

        uint96 refunded = collect(honest, liar);
        assertGt(refunded, 0);
        skip(PERIOD);
        rollup.confirm(parent);
        rollup.confirm(winner.node);
        rollup.claimCredit(honest);
        assertEq(alice.balance, BOND * 10 / 100 + refunded);
        vm.prank(alice);
        rollup.withdraw();
        assertEq(alice.balance, BOND + BOND * 10 / 100 + refunded);
        // Balance: the bonds of two others, and the burnt part and pot of mallory's.
        assertEq(address(rollup).balance, 2 * BOND - BOND * 10 / 100 - refunded);
    }

    /// forge-config: default.fuzz.runs = 64
    /// @dev A match takes no more moves than heights and commitments, whatever the lie.
    function testFuzz_match_anyLie_onlyTheLiarDiesInBoundedMoves(
        uint256 lieAt,
        uint256 lieStep,
        bool liarFirst
    ) public {
        _play(bound(lieAt, 0, POSITIONS - 1), bound(lieStep, 0, STEPS - 1), liarFirst);
        assertLive(honest);
        assertDead(liar);
        IDispute.Match memory m = dispute.getMatch(dispute.matchId(honest, liar));
        assertLe(m.movesA + m.movesB, uint256(inputHeight()) - 1 + 2 + stepHeight() - 1);
    }

    function test_events_wholeMatch_tellWhatTheContractStores() public {
        claimBoth(3, 2);
        reveal(honest);
        reveal(liar);
        vm.recordLogs();
        bytes32 id = openMatch(honest, liar, honest);
        _assertTellsTheMatch(id, vm.getRecordedLogs()[0].data);
        uint256 dissections;
        while (true) {
            vm.recordLogs();
            if (move(honest, liar)) break;
            Vm.Log memory log = vm.getRecordedLogs()[0];
            if (log.topics[0] != IDispute.Dissected.selector) {
                _assertTellsTheMatch(id, log.data);
                continue;
            }
            (uint40 time, uint40 start, bytes32[] memory next) =
                abi.decode(log.data, (uint40, uint40, bytes32[]));
            assertEq(time, dispute.getMatch(id).last);
            assertEq(start, dispute.getMatch(id).start);
            assertEq(next.length, dispute.getMatch(id).height == 1 ? arity() : 2 * uint256(arity()));
            ++dissections;
        }
        assertEq(dissections, uint256(inputHeight()) - 1 + stepHeight() - 1);
    }

    /// @dev The event of an opening or a trace begins with the match and the position: both are what the contract stores.
    function _assertTellsTheMatch(bytes32 id, bytes memory data) private view {
        (IDispute.Match memory m, IDispute.Position memory p) =
            abi.decode(data, (IDispute.Match, IDispute.Position));
        assertEq(abi.encode(m), abi.encode(dispute.getMatch(id)));
        assertEq(hashPosition(p), m.position);
    }
}
