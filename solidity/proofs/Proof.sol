// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vm} from "../test/support/Vm.sol";

/// @notice Where halmos answers: values of which nothing is known, and storage of which nothing is known.
interface Svm {
    function createUint(uint256 bits, string calldata name) external view returns (uint256);
    function createBytes32(string calldata name) external view returns (bytes32);
    function createAddress(string calldata name) external view returns (address);
    function createBool(string calldata name) external view returns (bool);
    function enableSymbolicStorage(address target) external;
}

/// @notice Base of every proof. A function named `check_` holds for ALL values of its arguments, of storage that was made
/// symbolic, and of what `AnyInbox` and `AnyStep` answer.
abstract contract Proof {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    Svm internal constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));

    /// @dev Now: any second whose sum with a period still fits 40 bits, so the next 34,000 years.
    function anyTime() internal returns (uint40 time) {
        time = uint40(svm.createUint(40, "now"));
        vm.assume(time > 0 && time < 1 << 39);
        vm.warp(time);
    }

    /// @dev Whether a call failed by arithmetic: Panic(0x11).
    function isOverflow(bool success, bytes memory answer) internal pure returns (bool) {
        if (success || answer.length != 36) return false;
        return bytes4(answer) == bytes4(0x4e487b71) && uint8(answer[35]) == 0x11;
    }
}

/// @notice An Inbox that answers anything: what holds with it holds with every Inbox.
contract AnyInbox is Proof {
    function MAX_BATCH() external pure returns (uint64) {
        return 1;
    }

    function batchCount() external view returns (uint64) {
        return uint64(svm.createUint(64, "batchCount"));
    }

    function accumulator(uint64) external view returns (bytes32) {
        return svm.createBytes32("acc");
    }

    function countInputs(uint64, uint64) external view returns (uint64) {
        return uint64(svm.createUint(64, "inputs"));
    }

    function rangeEnd(uint64, uint256) external view returns (uint64 to, bool full) {
        return (uint64(svm.createUint(64, "to")), svm.createBool("full"));
    }
}
