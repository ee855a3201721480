// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRollup} from "../src/interfaces/IRollup.sol";
import {Hashes} from "../src/lib/Hashes.sol";
import {RollupProof} from "./RollupProof.sol";

/// @notice What is revealed binds: once, and to the end that was asserted. A clock is the period less what the reveal took.
/// Bounds: lists of k = 2 at height 1.
contract HistoriesProof is RollupProof {
    function check_reveal_bindsListAndEnd_once() public {
        uint40 time = anyTime();
        bytes32[] memory list = new bytes32[](K);
        (list[0], list[1]) = (svm.createBytes32("first"), svm.createBytes32("last"));
        IRollup.Claim memory before = rollup.getClaim(one);
        vm.prank(caller);
        rollup.reveal(one, list);
        IRollup.Claim memory revealed = rollup.getClaim(one);
        assert(before.revealedAt == 0 && revealed.revealedAt == time);
        assert(revealed.top == keccak256(abi.encodePacked(bytes1(0x0a), list[0], list[1])));
        assert(revealed.node == before.node && revealed.node == Hashes.node(_parent(before.node), list[1]));
    }

    function check_clocks_ofAMatch_neverUnderflowNorExceedThePeriod() public {
        anyTime();
        (bool success, bytes memory answer) =
            address(rollup).call(abi.encodeCall(IRollup.matchTerms, (one, other)));
        assert(!isOverflow(success, answer));
        vm.assume(success);
        IRollup.Terms memory terms = abi.decode(answer, (IRollup.Terms));
        assert(terms.clockA <= PERIOD && terms.clockB <= PERIOD);
        uint256 revealedAt = rollup.getClaim(one).revealedAt;
        uint256 born = rollup.getNode(_nodeOf(other)).born;
        assert(
            terms.clockA
                == (revealedAt <= born
                        ? PERIOD
                        : revealedAt - born < PERIOD ? PERIOD - (revealedAt - born) : 0)
        );
    }
}
