// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {RivalsTest} from "../support/RivalsTest.sol";
import {ToyStep} from "../support/ToyStep.sol";

/// @notice The moves that decide a match on its merits.
contract ProofsTest is RivalsTest {
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

    /* PROOF */

    function test_prove_falseWitness_revertsAndChangesNothing() public {
        _open(honest);
        playToProof();
        bytes32 before = dispute.getMatch(matchOfRivals()).position;
        IDispute.Fork memory fork = forkOf(honest, liar);
        bytes memory proof = abi.encode(bytes32(0), bytes32(0), uint256(0));
        vm.expectPartialRevert(ToyStep.FalseWitness.selector);
        dispute.prove(fork, proof);
        assertEq(dispute.getMatch(matchOfRivals()).position, before);
        assertLive(honest);
        assertLive(liar);
    }

    function test_prove_beforeOneStepIsLeft_reverts() public {
        _open(honest);
        IDispute.Fork memory fork = forkOf(honest, liar);
        vm.expectRevert(
            abi.encodeWithSelector(IDispute.WrongStage.selector, IDispute.Stage.INPUTS, inputHeight())
        );
        dispute.prove(fork, "");
    }

    function test_prove_withTooLittleGas_revertsAndRecordsNothing() public {
        _open(honest);
        playToProof();
        IDispute.Fork memory fork = forkOf(honest, liar);
        uint256 done = dispute.getMatch(matchOfRivals()).start + childOf(fork, 1);
        bytes memory proof = proofOf(honest, LIE_AT, done);
        for (uint256 gasLimit = 20_000; gasLimit < 180_000; gasLimit += 4000) {
            try dispute.prove{gas: gasLimit}(fork, proof) {
                assertLive(honest);
                assertDead(liar);
                return;
            } catch {
                assertLive(honest);
                assertLive(liar);
            }
        }
        revert("180,000 gas were not enough");
    }

    function test_prove_afterTheEnd_reverts() public {
        _open(honest);
        playToProof();
        IDispute.Fork memory fork = forkOf(honest, liar);
        moveProve(honest, liar);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ClaimNotLive.selector, liar));
        dispute.prove(fork, "");
    }

    function test_provePadding_onAnInput_reverts() public {
        _open(honest);
        playToCommit();
        IDispute.Fork memory fork = forkOf(honest, liar);
        vm.expectRevert(abi.encodeWithSelector(IDispute.NotPadding.selector, LIE_AT, INPUTS));
        dispute.provePadding(fork);
    }

    function test_provePadding_atAnotherHeight_reverts() public {
        _open(honest);
        IDispute.Fork memory fork = forkOf(honest, liar);
        vm.expectRevert(
            abi.encodeWithSelector(IDispute.WrongStage.selector, IDispute.Stage.INPUTS, inputHeight())
        );
        dispute.provePadding(fork);
    }

    function test_commitTrace_onPadding_reverts() public {
        bytes32 padder = claimFor(trudy, parent, INPUTS, 0, "padding");
        reveal(honest);
        reveal(padder);
        openMatch(honest, padder, honest);
        while (dispute.getMatch(dispute.matchId(honest, padder)).height > 1) moveDissect(honest, padder);
        IDispute.Fork memory fork = forkOf(honest, padder);
        IDispute.Opening memory opening;
        vm.prank(players[moverOf(honest, padder)].owner);
        vm.expectRevert(abi.encodeWithSelector(IDispute.Padding.selector, INPUTS, INPUTS));
        dispute.commitTrace(fork, opening, 0, new bytes32[](4));
        movePadding(honest, padder);
        assertDead(padder);
    }
}
