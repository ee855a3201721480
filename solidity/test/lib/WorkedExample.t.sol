// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Hashes} from "../../src/lib/Hashes.sol";
import {Rows} from "../../src/lib/Rows.sol";
import {Test} from "../support/Test.sol";

/// @notice The worked example of docs/PROTOCOL.md section 5: tests/vectors/worked_example.json.
contract WorkedExampleTest is Test {
    string private _json;

    function setUp() public {
        _json = readVectors("worked_example.json");
    }

    function test_hashes_ofInputsAndChains_succeeds() public view {
        bytes[] memory data = vm.parseJsonBytesArray(_json, ".input.data");
        bytes32[] memory hashes = vm.parseJsonBytes32Array(_json, ".input.hash");
        bytes32[] memory rest = vm.parseJsonBytes32Array(_json, ".input.rest");
        bytes32[] memory heads = vm.parseJsonBytes32Array(_json, ".batch.head");
        uint256[] memory counts = vm.parseJsonUintArray(_json, ".batch.count");
        uint256 position = 0;
        for (uint256 b = 0; b < counts.length; ++b) {
            bytes32 chain = heads[b];
            for (uint256 i = 0; i < counts[b]; ++i) {
                vm.assertEq(Hashes.input(data[position]), hashes[position]);
                vm.assertEq(Hashes.chainLink(hashes[position], rest[position]), chain);
                chain = rest[position++];
            }
            vm.assertEq(chain, bytes32(0));
        }
        vm.assertEq(position, 7);
    }

    function test_accumulators_succeeds() public view {
        bytes32[] memory heads = vm.parseJsonBytes32Array(_json, ".batch.head");
        uint256[] memory counts = vm.parseJsonUintArray(_json, ".batch.count");
        bytes32[] memory expected = vm.parseJsonBytes32Array(_json, ".batch.accumulator");
        bytes32 acc = 0;
        for (uint256 b = 0; b < counts.length; ++b) {
            acc = Hashes.accumulator(acc, heads[b], uint64(counts[b]));
            vm.assertEq(acc, expected[b]);
        }
    }

    function test_rows_foldToTheRestOfTheBatch_succeeds() public view {
        bytes[] memory rows = vm.parseJsonBytesArray(_json, ".batch.rows");
        bytes32[] memory rest = vm.parseJsonBytes32Array(_json, ".input.rest");
        // After the deposit of batch 2 come A and B; after the header of batch 3 comes C.
        this.checkFold(rows[1], rest[2], 2);
        this.checkFold(rows[2], rest[5], 1);
    }

    function checkFold(bytes calldata rows, bytes32 expected, uint256 count) external pure {
        (bytes32 chain, uint256 found) = Rows.fold(rows);
        vm.assertEq(chain, expected);
        vm.assertEq(found, count);
    }

    function test_leaves_succeeds() public view {
        bytes32[] memory leaves = vm.parseJsonBytes32Array(_json, ".range.leaves");
        bytes32[] memory rest = vm.parseJsonBytes32Array(_json, ".input.rest");
        bytes32[6] memory roots = [_root("a"), _root("b"), _root("c"), _root("d"), _root("e"), _root("f")];
        for (uint256 i = 0; i < 6; ++i) {
            vm.assertEq(Hashes.leaf(roots[i], i < 4 ? 2 : 3, rest[i + 1]), leaves[i]);
        }
        vm.assertEq(leaves[6], leaves[5]);
        vm.assertEq(leaves[7], leaves[5]);
        vm.assertEq(Hashes.leaf(_root("r1"), 1, 0), _word(".range.parentEnd"));
        vm.assertEq(Hashes.leaf(0, 0, 0), _word(".genesis.leaf"));
    }

    function test_identifiers_succeeds() public view {
        bytes32[] memory leaves = vm.parseJsonBytes32Array(_json, ".range.leaves");
        bytes32[] memory claims = vm.parseJsonBytes32Array(_json, ".range.claims");
        bytes32 genesis = Hashes.node(0, _word(".genesis.leaf"));
        vm.assertEq(genesis, _word(".genesis.node"));
        vm.assertEq(Hashes.node(genesis, _word(".range.parentEnd")), _word(".range.parent"));
        bytes32 node = Hashes.node(_word(".range.parent"), leaves[5]);
        vm.assertEq(node, _word(".range.node"));
        for (uint256 i = 0; i < 2; ++i) {
            address owner = vm.parseJsonAddress(_json, i == 0 ? ".range.owners[0]" : ".range.owners[1]");
            vm.assertEq(Hashes.claim(node, owner), claims[i]);
        }
        (bytes32 a, bytes32 b) = claims[0] < claims[1] ? (claims[0], claims[1]) : (claims[1], claims[0]);
        vm.assertEq(Hashes.matchOf(a, b), _word(".range.match"));
    }

    function test_historyCommitment_succeeds() public view {
        bytes32[] memory leaves = vm.parseJsonBytes32Array(_json, ".range.leaves");
        bytes32[] memory top = vm.parseJsonBytes32Array(_json, ".range.topList");
        vm.assertEq(this.listHash(top, 3), _word(".range.top"));
        vm.assertEq(top[3], leaves[7]);
        bytes32[] memory subs = new bytes32[](2);
        for (uint256 half = 0; half < 2; ++half) {
            bytes32[] memory words = new bytes32[](4);
            for (uint256 child = 0; child < 2; ++child) {
                bytes32[] memory ends = new bytes32[](2);
                (ends[0], ends[1]) = (leaves[4 * half + 2 * child], leaves[4 * half + 2 * child + 1]);
                words[2 * child] = this.listHash(ends, 1);
                words[2 * child + 1] = ends[1];
            }
            subs[half] = this.listHash(words, 2);
            vm.assertEq(top[2 * half], subs[half]);
        }
    }

    function listHash(bytes32[] calldata words, uint256 height) external pure returns (bytes32) {
        return Hashes.list(words, height);
    }

    function test_openingOfTheDisputedInput_succeeds() public view {
        bytes32[] memory heads = vm.parseJsonBytes32Array(_json, ".batch.head");
        vm.assertEq(Hashes.leaf(_word(".opening.root"), 2, _word(".opening.rest")), _word(".opening.prev"));
        // The rest is 0, so batch 3 begins: its head is the chain to open.
        vm.assertEq(Hashes.chainLink(_word(".opening.inputHash"), _word(".opening.nextRest")), heads[2]);
        vm.assertEq(
            Hashes.leaf(_word(".opening.rootOut"), 3, _word(".opening.nextRest")), _word(".opening.end")
        );
    }

    function _root(string memory name) private view returns (bytes32) {
        return _word(string.concat(".root.", name));
    }

    function _word(string memory path) private view returns (bytes32) {
        return vm.parseJsonBytes32(_json, path);
    }
}
