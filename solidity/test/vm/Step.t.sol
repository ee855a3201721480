// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IStep} from "../../src/interfaces/IStep.sol";
import {Step} from "../../src/vm/Step.sol";
import {Test} from "../support/Test.sol";

/// @notice Step against tests/vectors/steps.json, which the Python machine wrote and follows as well.
contract StepTest is Test {
    string private _json;
    IStep private _step;

    function setUp() public {
        _json = readVectors("steps.json");
        _step = new Step(
            vm.parseJsonBytes32(_json, ".image.programRoot"),
            vm.parseJsonBytes32(_json, ".image.memoryRoot"),
            uint40(vm.parseJsonUint(_json, ".image.entry"))
        );
    }

    function test_imageRoot_isDerivedFromItsParts_succeeds() public view {
        vm.assertEq(_step.imageRoot(), vm.parseJsonBytes32(_json, ".image.root"));
    }

    function test_initialState_beginsAtTheEntry_succeeds() public view {
        bytes32 root = vm.parseJsonBytes32(_json, ".initial.stateRoot");
        bytes32 inputHash = vm.parseJsonBytes32(_json, ".initial.inputHash");
        vm.assertEq(_step.initialState(root, inputHash), vm.parseJsonBytes32(_json, ".initial.state"));
    }

    function test_step_everyOpcodeAndCauseOfRejection_succeeds() public view {
        bytes32[] memory pre = vm.parseJsonBytes32Array(_json, ".steps.pre");
        bytes[] memory proof = vm.parseJsonBytesArray(_json, ".steps.proof");
        bytes32[] memory post = vm.parseJsonBytes32Array(_json, ".steps.post");
        vm.assertGt(pre.length, 100);
        for (uint256 i = 0; i < pre.length; ++i) {
            vm.assertEq(_step.step(pre[i], proof[i]), post[i], vm.toString(i));
        }
    }

    function test_step_falseProof_reverts() public {
        bytes32[] memory pre = vm.parseJsonBytes32Array(_json, ".refused.pre");
        bytes[] memory proof = vm.parseJsonBytesArray(_json, ".refused.proof");
        bytes[] memory errors = vm.parseJsonBytesArray(_json, ".refused.error");
        vm.assertGt(pre.length, 50);
        for (uint256 i = 0; i < pre.length; ++i) {
            vm.expectPartialRevert(bytes4(errors[i]));
            _step.step(pre[i], proof[i]);
        }
    }

    function test_constructor_entryBehindTheProgram_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStep.EntryTooLarge.selector, 4096, 4096));
        new Step(bytes32(0), bytes32(0), 4096);
    }

    function testFuzz_step_anyBytes_reverts(bytes32 pre, bytes calldata proof) public {
        vm.expectRevert();
        _step.step(pre, proof);
    }

    function testFuzz_step_aStoppedMachine_staysAsItIs(bytes32 root) public view {
        bytes32 end = _step.finalState(root);
        vm.assertEq(_step.step(end, abi.encodePacked(hex"02", root)), end);
    }
}
