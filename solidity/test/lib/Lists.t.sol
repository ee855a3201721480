// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Errors} from "../../src/lib/Errors.sol";
import {Lists} from "../../src/lib/Lists.sol";
import {Test} from "../support/Test.sol";

/// @notice Lists by themselves, against the plainest reference.
contract ListsTest is Test {
    uint256 private constant K = 8;

    function firstDifference(bytes32[] calldata a, bytes32[] calldata b) external pure returns (uint256) {
        return Lists.firstDifference(a, b);
    }

    function requireLength(bytes32[] calldata list, uint256 height) external pure {
        Lists.requireLength(list, K, height);
    }

    function testFuzz_firstDifference_isTheFirstWordWithAnyChange(
        bytes32[16] memory words,
        uint256 first,
        uint256 change
    ) public view {
        (bytes32[] memory a, bytes32[] memory b) = (new bytes32[](2 * K), new bytes32[](2 * K));
        first = bound(first, 0, 2 * K - 1);
        for (uint256 i = 0; i < 2 * K; ++i) {
            (a[i], b[i]) = (words[i], words[i]);
            // Behind the first difference anything may follow.
            if (i > first && uint256(keccak256(abi.encode(change, i))) % 2 == 0) b[i] = ~words[i];
        }
        b[first] = bytes32(uint256(words[first]) ^ (1 << (change % 256)));
        assertEq(this.firstDifference(a, b), first);
        assertEq(this.firstDifference(b, a), first);
    }

    function testFuzz_firstDifference_ofEqualLists_reverts(bytes32[16] memory words) public {
        bytes32[] memory a = new bytes32[](2 * K);
        for (uint256 i = 0; i < 2 * K; ++i) {
            a[i] = words[i];
        }
        vm.expectRevert(Lists.NoDifference.selector);
        this.firstDifference(a, a);
    }

    function test_requireLength_isKAtTheBottomAndTwiceKAbove() public {
        this.requireLength(new bytes32[](K), 1);
        this.requireLength(new bytes32[](2 * K), 2);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLength.selector, 2 * K, K));
        this.requireLength(new bytes32[](2 * K), 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLength.selector, K, 2 * K));
        this.requireLength(new bytes32[](K), 5);
    }
}
