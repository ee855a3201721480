// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Dispute} from "../src/dispute/Dispute.sol";
import {IDispute} from "../src/interfaces/IDispute.sol";
import {IInbox} from "../src/interfaces/IInbox.sol";
import {IRollup} from "../src/interfaces/IRollup.sol";
import {Hashes} from "../src/lib/Hashes.sol";
import {Step} from "../src/vm/Step.sol";
import {Proof} from "./Proof.sol";

/// @notice Whatever batches there are, it keeps them: who asks twice hears the same.
contract SteadyInbox {
    mapping(uint64 number => IInbox.Batch) private _batches;

    function getBatch(uint64 number) external view returns (IInbox.Batch memory) {
        return _batches[number];
    }
}

/// @notice A Rollup to which every claim is live: nothing but the Dispute's own checks remains. It writes down whom the
/// Dispute eliminates.
contract PermissiveRollup {
    address public immutable INBOX;
    uint8 public constant K = 2;
    uint8 public constant H1 = 3;
    uint8 public constant H2 = 2;

    mapping(bytes32 claim => address) private _owners;
    mapping(bytes32 node => IRollup.Node) private _nodes;
    mapping(bytes32 round => uint64) private _inputCounts;

    /// @notice How often the Dispute has eliminated a claim, and in whose favour.
    mapping(bytes32 claim => uint256) public deaths;
    mapping(bytes32 claim => bytes32) public winners;

    constructor(address inbox) {
        INBOX = inbox;
    }

    /// @notice Whoever asks.
    function DISPUTE() external view returns (address) {
        return msg.sender;
    }

    function requireLive(bytes32, bytes32, bytes32) external pure {}

    function roundOf(bytes32 claim) external view returns (bytes32) {
        return _nodes[claim].parent;
    }

    function mayMove(bytes32 claim, address mover) external view returns (bool) {
        return mover == _owners[claim];
    }

    function inputCount(bytes32 round) external view returns (uint64) {
        return _inputCounts[round];
    }

    function getNode(bytes32 node) external view returns (IRollup.Node memory) {
        return _nodes[node];
    }

    function eliminate(bytes32 claim, bytes32 winner) external {
        (deaths[claim], winners[claim]) = (deaths[claim] + 1, winner);
    }
}

/// @notice A Dispute with a match in any state at all, on an Inbox and a Rollup that say anything.
/// Assumed: time does not run backwards, a side has made fewer than 255 moves (a match has h1 + h2 + 1), and a span ends
/// before position 2^40 (the constructor of the Rollup sees to it).
abstract contract DisputeProof is Proof {
    uint8 internal constant K = 2;
    uint8 internal constant H2 = 2;

    SteadyInbox internal inbox;
    PermissiveRollup internal rollup;
    Step internal step;
    Dispute internal dispute;
    address internal caller;

    function setUp() public {
        inbox = new SteadyInbox();
        rollup = new PermissiveRollup(address(inbox));
        step = new Step(keccak256("program"), keccak256("memory"), 1);
        dispute = new Dispute(address(rollup), _stepOf(step), 1 gwei);
        caller = svm.createAddress("caller");
        svm.enableSymbolicStorage(address(inbox));
        svm.enableSymbolicStorage(address(rollup));
        svm.enableSymbolicStorage(address(dispute));
    }

    /// @dev The contract that the Dispute asks about steps.
    function _stepOf(Step real) internal virtual returns (address) {
        return address(real);
    }

    function anyList(uint256 words) internal view returns (bytes32[] memory list) {
        list = new bytes32[](words);
        for (uint256 i = 0; i < words; ++i) {
            list[i] = svm.createBytes32("word");
        }
    }

    function anyFork(uint256 words) internal view returns (IDispute.Fork memory fork) {
        (fork.a, fork.b) = (svm.createBytes32("a"), svm.createBytes32("b"));
        (fork.round, fork.prev) = (svm.createBytes32("round"), svm.createBytes32("prev"));
        (fork.listA, fork.listB) = (anyList(words), anyList(words));
    }

    /// @dev The match of two claims, of which only time, moves and positions are known to be possible.
    function anyMatch(bytes32 a, bytes32 b, uint40 time) internal view returns (IDispute.Match memory m) {
        m = dispute.getMatch(Hashes.matchOf(a, b));
        vm.assume(m.last <= time && m.movesA < 255 && m.movesB < 255 && m.start < 1 << 39);
    }

    /// @dev The match stands at this height. halmos knows powers of known exponents only, and this one lies in storage.
    function assumeHeight(IDispute.Match memory m, uint8 height) internal pure {
        vm.assume(m.height == height);
        unchecked {
            vm.assume(uint256(K) ** (m.height - 1) == uint256(K) ** (height - 1));
        }
    }

    /// @dev Somebody calls; the proof goes on with the calls that succeed.
    function attempt(bytes memory data) internal {
        vm.prank(caller);
        (bool success, bytes memory answer) = address(dispute).call(data);
        assert(!isOverflow(success, answer));
        vm.assume(success);
    }

    /// @dev A move in time: what has passed is taken from the mover's clock alone, and it is the other side's turn.
    function checkMove(IDispute.Match memory m, IDispute.Match memory n, uint40 time) internal pure {
        uint40 elapsed = time - m.last;
        assert(elapsed < (m.turnB ? m.clockB : m.clockA));
        assert(n.clockA == (m.turnB ? m.clockA : m.clockA - elapsed));
        assert(n.clockB == (m.turnB ? m.clockB - elapsed : m.clockB));
        assert(n.movesA == m.movesA + (m.turnB ? 0 : 1) && n.movesB == m.movesB + (m.turnB ? 1 : 0));
        assert(n.turnB != m.turnB && n.last == time);
    }
}
