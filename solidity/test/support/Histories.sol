// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Tags} from "../../src/lib/Tags.sol";

/// @notice A committed history of few ends: the last one is repeated up to k^height positions, never laid out.
library Histories {
    struct History {
        uint256 k;
        uint256 height;
        bytes32[] ends;
    }

    /// @notice State after a position; past the ends given, the last one.
    function end(History memory self, uint256 position) internal pure returns (bytes32) {
        uint256 last = self.ends.length - 1;
        return self.ends[position < last ? position : last];
    }

    /// @notice Hash of the list that covers the positions index·k^height up to (index + 1)·k^height - 1.
    function node(History memory self, uint256 height, uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(height == 1 ? Tags.ENDS : Tags.LIST, words(self, height, index)));
    }

    /// @notice The words of that list.
    function words(History memory self, uint256 height, uint256 index)
        internal
        pure
        returns (bytes32[] memory list)
    {
        uint256 k = self.k;
        if (height == 1) {
            list = new bytes32[](k);
            for (uint256 c = 0; c < k; ++c) {
                list[c] = end(self, index * k + c);
            }
            return list;
        }
        list = new bytes32[](2 * k);
        uint256 span = k ** (height - 1);
        bytes32 padding = 0; // every child that begins behind the last end is the same: computed once
        for (uint256 c = 0; c < k; ++c) {
            uint256 child = index * k + c;
            bool isPadding = child * span >= self.ends.length - 1;
            if (isPadding && padding == 0) padding = node(self, height - 1, child);
            list[2 * c] = isPadding ? padding : node(self, height - 1, child);
            list[2 * c + 1] = end(self, (child + 1) * span - 1);
        }
    }

    /// @notice The top list, which a claim reveals or a trace commits to.
    function top(History memory self) internal pure returns (bytes32[] memory) {
        return words(self, self.height, 0);
    }

    function root(History memory self) internal pure returns (bytes32) {
        return node(self, self.height, 0);
    }
}
