// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {RivalsTest} from "../support/RivalsTest.sol";

/// @notice What docs/RISKS.md tells users about waiting and about lost bonds, where it is less than one may hope.
contract RisksTest is RivalsTest {
    function setUp() public {
        deployRivals();
    }

    function _nodeOf(bytes32 claim) private view returns (bytes32) {
        return players[claim].node;
    }

    /// @dev Sealed just after a node was created, a batch is behind that node's range and its child's range begins a
    /// MIN_PERIOD later: the longest wait until anybody may assert it.
    function test_assertState_batchSealedRightAfterANode_waitsTwoMinPeriods() public {
        bytes32 r = _nodeOf(claimTruth(alice, parent));
        sealBatch(1);
        sealBatch(1);
        uint256 due = block.timestamp + 2 * MIN_PERIOD;
        skip(MIN_PERIOD);
        bytes32 next = _nodeOf(claimTruth(alice, r));
        assertEq(rollup.getRound(next).to, 5);
        bytes32 acc = expectedAcc(next);
        bytes32[] memory roots = rootsFor(next, NEVER, 0);
        skip(MIN_PERIOD - 1);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IRollup.TooEarly.selector, due - 1, due));
        rollup.assertState(next, roots[roots.length - 1], 5, acc);
        skip(1);
        claimTruth(alice, next);
    }

    /// @dev What GRACE is not for: it binds only from CHALLENGE_PERIOD after the birth of the sole live end, and from then
    /// on nobody can join any other.
    function test_confirm_inTheGracePeriod_nobodyCanAnswerAnyMore() public {
        claimBoth(5, 2); // alice holds the true end and never reveals
        uint256 closed = block.timestamp + PERIOD;
        bytes32[] memory roots = rootsFor(parent, NEVER, 0);
        bytes32 acc = expectedAcc(parent);
        reveal(liar);
        skip(PERIOD);
        rollup.timeoutReveal(honest, liar);
        for (uint256 i = 0; i < GRACE; ++i) {
            vm.prank(trudy);
            vm.expectRevert(abi.encodeWithSelector(IRollup.JoinClosed.selector, block.timestamp, closed));
            rollup.assertState(parent, roots[roots.length - 1], 3, acc);
            skip(1);
        }
        rollup.confirm(parent);
        rollup.confirm(_nodeOf(liar));
        assertTrue(rollup.isConfirmed(_nodeOf(liar)), "the lie is confirmed");
    }

    function test_timeoutReveal_wholeBondStaysForEver() public {
        claimBoth(3, 2);
        reveal(honest);
        skip(PERIOD);
        rollup.timeoutReveal(liar, honest);
        assertEq(rollup.getClaim(honest).credit, 0);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IDispute.NothingToCollect.selector, honest));
        dispute.collect(honest, liar);
        rollup.confirm(parent);
        skip(GRACE);
        rollup.confirm(_nodeOf(honest));
        address[2] memory others = [alice, trudy];
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(others[i]);
            rollup.withdraw();
        }
        assertEq(address(rollup).balance, BOND);
    }
}
