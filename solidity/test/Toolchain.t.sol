// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Test} from "./support/Test.sol";

/// @notice What the rest of the tests take for granted: the EVM that is configured, the cheatcodes, the base.
contract ToolchainTest is Test {
    error TooMuch(uint256 given, uint256 limit);

    uint256 private constant FIRST_TIME = 1000;

    function setUp() public {
        vm.warp(FIRST_TIME);
    }

    /// @dev External, so that a test can expect its revert.
    function refuse(uint256 given, uint256 limit) external pure {
        revert TooMuch(given, limit);
    }

    function test_evm_countLeadingZerosOfOsaka_succeeds() public pure {
        uint256 zeros;
        assembly {
            zeros := clz(1)
        }
        assertEq(zeros, 255);
    }

    function test_warp_setsTheClock_succeeds() public view {
        assertEq(block.timestamp, FIRST_TIME);
    }

    function test_expectRevert_withBothValues_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(TooMuch.selector, 2, 1));
        this.refuse(2, 1);
    }

    function testFuzz_bound_staysInside_succeeds(uint256 value, uint256 one, uint256 other) public pure {
        (uint256 least, uint256 most) = one < other ? (one, other) : (other, one);
        uint256 result = bound(value, least, most);
        assertGe(result, least);
        assertLe(result, most);
    }
}
