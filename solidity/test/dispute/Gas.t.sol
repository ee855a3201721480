// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {GameTest} from "../support/GameTest.sol";

/// @notice What a dispute costs with the parameters of the presets: each call as a transaction of its own, intrinsic
/// gas and the EIP-7623 floor included.
/// forge-config: default.isolate = true
contract GasTest is GameTest {
    function arity() internal pure override returns (uint8) {
        return 8;
    }

    function inputHeight() internal pure override returns (uint8) {
        return 5;
    }

    function stepHeight() internal pure override returns (uint8) {
        return 6;
    }

    function toySteps() internal pure override returns (uint256) {
        return 40;
    }

    function maxBatch() internal pure override returns (uint64) {
        return 4096;
    }

    function setUp() public {
        deployGame();
        skip(MIN_PERIOD);
        sealBatch(30);
    }

    function test_gas_wholeDispute() public {
        bytes32 genesis = rollup.GENESIS();
        bytes32 honest = claimTruth(newStaker("honest"), genesis);
        uint256 cost = vm.snapshotGasLastCall("game", "assertState first");
        skip(MIN_PERIOD);
        genesis = rollup.getClaim(honest).node;
        honest = claimTruth(players[honest].owner, genesis);
        bytes32 other = claimTruth(newStaker("liar"), rollup.GENESIS());
        bytes32 liar = claimFor(players[other].owner, genesis, 17, 20, "lie");
        reveal(honest);
        uint256 total = vm.snapshotGasLastCall("game", "reveal");
        reveal(liar);
        total += vm.snapshotGasLastCall("game", "reveal");
        openMatch(honest, liar, honest);
        total += vm.snapshotGasLastCall("game", "openMatch");
        bool done;
        uint256 n;
        while (!done) {
            done = move(honest, liar);
            cost = vm.snapshotGasLastCall("game", string.concat("move ", vm.toString(n++)));
            total += cost;
        }
        skip(PERIOD);
        rollup.confirm(rollup.getNode(genesis).parent == 0 ? genesis : genesis);
        rollup.confirm(players[honest].node);
        total += vm.snapshotGasLastCall("game", "confirm");
        vm.snapshotValue("game", "total", total);
    }
}
