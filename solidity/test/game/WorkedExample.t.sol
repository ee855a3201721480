// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Dispute} from "../../src/dispute/Dispute.sol";
import {Inbox} from "../../src/inbox/Inbox.sol";
import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IInbox} from "../../src/interfaces/IInbox.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {Hashes} from "../../src/lib/Hashes.sol";
import {Tags} from "../../src/lib/Tags.sol";
import {Rollup} from "../../src/rollup/Rollup.sol";
import {Histories} from "../support/Histories.sol";
import {Test} from "../support/Test.sol";
import {ToyStep} from "../support/ToyStep.sol";

/// @notice Stands where the example has its Vault.
contract BackstopRegister {
    address private immutable _OWNER;
    address public immutable INBOX;

    constructor(address owner, address inbox) {
        _OWNER = owner;
        INBOX = inbox;
    }

    function ownerOf(uint40) external view returns (address) {
        return _OWNER;
    }
}

/// @notice The worked example of docs/PROTOCOL.md section 5, played on the real Inbox, Rollup and Dispute: what Python
/// has computed (tests/vectors/worked_example.json) is what the contracts store and accept.
contract WorkedExampleGameTest is Test {
    using Histories for Histories.History;

    string private _json;
    uint256 private _start;
    address private _vault;
    address private _honest;
    address private _rival;
    Inbox private _inbox;
    Rollup private _rollup;
    Dispute private _dispute;
    ToyStep private _machine;

    function setUp() public {
        _json = readVectors("worked_example.json");
        _start = vm.parseJsonUint(_json, ".init.second");
        _vault = vm.parseJsonAddress(_json, ".init.vault");
        _honest = vm.parseJsonAddress(_json, ".range.owners[0]");
        _rival = vm.parseJsonAddress(_json, ".range.owners[1]");
        vm.chainId(31_337);
        vm.warp(_start);
        _machine = new ToyStep(3);
        address predictedInbox = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        address backstop = vm.parseJsonAddress(_json, ".init.backstop");
        vm.etch(_vault, address(new BackstopRegister(backstop, predictedInbox)).code);
        _inbox = new Inbox(
            IInbox.Parameters({
                vault: _vault,
                sequencer: address(this),
                maxBatch: 8,
                maxQueueItems: 3,
                forcedDeadline: 120,
                maxDelay: 3600,
                drift: 60,
                initBody: vm.parseJsonBytes(_json, ".init.body")
            })
        );
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        _rollup = new Rollup(
            IRollup.Parameters({
                inbox: address(_inbox),
                dispute: predicted,
                k: 2,
                h1: 3,
                h2: 3,
                challengePeriod: 600,
                grace: 0,
                minPeriod: 5,
                bond: 1 ether
            })
        );
        _dispute = new Dispute(address(_rollup), address(_machine), 100 gwei);
        assertEq(address(_dispute), predicted);
        _sealBatches();
    }

    function _sealBatches() private {
        bytes[] memory rows = vm.parseJsonBytesArray(_json, ".batch.rows");
        bytes32[] memory acc = vm.parseJsonBytes32Array(_json, ".batch.accumulator");
        vm.prank(_vault);
        _inbox.enqueueDeposit(1, 0xaAaAaAaaAaAaAaaAaAAAAAAAAaaaAaAaAaaAaaAa, 1_000_000);
        _inbox.appendBatch(acc[0], acc[1], 1, uint40(_start) + 10, uint40(_start) + 12, rows[1]);
        _inbox.appendBatch(acc[1], acc[2], 0, uint40(_start) + 20, uint40(_start) + 21, rows[2]);
        vm.warp(_start + 30);
    }

    function _word(string memory path) private view returns (bytes32) {
        return vm.parseJsonBytes32(_json, path);
    }

    function test_inbox_sealsTheExample_withItsHashes() public view {
        bytes32[] memory heads = vm.parseJsonBytes32Array(_json, ".batch.head");
        bytes32[] memory acc = vm.parseJsonBytes32Array(_json, ".batch.accumulator");
        uint256[] memory cumulative = vm.parseJsonUintArray(_json, ".batch.cumulative");
        assertEq(_inbox.batchCount(), 3);
        for (uint64 b = 1; b <= 3; ++b) {
            IInbox.Batch memory batch = _inbox.getBatch(b);
            assertEq(batch.head, heads[b - 1]);
            assertEq(batch.acc, acc[b - 1]);
            assertEq(batch.cum, cumulative[b - 1]);
        }
    }

    function _claim(address owner, bytes32 parent, bytes32 root, uint64 to) private returns (bytes32 claim) {
        bytes32 acc = _inbox.getBatch(to).acc;
        vm.prank(owner);
        return _rollup.assertState(parent, root, to, acc);
    }

    function _stake(address owner) private {
        vm.deal(owner, 1 ether);
        vm.prank(owner);
        _rollup.stake{value: 1 ether}();
    }

    function test_rollup_assertionsOfTheExample_haveItsIds() public {
        (bytes32 honest, bytes32 rival) = _claimBoth();
        assertEq(_rollup.GENESIS(), _word(".genesis.node"));
        assertEq(_rollup.roundOf(honest), _word(".range.parent"));
        assertEq(Hashes.node(_word(".genesis.node"), _word(".range.parentEnd")), _word(".range.parent"));
        assertEq(_rollup.getClaim(honest).node, _word(".range.node"));
        assertEq(honest, _word(".range.claims[0]"));
        assertEq(_rollup.inputCount(_word(".range.parent")), 6);
        assertNotEq(rival, honest);
    }

    /// @dev Both stand on the node over batch 1; the rival differs from leaf 4 on.
    function _claimBoth() private returns (bytes32 honest, bytes32 rival) {
        _stake(_honest);
        _stake(_rival);
        bytes32 genesis = _rollup.GENESIS();
        bytes32 parent = _word(".range.parent");
        _claim(_honest, genesis, _word(".root.r1"), 1);
        _claim(_rival, genesis, _word(".root.r1"), 1);
        vm.warp(_start + 40);
        honest = _claim(_honest, parent, _word(".root.f"), 3);
        rival = _claim(_rival, parent, "false f", 3);
    }

    function _histories()
        private
        view
        returns (Histories.History memory honest, Histories.History memory rival)
    {
        honest = Histories.History(2, 3, vm.parseJsonBytes32Array(_json, ".range.leaves"));
        rival = Histories.History(2, 3, vm.parseJsonBytes32Array(_json, ".range.leaves"));
        rival.ends[4] = Hashes.leaf("false e", 3, _word(".opening.nextRest"));
        for (uint256 i = 5; i < 8; ++i) {
            rival.ends[i] = Hashes.leaf("false f", 3, 0);
        }
    }

    function _fork(bytes32 honest, bytes32 rival, uint256 height, uint256 index)
        private
        view
        returns (IDispute.Fork memory fork)
    {
        (Histories.History memory mine, Histories.History memory theirs) = _histories();
        (bytes32[] memory left, bytes32[] memory right) =
            (mine.words(height, index), theirs.words(height, index));
        bool first = honest < rival;
        (fork.a, fork.b) = first ? (honest, rival) : (rival, honest);
        (fork.listA, fork.listB) = first ? (left, right) : (right, left);
        fork.round = _word(".range.parent");
        fork.prev = index == 0 ? fork.round : mine.end(index * 2 ** height - 1);
    }

    function test_dispute_acceptsTheOpeningOfTheExample() public {
        (bytes32 honest, bytes32 rival) = _claimBoth();
        (Histories.History memory mine, Histories.History memory theirs) = _histories();
        assertEq(mine.root(), _word(".range.top"));
        vm.prank(_honest);
        _rollup.reveal(honest, vm.parseJsonBytes32Array(_json, ".range.topList"));
        vm.prank(_rival);
        _rollup.reveal(rival, theirs.top());
        (bytes32 a, bytes32 b) = honest < rival ? (honest, rival) : (rival, honest);
        _dispute.openMatch(a, b, honest);
        _dispute.dissect(_fork(honest, rival, 3, 0), mine.words(2, 1));
        _dispute.dissect(_fork(honest, rival, 2, 1), theirs.words(1, 2));

        IDispute.Opening memory opening = IDispute.Opening({
            root: _word(".opening.root"),
            batch: uint64(vm.parseJsonUint(_json, ".opening.batch")),
            rest: _word(".opening.rest"),
            inputHash: _word(".opening.inputHash"),
            nextRest: _word(".opening.nextRest")
        });
        IDispute.Fork memory fork = _fork(honest, rival, 1, 2);
        assertEq(fork.prev, _word(".opening.prev"));
        bytes32[] memory trace = new bytes32[](4);
        trace[3] = _machine.finalState(_word(".opening.rootOut"));
        vm.prank(_honest);
        _dispute.commitTrace(fork, opening, _word(".opening.rootOut"), trace);

        // The second committer opens its own leaf with the same batch and chain.
        IDispute.Position memory p = IDispute.Position({
            round: fork.round,
            nodeA: a == honest ? this.listHash(trace) : theirs.end(4),
            nodeB: a == honest ? theirs.end(4) : this.listHash(trace),
            prev: _machine.initialState(opening.root, opening.inputHash),
            batch: uint64(vm.parseJsonUint(_json, ".opening.batchOut")),
            rest: opening.nextRest
        });
        bytes memory preimage =
            abi.encodePacked(Tags.POSITION, p.round, p.nodeA, p.nodeB, p.prev, p.batch, p.rest);
        assertEq(keccak256(preimage), _dispute.getMatch(_dispute.matchId(a, b)).position);
        assertEq(_dispute.getMatch(_dispute.matchId(a, b)).start, 4);
        trace[3] = _machine.finalState("false e");
        vm.prank(_rival);
        _dispute.commitSecondTrace(a, b, p, "false e", trace);
    }

    function listHash(bytes32[] calldata words) external pure returns (bytes32) {
        return Hashes.list(words, 3);
    }
}
