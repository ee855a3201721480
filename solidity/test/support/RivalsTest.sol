// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {GameTest} from "./GameTest.sol";

/// @notice An unconfirmed true node over batch 1, on which alice, mallory and trudy stand, and its round about batches
/// 2 and 3: nine inputs of sixteen positions.
abstract contract RivalsTest is GameTest {
    uint256 internal constant INPUTS = 9;
    uint256 internal constant POSITIONS = 16;
    uint256 internal constant STEPS = 8; // of one input; the toy machine stops after the fifth

    bytes32 internal parent;
    address internal alice;
    address internal mallory;
    address internal trudy;

    /// @dev Alice's true claim and mallory's false one, once they are made.
    bytes32 internal honest;
    bytes32 internal liar;

    function deployRivals() internal {
        deployGame();
        skip(MIN_PERIOD);
        sealBatch(4);
        sealBatch(3);
        alice = newStaker("alice");
        mallory = newStaker("mallory");
        trudy = newStaker("trudy");
        parent = rollup.getClaim(claimTruth(alice, rollup.GENESIS())).node;
        claimTruth(mallory, rollup.GENESIS());
        claimTruth(trudy, rollup.GENESIS());
        skip(MIN_PERIOD);
    }

    function claimBoth(uint256 lieAt, uint256 lieStep) internal {
        honest = claimTruth(alice, parent);
        liar = claimFor(mallory, parent, lieAt, lieStep, "lie");
    }

    function openRivals(uint256 lieAt, uint256 lieStep, bool liarFirst) internal {
        claimBoth(lieAt, lieStep);
        reveal(honest);
        reveal(liar);
        openMatch(honest, liar, liarFirst ? liar : honest);
    }

    function matchOfRivals() internal view returns (bytes32) {
        return dispute.matchId(honest, liar);
    }

    /// @dev Moves until the lists of the inputs are open but for the last commitment.
    function playToCommit() internal {
        while (dispute.getMatch(matchOfRivals()).height > 1) move(honest, liar);
    }

    /// @dev Moves until only the step is left to be executed.
    function playToProof() internal {
        playToCommit();
        move(honest, liar);
        move(honest, liar);
        playToCommit();
    }
}
