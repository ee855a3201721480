// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../src/interfaces/IDispute.sol";
import {Hashes} from "../src/lib/Hashes.sol";
import {Tags} from "../src/lib/Tags.sol";
import {DisputeProof} from "./DisputeProof.sol";

/// @notice The way from the range's inputs into one of them. The first trace opens the agreed leaf and the one input that
/// the Inbox has after it; each trace starts in that input's first state and ends in the root of the mover's own leaf;
/// and so the two traces end differently: there is always a first step to dispute.
/// Bounds: k = 2, traces of height 2.
contract TracesProof is DisputeProof {
    function check_commitTrace_bindsTheInputAndTheMoversLeaf() public {
        uint40 time = anyTime();
        IDispute.Fork memory fork = anyFork(2);
        (IDispute.Opening memory opening, bytes32 root, bytes32[] memory trace) =
            (_anyOpening(), svm.createBytes32("root"), anyList(4));
        IDispute.Match memory m = anyMatch(fork.a, fork.b, time);
        assumeHeight(m, 1);
        attempt(abi.encodeCall(IDispute.commitTrace, (fork, opening, root, trace)));
        IDispute.Match memory n = dispute.getMatch(Hashes.matchOf(fork.a, fork.b));
        checkMove(m, n, time);
        assert(n.stage == IDispute.Stage.HALF && n.height == 1);
        assert(rollup.mayMove(m.turnB ? fork.b : fork.a, caller));

        uint256 child = fork.listA[0] == fork.listB[0] ? 1 : 0;
        assert(fork.listA[child] != fork.listB[child] && n.start == m.start + child);
        assert(n.start < rollup.inputCount(fork.round));
        _checkOpening(opening, fork.round, child == 0 ? fork.prev : fork.listA[0], n.start == 0);
        IDispute.Position memory p;
        (p.round, p.nodeA, p.nodeB) = (fork.round, fork.listA[child], fork.listB[child]);
        p.prev = step.initialState(opening.root, opening.inputHash);
        (p.batch, p.rest) = (opening.batch + (opening.rest == 0 ? 1 : 0), opening.nextRest);
        _checkTrace(p, m.turnB, root, trace);
        assert(n.position == Hashes.position(p));
    }

    function check_commitSecondTrace_bindsTheMoversLeaf() public {
        uint40 time = anyTime();
        (bytes32 a, bytes32 b) = (svm.createBytes32("a"), svm.createBytes32("b"));
        (IDispute.Position memory p, bytes32 root, bytes32[] memory trace) =
            (_anyPosition(), svm.createBytes32("root"), anyList(4));
        IDispute.Match memory m = anyMatch(a, b, time);
        attempt(abi.encodeCall(IDispute.commitSecondTrace, (a, b, p, root, trace)));
        IDispute.Match memory n = dispute.getMatch(Hashes.matchOf(a, b));
        checkMove(m, n, time);
        assert(n.stage == IDispute.Stage.STEPS && n.height == H2 && n.start == 0);
        assert(rollup.mayMove(m.turnB ? b : a, caller));
        assert(Hashes.position(p) == m.position);
        _checkTrace(p, m.turnB, root, trace);
        (p.batch, p.rest) = (0, 0);
        assert(n.position == Hashes.position(p));
    }

    /// @dev Two commitments in a row, from any two ends of one input that differ.
    function check_bothTraces_endDifferently() public {
        uint40 time = anyTime();
        IDispute.Fork memory fork = anyFork(2);
        bytes32 id = Hashes.matchOf(fork.a, fork.b);
        (bytes32[] memory first, bytes32[] memory second) = (anyList(4), anyList(4));
        assumeHeight(anyMatch(fork.a, fork.b, time), 1);
        IDispute.Opening memory opening = _anyOpening();
        attempt(abi.encodeCall(IDispute.commitTrace, (fork, opening, svm.createBytes32("root"), first)));
        IDispute.Position memory p = _anyPosition();
        vm.assume(Hashes.position(p) == dispute.getMatch(id).position);
        bytes32 root = svm.createBytes32("root");
        attempt(abi.encodeCall(IDispute.commitSecondTrace, (fork.a, fork.b, p, root, second)));
        assert(first[3] != second[3]);
    }

    /// @dev `prev` is the leaf that `opening` opens, and the input the one that the Inbox has next.
    function _checkOpening(IDispute.Opening memory opening, bytes32 round, bytes32 prev, bool isFirst)
        private
        view
    {
        bytes32 leaf = Hashes.leaf(opening.root, opening.batch, opening.rest);
        assert(prev == (isFirst ? Hashes.node(rollup.getNode(round).parent, leaf) : leaf));
        bytes32 rest = opening.rest == 0 ? inbox.getBatch(opening.batch + 1).head : opening.rest;
        assert(rest == Hashes.chainLink(opening.inputHash, opening.nextRest));
    }

    /// @dev The mover's leaf is that of `root` after this input; its trace ends in `root` and takes the leaf's place in `p`.
    function _checkTrace(IDispute.Position memory p, bool turnB, bytes32 root, bytes32[] memory trace) private view {
        assert((turnB ? p.nodeB : p.nodeA) == Hashes.leaf(root, p.batch, p.rest));
        assert(trace[3] == step.finalState(root));
        bytes32 hash = keccak256(abi.encodePacked(Tags.LIST, trace));
        if (turnB) p.nodeB = hash;
        else p.nodeA = hash;
    }

    function _anyOpening() private view returns (IDispute.Opening memory opening) {
        opening.root = svm.createBytes32("root before");
        opening.batch = uint64(svm.createUint(64, "batch"));
        vm.assume(opening.batch < type(uint64).max); // a batch a block for 10^11 years
        (opening.rest, opening.inputHash) = (svm.createBytes32("rest"), svm.createBytes32("input"));
        opening.nextRest = svm.createBytes32("nextRest");
    }

    function _anyPosition() private view returns (IDispute.Position memory p) {
        (p.round, p.prev) = (svm.createBytes32("round"), svm.createBytes32("prev"));
        (p.nodeA, p.nodeB) = (svm.createBytes32("nodeA"), svm.createBytes32("nodeB"));
        (p.batch, p.rest) = (uint64(svm.createUint(64, "batch")), svm.createBytes32("rest"));
    }
}
