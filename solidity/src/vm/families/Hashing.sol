// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStep} from "../../interfaces/IStep.sol";
import {Instruction, Isa} from "../Isa.sol";
import {Machine, Outcome} from "../Machine.sol";
import {Witness, Witnesses} from "../Witness.sol";
import {Words} from "../Word.sol";

/// @title KEC, D712 and ECR: hashes and signatures. Mirrors `families/hashing.py`.
library Hashing {
    using Witnesses for Witness;

    /// @dev Half of the order of secp256k1: a signature with a higher s is a malleable twin.
    uint256 internal constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Check the block, read what is hashed or signed, write d.
    function execute(Instruction memory instruction, Machine memory machine, Witness memory witness)
        internal
        view
        returns (Outcome)
    {
        if (instruction.op == Isa.KEC) return executeHash(instruction, machine, witness);
        int256 value;
        if (instruction.op == Isa.D712) {
            int256 a = witness.readWord(machine, instruction.a);
            int256 b = witness.readWord(machine, instruction.b);
            value = Words.toWord(uint256(keccak256(abi.encodePacked(hex"1901", a, b))));
        } else {
            if (!isBlock(instruction.a, Isa.SIGNATURE_WORDS)) return Outcome.REJECTED;
            value = computeSigner(witness.readBlock(machine, instruction.a, Isa.SIGNATURE_WORDS));
        }

        witness.writeWord(machine, instruction.d, value);
        machine.pc += 1;
        return Outcome.CONTINUES;
    }

    /// @notice KEC: the untagged hash of the first n words of a block; the proof holds the whole block.
    function executeHash(Instruction memory instruction, Machine memory machine, Witness memory witness)
        internal
        pure
        returns (Outcome)
    {
        uint256 count = instruction.imm & Isa.LOW_BYTE;
        if (count == 0 || count > Isa.HASH_WORDS) return Outcome.REJECTED;
        uint256 size = count <= Isa.RECORD_WORDS ? Isa.RECORD_WORDS : Isa.HASH_WORDS;

        uint256 start = instruction.a;
        if (instruction.imm & Isa.HASH_INDIRECT != 0) {
            start = Words.bits(witness.readWord(machine, instruction.a));
        }
        if (!isBlock(start, size)) return Outcome.REJECTED;

        bytes32[] memory words = witness.readBlock(machine, start, size);
        bytes32 hash;
        assembly ("memory-safe") {
            hash := keccak256(add(words, 32), mul(count, 32))
        }
        witness.writeWord(machine, instruction.d, Words.toWord(uint256(hash)));
        machine.pc += 1;
        return Outcome.CONTINUES;
    }

    /// @notice Address that signed, of digest, v, r, s; 0 unless v is 27 or 28, s is low and a key recovers.
    function computeSigner(bytes32[] memory words) internal view returns (int256 signer) {
        uint256 v = uint256(words[1]);
        if (v != 27 && v != 28) return 0;
        if (uint256(words[3]) > HALF_ORDER) return 0;
        bool success;
        assembly ("memory-safe") {
            mstore(0, 0) // a bad signature returns nothing and leaves this zero
            success := staticcall(gas(), 1, add(words, 32), 128, 0, 32)
            signer := mload(0)
        }
        // INVARIANT: the precompile fails only for lack of gas, and that must never read as a bad signature.
        if (!success) revert IStep.RecoverOutOfGas(gasleft());
    }

    /// @notice True for the address of an aligned block of `size` words.
    function isBlock(uint256 index, uint256 size) internal pure returns (bool) {
        return index >> Isa.MEMORY_DEPTH == 0 && index % size == 0;
    }
}
