// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Lists} from "../src/lib/Lists.sol";
import {Proof} from "./Proof.sol";

/// @notice The word chosen is the first in which two lists differ, for every pair of lists.
/// Bounds: lists of 8 and of 16 words, which are all that k = 8 has.
contract ListsProof is Proof {
    function firstDifference(bytes32[] calldata a, bytes32[] calldata b) external pure returns (uint256) {
        return Lists.firstDifference(a, b);
    }

    function check_firstDifference_of8Words_isTheFirst(bytes32[8] memory x, bytes32[8] memory y) public view {
        (bytes32[] memory a, bytes32[] memory b) = (new bytes32[](8), new bytes32[](8));
        for (uint256 i = 0; i < 8; ++i) {
            (a[i], b[i]) = (x[i], y[i]);
        }
        _check(a, b);
    }

    function check_firstDifference_of16Words_isTheFirst(bytes32[16] memory x, bytes32[16] memory y)
        public
        view
    {
        (bytes32[] memory a, bytes32[] memory b) = (new bytes32[](16), new bytes32[](16));
        for (uint256 i = 0; i < 16; ++i) {
            (a[i], b[i]) = (x[i], y[i]);
        }
        _check(a, b);
    }

    function _check(bytes32[] memory a, bytes32[] memory b) private view {
        uint256 agreed = a.length; // how many words are the same; all of them if the lists do not differ
        try this.firstDifference(a, b) returns (uint256 word) {
            assert(word < a.length && a[word] != b[word]);
            agreed = word;
        } catch (bytes memory reason) {
            assert(bytes4(reason) == Lists.NoDifference.selector);
        }
        for (uint256 i = 0; i < agreed; ++i) {
            assert(a[i] == b[i]);
        }
    }
}
