// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {RivalsTest} from "../support/RivalsTest.sol";

/// @notice A whole dispute in one shape (arity and heights), every call a transaction of its own with the EIP-7623 floor:
/// from the two rival assertions to the payment of the winner's credit. The machine is the toy one, so `prove` is the
/// same but for its lists, and shapes can be compared.
abstract contract ShapeTest is RivalsTest {
    uint256 private constant STEPS_OF_AN_INPUT = 512;

    uint256 private _dearestDissection;
    uint256 private _total;

    function toySteps() internal pure override returns (uint256) {
        return STEPS_OF_AN_INPUT;
    }

    function maxBatch() internal pure override returns (uint64) {
        return 4096;
    }

    function setUp() public {
        deployRivals();
    }

    function _name() private pure returns (string memory) {
        string memory heights = string.concat(vm.toString(inputHeight()), " and ", vm.toString(stepHeight()));
        return string.concat("k = ", vm.toString(arity()), ", heights ", heights);
    }

    function test_gas_ofThisShape() public {
        honest = claimTruth(alice, parent);
        _count();
        liar = claimFor(mallory, parent, 7, STEPS_OF_AN_INPUT - 1, "lie");
        _count();
        reveal(honest);
        _count();
        reveal(liar);
        _count();
        openMatch(honest, liar, honest);
        _count();
        while (!_moveAndCount()) {}
        collect(honest, liar);
        _count();
        skip(PERIOD);
        rollup.confirm(parent);
        rollup.confirm(players[honest].node);
        _count();
        rollup.claimCredit(honest);
        _count();
        vm.snapshotValue("shape-gas", string.concat(_name(), ": dearest dissection"), _dearestDissection);
        vm.snapshotValue("shape-gas", string.concat(_name(), ": whole dispute, toy machine"), _total);
    }

    function _count() private returns (uint256 cost) {
        cost = vm.lastCallGas().gasTotalUsed;
        _total += cost;
    }

    function _moveAndCount() private returns (bool decided) {
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        decided = move(honest, liar);
        uint256 cost = _count();
        bool isDissection = m.height > 1 && m.stage != IDispute.Stage.HALF;
        if (isDissection && cost > _dearestDissection) _dearestDissection = cost;
    }
}

/// forge-config: default.isolate = true
contract Shape8Of5And6Test is ShapeTest {
    function arity() internal pure override returns (uint8) {
        return 8;
    }

    function inputHeight() internal pure override returns (uint8) {
        return 5;
    }

    function stepHeight() internal pure override returns (uint8) {
        return 6;
    }
}

/// forge-config: default.isolate = true
contract Shape16Of4And5Test is ShapeTest {
    function arity() internal pure override returns (uint8) {
        return 16;
    }

    function inputHeight() internal pure override returns (uint8) {
        return 4;
    }

    function stepHeight() internal pure override returns (uint8) {
        return 5;
    }
}

/// @dev With the next one: exactly equal reach, 2^12 inputs and 2^24 steps.
/// forge-config: default.isolate = true
contract Shape8Of4And8Test is ShapeTest {
    function arity() internal pure override returns (uint8) {
        return 8;
    }

    function inputHeight() internal pure override returns (uint8) {
        return 4;
    }

    function stepHeight() internal pure override returns (uint8) {
        return 8;
    }
}

/// forge-config: default.isolate = true
contract Shape16Of3And6Test is ShapeTest {
    function arity() internal pure override returns (uint8) {
        return 16;
    }

    function inputHeight() internal pure override returns (uint8) {
        return 3;
    }

    function stepHeight() internal pure override returns (uint8) {
        return 6;
    }
}
