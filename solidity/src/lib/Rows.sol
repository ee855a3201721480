// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInbox} from "../interfaces/IInbox.sol";
import {Hashes} from "./Hashes.sol";

/// @title Sequenced inputs in calldata: each length:2 | bytes.
library Rows {
    uint256 internal constant MAX_INPUT_BYTES = 1024;
    uint8 internal constant ORIGIN_SEQUENCED = 5;

    /// @notice Reverse chain over the rows (the last row's link ends in 0) and their number.
    /// @dev Two walks: rows can only be read forwards, the chain is folded backwards.
    function fold(bytes calldata rows) internal pure returns (bytes32 chain, uint256 count) {
        count = _count(rows);
        bytes32[] memory hashes = new bytes32[](count);
        uint256 cursor = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 end = cursor + 2 + uint16(bytes2(rows[cursor:cursor + 2]));
            hashes[i] = Hashes.inputInCalldata(rows[cursor + 2:end]);
            cursor = end;
        }
        for (uint256 i = count; i > 0; --i) {
            chain = Hashes.chainLink(hashes[i - 1], chain);
        }
    }

    function _count(bytes calldata rows) private pure returns (uint256 count) {
        for (uint256 cursor = 0; cursor < rows.length; ++count) {
            uint256 left = rows.length - cursor;
            if (left < 2) revert IInbox.BadInputLength(left, 2);
            uint256 length = uint16(bytes2(rows[cursor:cursor + 2]));
            uint256 limit = left - 2 < MAX_INPUT_BYTES ? left - 2 : MAX_INPUT_BYTES;
            if (length == 0 || length > limit) revert IInbox.BadInputLength(length, limit);
            // INVARIANT: only the Inbox writes origins other than SEQUENCED; else the sequencer could mint a deposit.
            uint8 origin = uint8(rows[cursor + 2]);
            if (origin != ORIGIN_SEQUENCED) revert IInbox.WrongOrigin(origin, ORIGIN_SEQUENCED);
            cursor += 2 + length;
        }
    }
}
