// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../src/interfaces/IDispute.sol";
import {Hashes} from "../src/lib/Hashes.sol";
import {Step} from "../src/vm/Step.sol";
import {DisputeProof} from "./DisputeProof.sol";
import {Proof} from "./Proof.sol";

/// @notice A Step that answers anything, and the same whenever it is asked.
contract AnyStep is Proof {
    bytes32 public post;

    function step(bytes32, bytes calldata) external view returns (bytes32) {
        return post;
    }
}

/// @notice How a match ends. A proof kills whoever claimed another result than the step's, and nobody else; somebody always
/// did. Padding kills whoever claimed that anything follows the last input. A timeout kills the side on turn, from the
/// second at which it can no longer move. The other side is named as winner only where it was not wrong itself.
/// Bounds: k = 2.
contract DecisionsProof is DisputeProof {
    AnyStep private _any;

    function _stepOf(Step) internal override returns (address) {
        _any = new AnyStep();
        svm.enableSymbolicStorage(address(_any));
        return address(_any);
    }

    function check_prove_killsWhoeverClaimedAnotherResult() public {
        (IDispute.Fork memory fork, IDispute.Match memory m) = _begin();
        attempt(abi.encodeCall(IDispute.prove, (fork, "proof")));
        assert(m.stage == IDispute.Stage.STEPS);
        _checkDeaths(fork, _any.post());
    }

    function check_provePadding_killsWhoeverGoesOnAfterTheLastInput() public {
        (IDispute.Fork memory fork, IDispute.Match memory m) = _begin();
        attempt(abi.encodeCall(IDispute.provePadding, (fork)));
        assert(m.stage == IDispute.Stage.INPUTS);
        uint256 child = fork.listA[0] == fork.listB[0] ? 1 : 0;
        assert(m.start + child >= rollup.inputCount(fork.round));
        _checkDeaths(fork, child == 0 ? fork.prev : fork.listA[0]);
    }

    function check_timeout_killsTheSideOnTurn_whenItCanNoLongerMove() public {
        uint40 time = anyTime();
        IDispute.Fork memory fork = anyFork(2);
        vm.assume(fork.a < fork.b);
        IDispute.Match memory m = anyMatch(fork.a, fork.b, time);
        (uint256 diedA, uint256 diedB) = (rollup.deaths(fork.a), rollup.deaths(fork.b));
        vm.assume(diedA < type(uint256).max && diedB < type(uint256).max);
        bool isLate = time - m.last >= (m.turnB ? m.clockB : m.clockA);
        vm.prank(caller);
        (bool success,) = address(dispute).call(abi.encodeCall(IDispute.timeout, (fork.a, fork.b)));
        assert(success == (isLate && m.stage != IDispute.Stage.NONE));
        vm.assume(success);
        assert(rollup.deaths(fork.a) == diedA + (m.turnB ? 0 : 1));
        assert(rollup.deaths(fork.b) == diedB + (m.turnB ? 1 : 0));
        assert(rollup.winners(m.turnB ? fork.b : fork.a) == (m.turnB ? fork.a : fork.b));
    }

    /// @dev A match at the end of a level, of two claims that were never eliminated.
    function _begin() private returns (IDispute.Fork memory fork, IDispute.Match memory m) {
        uint40 time = anyTime();
        fork = anyFork(2);
        vm.assume(fork.a < fork.b); // openMatch names claims so
        m = anyMatch(fork.a, fork.b, time);
        assumeHeight(m, 1);
        vm.assume(rollup.deaths(fork.a) == 0 && rollup.deaths(fork.b) == 0);
    }

    /// @dev Both agreed on the state before the first child that differs; `truth` is what follows it.
    function _checkDeaths(IDispute.Fork memory fork, bytes32 truth) private view {
        uint256 child = fork.listA[0] == fork.listB[0] ? 1 : 0;
        bool wrongA = fork.listA[child] != truth;
        bool wrongB = fork.listB[child] != truth;
        assert(wrongA || wrongB);
        assert(rollup.deaths(fork.a) == (wrongA ? 1 : 0) && rollup.deaths(fork.b) == (wrongB ? 1 : 0));
        assert(!wrongA || rollup.winners(fork.a) == (wrongB ? bytes32(0) : fork.b));
        assert(!wrongB || rollup.winners(fork.b) == (wrongA ? bytes32(0) : fork.a));
    }
}
