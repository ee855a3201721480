// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Tags} from "../lib/Tags.sol";

/// @notice A running machine, as its hash commits to it. A stopped one has nothing but its root.
/// @param pc index of the next instruction, 40 bits
/// @param memoryRoot words of memory
/// @param stateRoot records as the program has changed them so far
/// @param baseRoot records before the input
/// @param inputHash K(INPUT | bytes)
struct Machine {
    uint256 pc;
    bytes32 memoryRoot;
    bytes32 stateRoot;
    bytes32 baseRoot;
    bytes32 inputHash;
}

/// @notice How a step ends. CONTINUES: pc already points at the next instruction. HALTED keeps the state
/// root, REJECTED the base root.
enum Outcome {
    CONTINUES,
    HALTED,
    REJECTED
}

/// @title Hashes of the machine's states. Mirrors `optimist/vm/state.py`.
library Machines {
    uint256 internal constant MACHINE_BYTES = 134; // tag | pc:5 | four roots and hashes
    uint256 internal constant FINAL_BYTES = 33; // tag | root

    /// @notice K(MACHINE | pc:5 | memory root | state root | base root | input hash).
    function hash(Machine memory self) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                Tags.MACHINE, uint40(self.pc), self.memoryRoot, self.stateRoot, self.baseRoot, self.inputHash
            )
        );
    }

    /// @notice K(FINAL | root).
    function finalState(bytes32 root) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(Tags.FINAL, root));
    }

    /// @notice The machine of a preimage of `MACHINE_BYTES` bytes that begins with the tag.
    function decode(bytes calldata preimage) internal pure returns (Machine memory) {
        return Machine({
            pc: uint40(bytes5(preimage[1:6])),
            memoryRoot: bytes32(preimage[6:38]),
            stateRoot: bytes32(preimage[38:70]),
            baseRoot: bytes32(preimage[70:102]),
            inputHash: bytes32(preimage[102:134])
        });
    }
}
