// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../src/interfaces/IDispute.sol";
import {Hashes} from "../src/lib/Hashes.sol";
import {Tags} from "../src/lib/Tags.sol";
import {DisputeProof} from "./DisputeProof.sol";

/// @notice A dissection of any match in any state. It goes to the first child that differs, binds the mover to that child
/// and to its end, and takes from the mover's clock what has passed, which never underflows.
/// Bounds: k = 2, heights 3 to 2 and 2 to 1.
contract DissectionsProof is DisputeProof {
    function check_dissect_fromHeight3_toTheFirstChildThatDiffers() public {
        _check(3, 4);
    }

    function check_dissect_fromHeight2_toTheFirstChildThatDiffers() public {
        _check(2, 2);
    }

    function _check(uint8 height, uint256 words) private {
        uint40 time = anyTime();
        IDispute.Fork memory fork = anyFork(4);
        bytes32[] memory next = anyList(words);
        IDispute.Match memory m = anyMatch(fork.a, fork.b, time);
        assumeHeight(m, height);
        attempt(abi.encodeCall(IDispute.dissect, (fork, next)));
        IDispute.Match memory n = dispute.getMatch(Hashes.matchOf(fork.a, fork.b));
        checkMove(m, n, time);
        assert(n.stage == m.stage && n.height == m.height - 1);
        _checkBinding(m, n, fork, next);
    }

    function _checkBinding(
        IDispute.Match memory m,
        IDispute.Match memory n,
        IDispute.Fork memory fork,
        bytes32[] memory next
    ) private pure {
        (bytes32[] memory x, bytes32[] memory y) = (fork.listA, fork.listB);
        bool isSecond = x[0] == y[0] && x[1] == y[1];
        uint256 word = isSecond ? 2 : 0;
        assert(x[word] != y[word] || x[word + 1] != y[word + 1]);
        bytes32 own = m.turnB ? y[word] : x[word];
        bytes32 end = m.turnB ? y[word + 1] : x[word + 1];
        assert(keccak256(abi.encodePacked(n.height == 1 ? Tags.ENDS : Tags.LIST, next)) == own);
        assert(next[next.length - 1] == end);
        assert(n.start == m.start + (isSecond ? uint40(2) ** (m.height - 1) : 0));
        bytes32 prev = isSecond ? x[1] : fork.prev;
        assert(n.position == Hashes.position(IDispute.Position(fork.round, x[word], y[word], prev, 0, 0)));
    }
}
