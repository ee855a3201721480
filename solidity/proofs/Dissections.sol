// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Dispute} from "../src/dispute/Dispute.sol";
import {IDispute} from "../src/interfaces/IDispute.sol";
import {Hashes} from "../src/lib/Hashes.sol";
import {AnyInbox, Proof} from "./Proof.sol";

/// @notice A Rollup to which every claim is live and every caller its owner: nothing but the Dispute's own checks remains.
contract PermissiveRollup {
    address public immutable INBOX = address(new AnyInbox());
    uint8 public constant K = 2;
    uint8 public constant H1 = 3;
    uint8 public constant H2 = 3;

    function requireLive(bytes32, bytes32, bytes32) external pure {}
}

/// @notice A dissection of any match in any state. It goes to the first child that differs, binds the mover to that child
/// and to its end, and takes from the mover's clock what has passed, which never underflows.
/// Bounds: k = 2, heights 3 to 2 and 2 to 1. Assumed: time does not run backwards, and a side has made fewer than 255
/// moves (a match has h1 + h2 + 1).
contract DissectionsProof is Proof {
    Dispute private _dispute;

    function setUp() public {
        _dispute = new Dispute(address(new PermissiveRollup()), address(0x57e9), 1 gwei);
        svm.enableSymbolicStorage(address(_dispute));
    }

    function check_dissect_fromHeight3_toTheFirstChildThatDiffers() public {
        _check(3, 4);
    }

    function check_dissect_fromHeight2_toTheFirstChildThatDiffers() public {
        _check(2, 2);
    }

    function _check(uint8 height, uint256 words) private {
        uint40 time = anyTime();
        IDispute.Fork memory fork = _anyFork();
        bytes32[] memory next = new bytes32[](words);
        for (uint256 i = 0; i < words; ++i) {
            next[i] = svm.createBytes32("next");
        }
        bytes32 id = Hashes.matchOf(fork.a, fork.b);
        IDispute.Match memory m = _dispute.getMatch(id);
        vm.assume(m.height == height && m.last <= time && m.movesA < 255 && m.movesB < 255);
        (bool success, bytes memory answer) =
            address(_dispute).call(abi.encodeCall(IDispute.dissect, (fork, next)));
        assert(!isOverflow(success, answer));
        vm.assume(success);
        _checkMove(m, _dispute.getMatch(id), time - m.last);
        _checkBinding(m, _dispute.getMatch(id), fork, next);
    }

    function _checkMove(IDispute.Match memory m, IDispute.Match memory n, uint40 elapsed) private pure {
        assert(elapsed < (m.turnB ? m.clockB : m.clockA)); // in time
        assert(n.clockA == (m.turnB ? m.clockA : m.clockA - elapsed));
        assert(n.clockB == (m.turnB ? m.clockB - elapsed : m.clockB));
        assert(n.turnB != m.turnB && n.height == m.height - 1 && n.last == m.last + elapsed);
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
        assert(keccak256(abi.encodePacked(bytes1(n.height == 1 ? 0x0a : 0x09), next)) == own);
        assert(next[next.length - 1] == end);
        assert(n.position == _position(fork.round, x[word], y[word], isSecond ? x[1] : fork.prev));
    }

    function _position(bytes32 round, bytes32 nodeA, bytes32 nodeB, bytes32 prev)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(bytes1(0x0f), round, nodeA, nodeB, prev, uint64(0), bytes32(0)));
    }

    function _anyFork() private view returns (IDispute.Fork memory fork) {
        (fork.a, fork.b) = (svm.createBytes32("a"), svm.createBytes32("b"));
        (fork.round, fork.prev) = (svm.createBytes32("round"), svm.createBytes32("prev"));
        (fork.listA, fork.listB) = (new bytes32[](4), new bytes32[](4));
        for (uint256 i = 0; i < 4; ++i) {
            (fork.listA[i], fork.listB[i]) = (svm.createBytes32("x"), svm.createBytes32("y"));
        }
    }
}
