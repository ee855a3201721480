// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Errors} from "./Errors.sol";

/// @title Lists of a history commitment: k pairs (sub, end) above height 1, k ends at height 1.
/// @notice `end` of a child is the state after its span, `sub` the hash of its own list. Lists of height 1 have no
/// sub at all: garbage in an unused one would make lists differ whose ends do not.
library Lists {
    uint256 private constant POSITION_LIMIT = 1 << 40; // positions of one history fit a match's 40 bits

    /// @notice Both lists are the same.
    error NoDifference();

    /// @notice Checks arity and heights of the two levels; returns the positions of level 1, k^h1.
    function checkShape(uint256 k, uint256 h1, uint256 h2) internal pure returns (uint256 positions) {
        if (k < 2) revert Errors.BadParameter(k, 2);
        if (h1 == 0 || h2 == 0) revert Errors.BadParameter(0, 1);
        positions = k ** h1; // reverts on overflow
        if (positions > POSITION_LIMIT) revert Errors.BadParameter(positions, POSITION_LIMIT);
        if (k ** h2 > POSITION_LIMIT) revert Errors.BadParameter(k ** h2, POSITION_LIMIT);
    }

    /// @notice Reverts unless `list` has the number of words of its height.
    function requireLength(bytes32[] calldata list, uint256 k, uint256 height) internal pure {
        uint256 expected = height == 1 ? k : 2 * k;
        if (list.length != expected) revert Errors.WrongLength(list.length, expected);
    }

    /// @notice State after the span of child `c`.
    function endOf(bytes32[] calldata list, uint256 c, uint256 height) internal pure returns (bytes32) {
        return height == 1 ? list[c] : list[2 * c + 1];
    }

    /// @notice The first word in which two lists of one length differ; above height 1 it belongs to child word / 2.
    /// @dev Bounded by 2k. Computed, never an argument: with a later one, the state before it would not be agreed.
    function firstDifference(bytes32[] calldata a, bytes32[] calldata b)
        internal
        pure
        returns (uint256 word)
    {
        assembly ("memory-safe") {
            for {} lt(word, a.length) { word := add(word, 1) } {
                let offset := shl(5, word)
                if xor(calldataload(add(a.offset, offset)), calldataload(add(b.offset, offset))) {
                    break
                }
            }
        }
        if (word == a.length) revert NoDifference();
    }
}
