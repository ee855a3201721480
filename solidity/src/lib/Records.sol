// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Tags} from "./Tags.sol";

/// @title Records of the state: key and leaf. Mirrors `optimist/vm/records.py`.
library Records {
    /// @notice Leaf of a record's eight words. An all-zero record is an absent record: leaf 0.
    function leaf(bytes32[] memory words) internal pure returns (bytes32) {
        bytes32 any = 0;
        for (uint256 i = 0; i < words.length; ++i) {
            any |= words[i];
        }
        return any == 0 ? bytes32(0) : keccak256(abi.encodePacked(Tags.RECORD, words));
    }
}
