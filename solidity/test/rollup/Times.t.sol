// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {RivalsTest} from "../support/RivalsTest.sol";

/// @notice The three times of a round, whenever anybody comes: until when it takes a claim, what a reveal leaves of a
/// clock, and from when it can be decided. `Rollup.t.sol` has the seconds on both sides of each.
contract TimesTest is RivalsTest {
    uint256 private constant LIE_AT = 3;

    function setUp() public {
        deployRivals();
    }

    /// @dev The truth now, the lie up to a period later. Returns when each was born.
    function _claimBoth(uint256 gap) private returns (uint256 bornTrue, uint256 bornFalse) {
        honest = claimTruth(alice, parent);
        bornTrue = block.timestamp;
        skip(bound(gap, 0, PERIOD - 1));
        liar = claimLie(mallory, parent, LIE_AT);
        bornFalse = block.timestamp;
    }

    function _left(uint256 revealed, uint256 born) private pure returns (uint256) {
        return revealed <= born ? PERIOD : revealed - born < PERIOD ? PERIOD - (revealed - born) : 0;
    }

    function testFuzz_openMatch_anyReveals_clocksAreWhatTheyLeave(uint256 gap, uint256 first, uint256 second)
        public
    {
        (uint256 bornTrue, uint256 bornFalse) = _claimBoth(gap);
        skip(bound(first, 0, PERIOD + GRACE));
        reveal(honest);
        uint256 revealed = block.timestamp;
        skip(bound(second, 0, PERIOD + GRACE));
        reveal(liar);
        IDispute.Match memory m = dispute.getMatch(openMatch(honest, liar, honest));
        (bytes32 a,) = ordered(honest, liar);
        assertEq(honest == a ? m.clockA : m.clockB, _left(revealed, bornFalse));
        assertEq(honest == a ? m.clockB : m.clockA, _left(block.timestamp, bornTrue));
    }

    function testFuzz_assertState_anySecond_takenUntilItsEndCloses(uint256 gap, uint256 wait, bool isTrue)
        public
    {
        (uint256 bornTrue, uint256 bornFalse) = _claimBoth(gap);
        skip(bound(wait, 0, 2 * PERIOD));
        // The first end can be joined for a period from its rival, all others for a period from the first.
        uint256 closes = (isTrue ? bornFalse : bornTrue) + PERIOD;
        bytes32 root = rootsFor(parent, isTrue ? NEVER : LIE_AT, "lie")[INPUTS - 1];
        (uint64 to, bytes32 acc) = (rollup.getRound(parent).to, expectedAcc(parent));
        vm.prank(trudy);
        if (block.timestamp >= closes) {
            vm.expectRevert(abi.encodeWithSelector(IRollup.JoinClosed.selector, block.timestamp, closes));
        }
        rollup.assertState(parent, root, to, acc);
        if (block.timestamp < closes) {
            assertEq(rollup.getNode(rollup.getClaim(isTrue ? honest : liar).node).live, 2);
        }
    }

    function testFuzz_confirm_anySecond_periodFromBirthAndGraceFromADeath(
        uint256 gap,
        uint256 death,
        uint256 second
    ) public {
        (uint256 bornTrue,) = _claimBoth(gap);
        skip(bound(death, 0, PERIOD));
        vm.prank(address(dispute));
        rollup.eliminate(liar, honest);
        uint256 ripe = block.timestamp + GRACE;
        if (ripe < bornTrue + PERIOD) ripe = bornTrue + PERIOD;
        // The parent is older by MIN_PERIOD, so it can be confirmed from here on.
        uint256 from = bornTrue + PERIOD - MIN_PERIOD;
        vm.warp(bound(second, block.timestamp < from ? from : block.timestamp, bornTrue + 3 * PERIOD));
        rollup.confirm(parent);
        bytes32 node = rollup.getClaim(honest).node;
        if (block.timestamp < ripe) {
            vm.expectRevert(abi.encodeWithSelector(IRollup.TooEarly.selector, block.timestamp, ripe));
        }
        rollup.confirm(node);
        assertEq(rollup.getRound(parent).confirmed, block.timestamp < ripe ? bytes32(0) : node);
    }
}
