// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Hashes} from "../../src/lib/Hashes.sol";
import {Lists} from "../../src/lib/Lists.sol";
import {Histories} from "../support/Histories.sol";
import {RivalsTest} from "../support/RivalsTest.sol";

/// @notice Attacks on the lists of a match: what would leave the honest side without a move, or let a false list stand.
contract ListViolationsTest is RivalsTest {
    using Histories for Histories.History;

    function setUp() public {
        deployRivals();
    }

    /// @dev The side on turn has no move: let its clock run out.
    function _timeout() private {
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        skip(m.turnB ? m.clockB : m.clockA);
        (bytes32 a, bytes32 b) = ordered(honest, liar);
        dispute.timeout(a, b);
    }

    /// @dev Play until the liar has no legal move, then let it time out; or to the end.
    function _playUntilTheLiarIsStuck(bytes4 stuckBy) private {
        while (true) {
            bool liarsTurn = moverOf(honest, liar) == liar;
            try this.moveExternally() returns (bool decided) {
                if (decided) break;
            } catch (bytes memory reason) {
                assertTrue(liarsTurn, "the honest side has no move");
                assertEq(bytes32(bytes4(reason)), bytes32(stuckBy));
                _timeout();
                break;
            }
        }
        assertDead(liar);
        assertLive(honest);
    }

    /// @dev External, so that its revert can be caught.
    function moveExternally() external returns (bool) {
        return move(honest, liar);
    }

    function _openWithOddLeaf(uint256 place, bytes32 leaf, bool liarFirst) private {
        claimBoth(place, 2);
        oddLeaf[liar][place] = leaf;
        reveal(honest);
        reveal(liar);
        openMatch(honest, liar, liarFirst ? liar : honest);
    }

    function _rejectedInput() private view returns (uint256) {
        Input[] memory inputs = rangeOf(parent);
        for (uint256 i = 0; i < inputs.length; ++i) {
            if (machine.isRejected(inputs[i].hash)) return i;
        }
        revert("no input of the range is rejected");
    }

    function test_V10_honestlyRejectedInput_canBeCommittedTo() public {
        openRivals(_rejectedInput(), 2, false);
        playOut(honest, liar);
        assertDead(liar);
        assertLive(honest);
    }

    function test_V11_trueRootWithAnotherChain_cannotBeOpened() public {
        uint256 snapshot = vm.snapshotState();
        for (uint256 turn = 0; turn < 2; ++turn) {
            uint256 place = 4;
            bytes32 root = rootsFor(parent, NEVER, 0)[place];
            bytes32 wrongChain = keccak256("another rest");
            _openWithOddLeaf(place, Hashes.leaf(root, rangeOf(parent)[place].batch, wrongChain), turn == 0);
            _playUntilTheLiarIsStuck(Errors.WrongLeaf.selector);
            vm.revertToState(snapshot);
            snapshot = vm.snapshotState();
        }
    }

    function test_V12_leafWithoutAPreimage_doesNotBlockTheHonestSide() public {
        uint256 snapshot = vm.snapshotState();
        for (uint256 turn = 0; turn < 2; ++turn) {
            _openWithOddLeaf(4, keccak256("garbage"), turn == 0);
            _playUntilTheLiarIsStuck(Errors.WrongLeaf.selector);
            vm.revertToState(snapshot);
            snapshot = vm.snapshotState();
        }
    }

    function test_V13_laterDifference_cannotBeChosen() public {
        // The lie begins at input 4 and goes on: the first committer opens a later leaf of its own instead.
        openRivals(4, 2, true);
        playToCommit();
        bytes32 mover = moverOf(honest, liar);
        IDispute.Fork memory fork = forkOf(honest, liar);
        assertEq(childOf(fork, 1), 0);
        IDispute.Opening memory opening = openingOf(mover, 5);
        bytes32[] memory trace = traceOf(mover, 5).top();
        bytes32 nextRoot = players[mover].roots[5];
        vm.prank(players[mover].owner);
        vm.expectPartialRevert(Errors.WrongLeaf.selector);
        dispute.commitTrace(fork, opening, nextRoot, trace);
    }

    /// @dev The liar's top list has the honest first half, but claims another end for it.
    function _openWithCopiedChild(bool liarFirst) private {
        claimBoth(3, 2);
        reveal(honest);
        bytes32[] memory list = historyOf(honest).top();
        list[1] = keccak256("another end of the same child");
        list[3] = endOf(liar);
        vm.prank(mallory);
        rollup.reveal(liar, list);
        openMatch(honest, liar, liarFirst ? liar : honest);
    }

    function _copiedFork() private view returns (IDispute.Fork memory fork) {
        (fork.a, fork.b) = ordered(honest, liar);
        (fork.round, fork.prev) = (parent, parent);
        bytes32[] memory list = historyOf(honest).top();
        bytes32[] memory copied = historyOf(honest).top();
        copied[1] = keccak256("another end of the same child");
        copied[3] = endOf(liar);
        (fork.listA, fork.listB) = honest < liar ? (list, copied) : (copied, list);
    }

    function test_V14_childCopiedFromTheHonestSide_mustEndWhereItsParentSays() public {
        _openWithCopiedChild(true);
        IDispute.Fork memory fork = _copiedFork();
        bytes32[] memory next = historyOf(honest).words(inputHeight() - 1, 0);
        bytes32 claimed = keccak256("another end of the same child");
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongEnd.selector, next[next.length - 1], claimed));
        dispute.dissect(fork, next);
        _timeout();
        assertDead(liar);
    }

    function test_V15_traceOfTheOtherSide_cannotBeCommitted() public {
        uint256 snapshot = vm.snapshotState();
        for (uint256 turn = 0; turn < 2; ++turn) {
            openRivals(4, 2, turn == 0);
            playToCommit();
            if (moverOf(honest, liar) == honest) moveCommit(honest, liar);
            disputedInput[matchOfRivals()] = 4;
            bytes32[] memory trace = traceOf(honest, 4).top();
            bytes32 nextRoot = players[liar].roots[4];
            bytes32 end = machine.finalState(nextRoot);
            bytes memory reason =
                abi.encodeWithSelector(Errors.WrongEnd.selector, trace[trace.length - 1], end);
            (bytes32 a, bytes32 b) = ordered(honest, liar);
            if (dispute.getMatch(matchOfRivals()).stage == IDispute.Stage.HALF) {
                IDispute.Position memory p = halfPosition(honest, liar);
                vm.prank(mallory);
                vm.expectRevert(reason);
                dispute.commitSecondTrace(a, b, p, nextRoot, trace);
            } else {
                IDispute.Fork memory fork = forkOf(honest, liar);
                IDispute.Opening memory opening = openingOf(liar, 4);
                vm.prank(mallory);
                vm.expectRevert(reason);
                dispute.commitTrace(fork, opening, nextRoot, trace);
            }
            vm.revertToState(snapshot);
            snapshot = vm.snapshotState();
        }
    }

    function test_V16_sameChildWithAnotherEnd_honestSideMovesTheLiarIsStuck() public {
        _openWithCopiedChild(false);
        IDispute.Fork memory fork = _copiedFork();
        bytes32[] memory next = historyOf(honest).words(inputHeight() - 1, 0);
        dispute.dissect(fork, next);
        // Now both sides stand on one and the same list: whoever is on turn, the liar, cannot go on.
        (fork.listA, fork.listB) = (next, next);
        vm.expectRevert(Lists.NoDifference.selector);
        dispute.dissect(fork, next);
        _timeout();
        assertDead(liar);
        assertLive(honest);
    }

    function test_V17_stepOfAStoppedMachine_canBeProven() public {
        // The liar's machine stops with the true root and then changes its mind.
        openRivals(4, toySteps() + 1, false);
        playToProof();
        IDispute.Fork memory fork = forkOf(honest, liar);
        uint256 step = dispute.getMatch(matchOfRivals()).start + childOf(fork, 1);
        assertGe(step, toySteps());
        moveProve(honest, liar);
        assertDead(liar);
        assertLive(honest);
    }

    function test_V18_traceThatDoesNotStop_cannotBeCommitted() public {
        openRivals(4, 2, false);
        playToCommit();
        bytes32 mover = moverOf(honest, liar);
        disputedInput[matchOfRivals()] = 4;
        IDispute.Fork memory fork = forkOf(honest, liar);
        IDispute.Opening memory opening = openingOf(mover, 4);
        bytes32[] memory trace = traceOf(mover, 4).top();
        bytes32 nextRoot = players[mover].roots[4];
        bytes32 end = trace[trace.length - 1];
        trace[trace.length - 1] = machine.running(0, 0, 7);
        vm.prank(players[mover].owner);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongEnd.selector, trace[trace.length - 1], end));
        dispute.commitTrace(fork, opening, nextRoot, trace);
    }

    function test_garbageHistory_onlyItsEndIsKnown_timesOut() public {
        uint256 snapshot = vm.snapshotState();
        for (uint256 turn = 0; turn < 2; ++turn) {
            claimBoth(3, 2);
            reveal(honest);
            bytes32[] memory list = new bytes32[](4);
            for (uint256 i = 0; i < 3; ++i) {
                list[i] = keccak256(abi.encode("garbage", i));
            }
            list[3] = endOf(liar);
            vm.prank(mallory);
            rollup.reveal(liar, list);
            openMatch(honest, liar, turn == 0 ? liar : honest);
            if (turn == 1) {
                // The honest side always has a move: its own child.
                IDispute.Fork memory fork;
                (fork.a, fork.b) = ordered(honest, liar);
                (fork.round, fork.prev) = (parent, parent);
                bytes32[] memory own = historyOf(honest).top();
                (fork.listA, fork.listB) = honest < liar ? (own, list) : (list, own);
                dispute.dissect(fork, historyOf(honest).words(inputHeight() - 1, 0));
            }
            _timeout();
            assertDead(liar);
            assertLive(honest);
            vm.revertToState(snapshot);
            snapshot = vm.snapshotState();
        }
    }

    function test_revealedLists_ofRivals_alwaysDiffer() public {
        // The lists end in the ends that were asserted, and those differ.
        claimBoth(3, 2);
        reveal(honest);
        bytes32[] memory list = historyOf(honest).top();
        bytes32 other = rollup.getClaim(honest).node;
        bytes32 own = rollup.getClaim(liar).node;
        vm.prank(mallory);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongEnd.selector, other, own));
        rollup.reveal(liar, list);
        assertEq(rollup.getClaim(liar).revealedAt, 0);
        assertTrue(rollup.getClaim(liar).status == IRollup.Status.LIVE);
    }
}
