// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Hashes} from "../../src/lib/Hashes.sol";
import {Histories} from "../support/Histories.sol";
import {RivalsTest} from "../support/RivalsTest.sol";

/// @notice Dissections and commitments: who may move, and each way in which a move can be wrong.
contract MovesTest is RivalsTest {
    using Histories for Histories.History;

    uint256 internal constant LIE_AT = 5;
    uint256 internal constant LIE_STEP = 2;

    bytes32 internal a;
    bytes32 internal b;

    function setUp() public {
        deployRivals();
        claimBoth(LIE_AT, LIE_STEP);
        (a, b) = ordered(honest, liar);
    }

    function _open(bytes32 first) private {
        reveal(honest);
        reveal(liar);
        openMatch(honest, liar, first);
    }

    /* DISSECT */

    function test_dissect_unknownMatch_reverts() public {
        IDispute.Fork memory fork;
        (fork.a, fork.b, fork.round) = (a, b, parent);
        vm.expectRevert(abi.encodeWithSelector(IDispute.UnknownMatch.selector, Hashes.matchOf(a, b)));
        dispute.dissect(fork, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(IDispute.UnknownMatch.selector, Hashes.matchOf(b, a)));
        dispute.timeout(b, a);
    }

    function test_dissect_wrongLengths_reverts() public {
        _open(honest);
        IDispute.Fork memory fork = forkOf(honest, liar);
        bytes32[] memory next = nextList(fork);
        bytes32[] memory short = new bytes32[](2);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLength.selector, 2, 4));
        dispute.dissect(fork, short);
        (bytes32[] memory listA, bytes32[] memory listB) = (fork.listA, fork.listB);
        fork.listA = short;
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLength.selector, 2, 4));
        dispute.dissect(fork, next);
        (fork.listA, fork.listB) = (listA, short);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLength.selector, 2, 4));
        dispute.dissect(fork, next);
        fork.listB = listB;
        dispute.dissect(fork, next);
    }

    function test_dissect_anyPartOfThePositionChanged_reverts() public {
        _open(honest);
        IDispute.Fork memory fork = forkOf(honest, liar);
        bytes32[] memory next = nextList(fork);
        bytes4 wrong = IDispute.WrongPosition.selector;
        fork.listA[1] ^= bytes32(uint256(1));
        vm.expectPartialRevert(wrong);
        dispute.dissect(fork, next);
        fork.listA[1] ^= bytes32(uint256(1));
        fork.listB[2] ^= bytes32(uint256(1));
        vm.expectPartialRevert(wrong);
        dispute.dissect(fork, next);
        fork.listB[2] ^= bytes32(uint256(1));
        fork.prev ^= bytes32(uint256(1));
        vm.expectPartialRevert(wrong);
        dispute.dissect(fork, next);
        fork.prev ^= bytes32(uint256(1));
        // Another open round is not believed either.
        fork.round = rollup.getClaim(honest).node;
        vm.expectPartialRevert(wrong);
        dispute.dissect(fork, next);
        fork.round = parent;
        (fork.listA, fork.listB) = (fork.listB, fork.listA);
        vm.expectPartialRevert(wrong);
        dispute.dissect(fork, next);
    }

    function test_dissect_notTheOwnChild_reverts() public {
        _open(honest);
        IDispute.Fork memory fork = forkOf(honest, liar);
        bytes32[] memory next = nextList(fork);
        next[0] ^= bytes32(uint256(1));
        bytes32 given = this.hashList(next, inputHeight() - 1);
        bytes32 sub = (honest == a ? fork.listA : fork.listB)[2 * childOf(fork, inputHeight())];
        vm.expectRevert(abi.encodeWithSelector(IDispute.WrongList.selector, given, sub));
        dispute.dissect(fork, next);
    }

    /// @dev External, because the hash is taken of calldata.
    function hashList(bytes32[] calldata list, uint256 height) external pure returns (bytes32) {
        return Hashes.list(list, height);
    }

    function test_dissect_betweenTheCommitments_reverts() public {
        _open(honest);
        playToCommit();
        IDispute.Fork memory fork = forkOf(honest, liar);
        vm.expectRevert(abi.encodeWithSelector(IDispute.WrongStage.selector, IDispute.Stage.INPUTS, 1));
        dispute.dissect(fork, new bytes32[](2));
        moveCommit(honest, liar);
        vm.expectRevert(abi.encodeWithSelector(IDispute.WrongStage.selector, IDispute.Stage.HALF, 1));
        dispute.dissect(fork, new bytes32[](2));
    }

    function test_dissect_byAStranger_succeeds() public {
        _open(honest);
        IDispute.Fork memory fork = forkOf(honest, liar);
        bytes32[] memory next = nextList(fork);
        vm.prank(account("stranger"));
        dispute.dissect(fork, next);
    }

    function test_dissect_afterADeath_reverts() public {
        _open(honest);
        IDispute.Fork memory fork = forkOf(honest, liar);
        bytes32[] memory next = nextList(fork);
        vm.prank(address(dispute));
        rollup.eliminate(liar, 0);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimNotLive.selector, liar));
        dispute.dissect(fork, next);
        skip(PERIOD);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimNotLive.selector, liar));
        dispute.timeout(a, b);
    }

    /* COMMIT */

    function _commitArguments()
        private
        returns (
            IDispute.Fork memory fork,
            IDispute.Opening memory opening,
            bytes32 mover,
            bytes32[] memory trace
        )
    {
        _open(honest);
        playToCommit();
        fork = forkOf(honest, liar);
        mover = moverOf(honest, liar);
        disputedInput[matchOfRivals()] = LIE_AT;
        opening = openingOf(mover, LIE_AT);
        trace = traceOf(mover, LIE_AT).top();
    }

    function test_commitTrace_byAStranger_reverts() public {
        (IDispute.Fork memory fork, IDispute.Opening memory opening, bytes32 mover, bytes32[] memory trace) =
            _commitArguments();
        bytes32 nextRoot = players[mover].roots[LIE_AT];
        vm.expectRevert(abi.encodeWithSelector(IDispute.NotMover.selector, address(this), mover));
        dispute.commitTrace(fork, opening, nextRoot, trace);
        vm.prank(players[mover == honest ? liar : honest].owner);
        vm.expectPartialRevert(IDispute.NotMover.selector);
        dispute.commitTrace(fork, opening, nextRoot, trace);
    }

    function test_commitTrace_byTheOperator_succeeds() public {
        (IDispute.Fork memory fork, IDispute.Opening memory opening, bytes32 mover, bytes32[] memory trace) =
            _commitArguments();
        bytes32 nextRoot = players[mover].roots[LIE_AT];
        vm.prank(players[mover].owner);
        rollup.setOperator(mover, account("hot key"));
        vm.prank(account("hot key"));
        dispute.commitTrace(fork, opening, nextRoot, trace);
        assertTrue(dispute.getMatch(matchOfRivals()).stage == IDispute.Stage.HALF);
        assertEq(dispute.getMatch(matchOfRivals()).start, LIE_AT);
    }

    function test_commitTrace_openingOfAnotherLeaf_reverts() public {
        (IDispute.Fork memory fork, IDispute.Opening memory opening, bytes32 mover, bytes32[] memory trace) =
            _commitArguments();
        bytes32 nextRoot = players[mover].roots[LIE_AT];
        bytes32 before = historyOf(mover).end(LIE_AT - 1);
        opening.root ^= bytes32(uint256(1));
        bytes32 given = Hashes.leaf(opening.root, opening.batch, opening.rest);
        vm.prank(players[mover].owner);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLeaf.selector, given, before));
        dispute.commitTrace(fork, opening, nextRoot, trace);
    }

    function test_commitTrace_inputOfOnesOwn_reverts() public {
        (IDispute.Fork memory fork, IDispute.Opening memory opening, bytes32 mover, bytes32[] memory trace) =
            _commitArguments();
        bytes32 nextRoot = players[mover].roots[LIE_AT];
        bytes32 chain = Hashes.chainLink(opening.inputHash, opening.nextRest);
        opening.inputHash = keccak256("a better input");
        bytes32 given = Hashes.chainLink(opening.inputHash, opening.nextRest);
        vm.prank(players[mover].owner);
        vm.expectRevert(abi.encodeWithSelector(IDispute.WrongInput.selector, given, chain));
        dispute.commitTrace(fork, opening, nextRoot, trace);
    }

    function test_commitTrace_nextRootIsNotTheMoversLeaf_reverts() public {
        (IDispute.Fork memory fork, IDispute.Opening memory opening, bytes32 mover, bytes32[] memory trace) =
            _commitArguments();
        bytes32 nextRoot = keccak256("another root");
        Input memory input = rangeOf(parent)[LIE_AT];
        bytes32 given = Hashes.leaf(nextRoot, input.batch, input.rest);
        bytes32 own = historyOf(mover).end(LIE_AT);
        vm.prank(players[mover].owner);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLeaf.selector, given, own));
        dispute.commitTrace(fork, opening, nextRoot, trace);
    }

    function test_commitTrace_traceOfWrongLength_reverts() public {
        (IDispute.Fork memory fork, IDispute.Opening memory opening, bytes32 mover,) = _commitArguments();
        bytes32 nextRoot = players[mover].roots[LIE_AT];
        vm.prank(players[mover].owner);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLength.selector, 2, 4));
        dispute.commitTrace(fork, opening, nextRoot, new bytes32[](2));
    }

    function test_commitTrace_beforeTheInputIsFound_reverts() public {
        _open(honest);
        IDispute.Fork memory fork = forkOf(honest, liar);
        IDispute.Opening memory opening;
        vm.expectRevert(
            abi.encodeWithSelector(IDispute.WrongStage.selector, IDispute.Stage.INPUTS, inputHeight())
        );
        dispute.commitTrace(fork, opening, 0, new bytes32[](0));
    }

    function test_commitSecondTrace_byAStranger_reverts() public {
        _open(honest);
        playToCommit();
        moveCommit(honest, liar);
        bytes32 mover = moverOf(honest, liar);
        IDispute.Position memory p = halfPosition(honest, liar);
        vm.expectRevert(abi.encodeWithSelector(IDispute.NotMover.selector, address(this), mover));
        dispute.commitSecondTrace(a, b, p, 0, new bytes32[](4));
    }

    function test_commitSecondTrace_anyPartOfThePositionChanged_reverts() public {
        _open(honest);
        playToCommit();
        moveCommit(honest, liar);
        bytes32 mover = moverOf(honest, liar);
        address owner = players[mover].owner;
        bytes32[] memory trace = traceOf(mover, LIE_AT).top();
        bytes32 nextRoot = players[mover].roots[LIE_AT];
        for (uint256 part = 0; part < 6; ++part) {
            IDispute.Position memory p = halfPosition(honest, liar);
            if (part == 0) p.nodeA ^= bytes32(uint256(1));
            if (part == 1) p.nodeB ^= bytes32(uint256(1));
            if (part == 2) p.prev ^= bytes32(uint256(1));
            if (part == 3) p.batch ^= 1;
            if (part == 4) p.rest ^= bytes32(uint256(1));
            if (part == 5) p.round = players[honest].node;
            vm.prank(owner);
            vm.expectPartialRevert(IDispute.WrongPosition.selector);
            dispute.commitSecondTrace(a, b, p, nextRoot, trace);
        }
        moveSecondCommit(honest, liar);
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        assertTrue(m.stage == IDispute.Stage.STEPS);
        assertEq(m.height, stepHeight());
        assertEq(m.start, 0);
    }

    function test_commitSecondTrace_nextRootIsNotTheMoversLeaf_reverts() public {
        _open(honest);
        playToCommit();
        moveCommit(honest, liar);
        bytes32 mover = moverOf(honest, liar);
        IDispute.Position memory p = halfPosition(honest, liar);
        bytes32[] memory trace = traceOf(mover, LIE_AT).top();
        vm.prank(players[mover].owner);
        vm.expectPartialRevert(Errors.WrongLeaf.selector);
        dispute.commitSecondTrace(a, b, p, keccak256("another root"), trace);
    }

    function test_commitSecondTrace_beforeTheFirst_reverts() public {
        _open(honest);
        IDispute.Position memory p;
        p.round = parent;
        vm.expectRevert(
            abi.encodeWithSelector(IDispute.WrongStage.selector, IDispute.Stage.INPUTS, inputHeight())
        );
        dispute.commitSecondTrace(a, b, p, 0, new bytes32[](0));
    }
}
