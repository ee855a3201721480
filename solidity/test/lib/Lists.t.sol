// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Errors} from "../../src/lib/Errors.sol";
import {Lists} from "../../src/lib/Lists.sol";
import {Test} from "../support/Test.sol";

/// @notice Lists by themselves, against the plainest reference.
contract ListsTest is Test {
    uint256 private constant K = 8;

    function firstDifference(bytes32[] calldata a, bytes32[] calldata b, uint256 height)
        external
        pure
        returns (uint40)
    {
        return Lists.firstDifference(a, b, height);
    }

    function requireLength(bytes32[] calldata list, uint256 height) external pure {
        Lists.requireLength(list, K, height);
    }

    function testFuzz_firstDifference_ofPairs_isTheFirstPairWithAnyChange(
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
        assertEq(this.firstDifference(a, b, 2), first / 2);
        assertEq(this.firstDifference(b, a, 2), first / 2);
    }

    function testFuzz_firstDifference_ofEnds_isTheFirstWord(bytes32[8] memory words, uint256 first)
        public
        view
    {
        (bytes32[] memory a, bytes32[] memory b) = (new bytes32[](K), new bytes32[](K));
        first = bound(first, 0, K - 1);
        for (uint256 i = 0; i < K; ++i) {
            (a[i], b[i]) = (words[i], i < first ? words[i] : ~words[i]);
        }
        assertEq(this.firstDifference(a, b, 1), first);
    }

    function testFuzz_firstDifference_ofEqualLists_reverts(bytes32[16] memory words) public {
        bytes32[] memory a = new bytes32[](2 * K);
        for (uint256 i = 0; i < 2 * K; ++i) {
            a[i] = words[i];
        }
        vm.expectRevert(Lists.NoDifference.selector);
        this.firstDifference(a, a, 2);
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
