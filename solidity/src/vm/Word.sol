// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Words of the machine: 256 bits, read as signed or unsigned. Mirrors `optimist/vm/word.py`.
library Words {
    /// @notice The same bits, unsigned: a negative word is a huge one.
    function bits(int256 word) internal pure returns (uint256) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint256(word); // safe: nothing is cut off, the sign is meant to become the highest bit
    }

    /// @notice The same bits, signed.
    function toWord(uint256 value) internal pure returns (int256) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return int256(value); // safe: nothing is cut off, the highest bit is meant to become the sign
    }

    /// @notice 1 for true, 0 for false.
    function toWord(bool condition) internal pure returns (int256) {
        return condition ? int256(1) : int256(0);
    }
}
