// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStep} from "../interfaces/IStep.sol";
import {Hashes} from "../lib/Hashes.sol";
import {Merkle} from "../lib/Merkle.sol";
import {Records} from "../lib/Records.sol";
import {Isa} from "./Isa.sol";
import {Machine} from "./Machine.sol";
import {Words} from "./Word.sol";

/// @notice A proof that is being read.
/// @param cursor where the next byte lies in calldata
/// @param end where the proof ends in calldata
/// @param programRoot the law's program
struct Witness {
    uint256 cursor;
    uint256 end;
    bytes32 programRoot;
}

/// @title What one step may look at, and the proof that it looked at the truth.
/// @notice A step never sees the whole machine. It asks for the instruction at pc, a word, a block, a
/// record, the input; the answers come out of the proof in the order of the questions, and one that does
/// not hash to the roots of the state reverts. A path is always: leaf (or leaves), then siblings upwards;
/// those of a record, nearly all zero, as a mask and the others. Every function moves the cursor; writing
/// updates a root of the machine. Indices are in range: the step has checked them. Mirrors
/// `optimist/vm/witness.py`.
library Witnesses {
    uint256 internal constant WORD_PATH_BYTES = 32 * (1 + Isa.MEMORY_DEPTH); // a word and its siblings

    /// @notice A witness that begins at the first byte of `proof`.
    function open(bytes calldata proof, bytes32 programRoot) internal pure returns (Witness memory self) {
        assembly ("memory-safe") {
            mstore(self, proof.offset)
        }
        self.end = self.cursor + proof.length;
        self.programRoot = programRoot;
    }

    /// @notice The next `size` bytes.
    function take(Witness memory self, uint256 size) internal pure returns (bytes calldata taken) {
        uint256 cursor = self.cursor;
        uint256 left = self.end - cursor;
        // INVARIANT: nothing behind the proof is ever read.
        if (size > left) revert IStep.ProofTooShort(left, size);
        self.cursor = cursor + size;
        assembly ("memory-safe") {
            taken.offset := cursor
            taken.length := size
        }
    }

    /// @notice Every byte of a proof has to mean something.
    function finish(Witness memory self, uint256 length) internal pure {
        uint256 left = self.end - self.cursor;
        if (left != 0) revert IStep.ProofTooLong(length - left, length);
    }

    /// @notice The instruction at pc.
    function fetchInstruction(Witness memory self, Machine memory machine)
        internal
        pure
        returns (bytes32 word)
    {
        word = _takeWord(self);
        bytes32 root = Merkle.rootFromPath(machine.pc, word, _takeSiblings(self, Isa.PROGRAM_DEPTH));
        if (root != self.programRoot) revert IStep.WrongProgram(root, self.programRoot);
    }

    /// @notice A word of memory.
    function readWord(Witness memory self, Machine memory machine, uint256 index)
        internal
        pure
        returns (int256)
    {
        bytes32 word = _takeWord(self);
        bytes32 root = Merkle.rootFromPath(index, word, _takeSiblings(self, Isa.MEMORY_DEPTH));
        if (root != machine.memoryRoot) revert IStep.WrongMemory(root, machine.memoryRoot);
        return Words.toWord(uint256(word));
    }

    /// @notice Replace a word of memory.
    function writeWord(Witness memory self, Machine memory machine, uint256 index, int256 value)
        internal
        pure
    {
        _replaceSubtree(self, machine, index, bytes32(Words.bits(value)), Isa.MEMORY_DEPTH);
    }

    /// @notice `size` words of memory from `index`; size is 4, 8 or 16 and divides index.
    function readBlock(Witness memory self, Machine memory machine, uint256 index, uint256 size)
        internal
        pure
        returns (bytes32[] memory words)
    {
        words = _takeWords(self, size);
        uint256 height = _log2(size);
        bytes32 subtree = Merkle.rootFromLeaves(words);
        bytes32 root =
            Merkle.rootFromPath(index >> height, subtree, _takeSiblings(self, Isa.MEMORY_DEPTH - height));
        if (root != machine.memoryRoot) revert IStep.WrongMemory(root, machine.memoryRoot);
    }

    /// @notice Replace an aligned block of memory.
    function writeBlock(Witness memory self, Machine memory machine, uint256 index, bytes32[] memory words)
        internal
        pure
    {
        // The old words do not matter, only the root over them: 32 bytes instead of 256.
        uint256 height = _log2(words.length);
        _replaceSubtree(
            self, machine, index >> height, Merkle.rootFromLeaves(words), Isa.MEMORY_DEPTH - height
        );
    }

    /// @notice A record of the state, zeros when absent.
    function readRecord(Witness memory self, Machine memory machine, uint256 key)
        internal
        pure
        returns (bytes32[] memory words)
    {
        words = _takeWords(self, Isa.RECORD_WORDS);
        (uint256 mask, bytes32[] calldata siblings) = _takeSparseSiblings(self);
        bytes32 root = Merkle.rootFromSparsePath(key, Records.leaf(words), Isa.STATE_DEPTH, mask, siblings);
        if (root != machine.stateRoot) revert IStep.WrongRecord(root, machine.stateRoot);
    }

    /// @notice Replace a record of the state.
    function writeRecord(Witness memory self, Machine memory machine, uint256 key, bytes32[] memory words)
        internal
        pure
    {
        bytes32 old = _takeWord(self);
        (uint256 mask, bytes32[] calldata siblings) = _takeSparseSiblings(self);
        bytes32 root = Merkle.rootFromSparsePath(key, old, Isa.STATE_DEPTH, mask, siblings);
        if (root != machine.stateRoot) revert IStep.WrongRecord(root, machine.stateRoot);
        machine.stateRoot =
            Merkle.rootFromSparsePath(key, Records.leaf(words), Isa.STATE_DEPTH, mask, siblings);
    }

    /// @notice The input. The path of one written word follows it, so that its length need not be told.
    function readInput(Witness memory self, Machine memory machine)
        internal
        pure
        returns (bytes calldata data)
    {
        uint256 left = self.end - self.cursor;
        data = take(self, left < WORD_PATH_BYTES ? 0 : left - WORD_PATH_BYTES);
        bytes32 inputHash = Hashes.inputInCalldata(data);
        if (inputHash != machine.inputHash) revert IStep.WrongInput(inputHash, machine.inputHash);
    }

    function _replaceSubtree(
        Witness memory self,
        Machine memory machine,
        uint256 index,
        bytes32 subtree,
        uint256 depth
    ) private pure {
        bytes32 old = _takeWord(self);
        bytes32[] calldata siblings = _takeSiblings(self, depth);
        bytes32 root = Merkle.rootFromPath(index, old, siblings);
        if (root != machine.memoryRoot) revert IStep.WrongMemory(root, machine.memoryRoot);
        machine.memoryRoot = Merkle.rootFromPath(index, subtree, siblings);
    }

    function _takeWord(Witness memory self) private pure returns (bytes32) {
        return bytes32(take(self, 32));
    }

    function _takeWords(Witness memory self, uint256 count) private pure returns (bytes32[] memory) {
        return _takeSiblings(self, count);
    }

    function _takeSiblings(Witness memory self, uint256 count)
        private
        pure
        returns (bytes32[] calldata words)
    {
        bytes calldata taken = take(self, 32 * count);
        assembly ("memory-safe") {
            words.offset := taken.offset
            words.length := count
        }
    }

    /// @dev Siblings in the state tree. Most are zero: a mask says which are not, and only those are there.
    function _takeSparseSiblings(Witness memory self)
        private
        pure
        returns (uint256 mask, bytes32[] calldata siblings)
    {
        mask = uint48(bytes6(take(self, Isa.STATE_DEPTH / 8)));
        uint256 count = 0;
        for (uint256 rest = mask; rest != 0; rest &= rest - 1) {
            ++count; // each round clears the lowest bit
        }
        siblings = _takeSiblings(self, count);
    }

    /// @dev Height of the subtree over 4, 8 or 16 words.
    function _log2(uint256 size) private pure returns (uint256) {
        return size == 4 ? 2 : size == 8 ? 3 : 4;
    }
}
