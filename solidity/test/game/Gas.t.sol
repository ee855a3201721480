// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {RivalsTest} from "../support/RivalsTest.sol";

/// @notice What a dispute costs with the shape of both presets (k = 8, heights 5 and 6): every call as a transaction of
/// its own, with intrinsic gas, cold storage and the EIP-7623 floor. `prove` is that of the toy machine.
/// forge-config: default.isolate = true
contract GasTest is RivalsTest {
    string private constant GROUP = "game-gas";
    uint256 private constant STEPS_OF_AN_INPUT = 512;

    uint256 private _total;
    uint256 private _dearestDissection;

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
        return STEPS_OF_AN_INPUT;
    }

    function maxBatch() internal pure override returns (uint64) {
        return 4096;
    }

    function setUp() public {
        deployRivals();
    }

    /// @dev Gas of the last transaction, checked and written to the snapshot.
    function _record(string memory name, uint256 ceiling) private returns (uint256 cost) {
        cost = vm.snapshotGasLastCall(GROUP, name);
        assertLe(cost, ceiling);
    }

    function test_gas_wholeDispute_staysBelowItsCeilings() public {
        // The last step of the trace differs: the longest search for a first difference in every list.
        uint256 lieStep = STEPS_OF_AN_INPUT - 1;
        bytes32 acc = expectedAcc(parent);
        bytes32 root = rootsFor(parent, NEVER, 0)[INPUTS - 1];
        claimBoth(7, lieStep);
        vm.prank(trudy);
        rollup.assertState(parent, root, 3, acc);
        _record("assertState on a node that exists", 180_000);

        reveal(honest);
        _total += _record("reveal", 90_000);
        reveal(liar);
        _total += vm.lastCallGas().gasTotalUsed;
        openMatch(honest, liar, honest);
        _total += _record("openMatch", 125_000);
        while (!_moveAndMeasure()) {}
        vm.snapshotValue(GROUP, "dissect", _dearestDissection);
        assertLe(_dearestDissection, 100_000);

        collect(honest, liar);
        _record("collect", 120_000);
        skip(PERIOD);
        rollup.confirm(parent);
        bytes32 node = players[honest].node;
        rollup.confirm(node);
        _total += _record("confirm", 70_000);
        rollup.claimCredit(honest);
        _record("claimCredit", 70_000);
        vm.snapshotValue(GROUP, "whole dispute with the toy machine", _total);
        assertLe(_total, 1_600_000);
    }

    /// @dev One move: the stage before it says which function it was.
    function _moveAndMeasure() private returns (bool decided) {
        IDispute.Match memory m = dispute.getMatch(matchOfRivals());
        decided = _prepareAndMove(m);
        uint256 cost = vm.lastCallGas().gasTotalUsed;
        _total += cost;
        if (decided) _record("prove with the toy machine", 180_000);
        else if (m.stage == IDispute.Stage.HALF) _record("commitSecondTrace", 100_000);
        else if (m.height == 1) _record("commitTrace", 125_000);
        else if (cost > _dearestDissection) _dearestDissection = cost;
    }

    function _prepareAndMove(IDispute.Match memory m) private returns (bool) {
        if (m.stage == IDispute.Stage.HALF || m.height > 1 || m.stage == IDispute.Stage.INPUTS) {
            return move(honest, liar);
        }
        return moveProve(honest, liar);
    }

    function test_gas_singleCalls_stayBelowTheirCeilings() public {
        bytes32 acc = expectedAcc(parent);
        vm.prank(alice);
        rollup.assertState(parent, "root", 3, acc);
        _record("assertState on a new node", 340_000);
        inbox.force(abi.encodePacked(uint8(3), uint40(1), uint64(1)));
        _record("force", 90_000);

        uint40 second = uint40(block.timestamp);
        bytes memory rows;
        for (uint256 i = 0; i < 100; ++i) {
            rows = abi.encodePacked(rows, uint16(300), uint8(5), _noise(i, 299));
        }
        acc = inbox.getBatch(3).acc;
        vm.prank(sequencer);
        try inbox.appendBatch(acc, 0, 1, second, second, rows) {
            revert("no batch has accumulator 0");
        } catch (bytes memory reason) {
            bytes32 expected;
            assembly ("memory-safe") {
                expected := mload(add(reason, 0x24))
            }
            vm.prank(sequencer);
            inbox.appendBatch(acc, expected, 1, second, second, rows);
        }
        // The floor of the calldata alone is 40 gas a byte, 12,080 an input.
        _record("appendBatch of 100 inputs of 300 bytes", 1_400_000);
    }

    function _noise(uint256 seed, uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, i))) | 1));
        }
    }
}
