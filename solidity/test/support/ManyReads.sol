// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice Calls many getters in one call. Calldata is any number of (contract:20 | selector:4 | argument:32) without
/// padding; the answer is what they answer, one after the other.
contract ManyReads {
    uint256 private constant ITEM_BYTES = 56;

    fallback() external {
        assembly ("memory-safe") {
            let answer := mload(0x40)
            let end := answer
            for { let i := 0 } lt(i, calldatasize()) { i := add(i, ITEM_BYTES) } {
                calldatacopy(0, i, ITEM_BYTES)
                pop(staticcall(gas(), shr(96, mload(0)), 20, 36, 0, 0))
                returndatacopy(end, 0, returndatasize())
                end := add(end, returndatasize())
            }
            return(answer, sub(end, answer))
        }
    }
}
