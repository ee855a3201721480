// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {GameTest} from "../support/GameTest.sol";

/// @notice Whole matches, from both reveals to the last step, for every place a lie can be at.
contract MatchTest is GameTest {
    bytes32 internal genesis;
    bytes32 internal honest;
    bytes32 internal liar;

    function setUp() public {
        deployGame();
        genesis = rollup.GENESIS();
        skip(MIN_PERIOD);
        // Range 1 is batch 1 alone; the matches are about batches 2 and 3 (9 inputs of 16).
        sealBatch(4);
        sealBatch(3);
    }

    function test_match_lieAtInit_liarDies() public {
        _round(genesis, 0, 2);
        playOut(honest, liar);
        assertLive(honest);
        assertDead(liar);
    }

    function _round(bytes32 parent, uint256 lieAt, uint256 lieStep) internal {
        honest = claimTruth(newStaker("honest"), parent);
        liar = claimFor(newStaker("liar"), parent, lieAt, lieStep, "lie");
        reveal(honest);
        reveal(liar);
        openMatch(honest, liar, honest);
    }
}
