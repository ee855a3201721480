// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../interfaces/IDispute.sol";
import {IInbox} from "../interfaces/IInbox.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {IStep} from "../interfaces/IStep.sol";
import {Errors} from "../lib/Errors.sol";
import {Hashes} from "../lib/Hashes.sol";
import {Lists} from "../lib/Lists.sol";

/// @title Matches between rival claims.
contract Dispute is IDispute {
    uint256 private constant TIP = 2 gwei; // in refunds: blocks take it at once; whoever bids more pays the rest himself

    /// @inheritdoc IDispute
    /// @dev About what a move costs, its share of reveal, opening and proof included (snapshots/game-gas.json).
    uint256 public constant MOVE_GAS = 150_000;

    address public immutable ROLLUP;
    address public immutable INBOX;
    address public immutable STEP;
    uint8 public immutable K;
    uint8 public immutable H1;
    uint8 public immutable H2;
    uint96 public immutable GAS_PRICE_CAP;

    mapping(bytes32 id => Match) private _matches;

    /// @dev Arity and heights are the Rollup's: they cannot differ.
    constructor(address rollup, address step, uint96 gasPriceCap) {
        if (rollup == address(0) || step == address(0)) revert Errors.ZeroAddress();
        if (gasPriceCap == 0) revert Errors.BadParameter(gasPriceCap, 1);
        (ROLLUP, STEP, GAS_PRICE_CAP) = (rollup, step, gasPriceCap);
        IRollup r = IRollup(rollup);
        // INVARIANT: a Dispute that its Rollup does not know could never eliminate anybody.
        if (r.DISPUTE() != address(this)) revert OtherDispute(r.DISPUTE(), address(this));
        (INBOX, K, H1, H2) = (r.INBOX(), r.K(), r.H1(), r.H2());
    }

    /* BEGINNING */

    /// @inheritdoc IDispute
    function openMatch(bytes32 a, bytes32 b, bytes32 first) external returns (bytes32 id) {
        if (a >= b) revert NotOrdered(a, b);
        if (first != a && first != b) revert NotInMatch(first);
        id = Hashes.matchOf(a, b);
        if (_matches[id].stage != Stage.NONE) revert MatchExists(id);
        IRollup.Terms memory t = IRollup(ROLLUP).matchTerms(a, b);
        Position memory p = Position(t.round, t.topA, t.topB, t.round, 0, 0);
        (bytes32 hash, uint40 time) = (Hashes.position(p), uint40(block.timestamp));
        Match memory m = Match(hash, 0, time, t.clockA, t.clockB, H1, Stage.INPUTS, first == b, 0, 0);
        _matches[id] = m;
        emit MatchOpened(id, a, b, m, p);
    }

    /* MOVES */

    /// @inheritdoc IDispute
    function dissect(Fork calldata fork, bytes32[] calldata next) external {
        Match memory m = _enter(fork.round, fork.a, fork.b, false);
        if (m.height < 2) revert WrongStage(m.stage, m.height);
        (uint40 c, Position memory p) = _descend(m, fork);
        bytes32 end = Lists.endOf(m.turnB ? fork.listB : fork.listA, c, m.height--);
        Lists.requireLength(next, K, m.height);
        (bytes32 hash, bytes32 own) = (Hashes.list(next, m.height), m.turnB ? p.nodeB : p.nodeA);
        if (hash != own) revert WrongList(hash, own);
        // INVARIANT: a child ends where its parent said; else a copied child could leave the other side without a move.
        if (next[next.length - 1] != end) revert Errors.WrongEnd(next[next.length - 1], end);
        emit Dissected(_charge(fork.a, fork.b, m, p), uint40(block.timestamp), m.start, next);
    }

    /// @inheritdoc IDispute
    function commitTrace(Fork calldata fork, Opening calldata opening, bytes32 root, bytes32[] calldata trace)
        external
    {
        Match memory m = _enter(fork.round, fork.a, fork.b, false);
        if (m.stage != Stage.INPUTS || m.height != 1) revert WrongStage(m.stage, m.height);
        _requireMover(m.turnB ? fork.b : fork.a);
        (, Position memory p) = _descend(m, fork);
        uint256 inputs = IRollup(ROLLUP).inputCount(fork.round);
        if (m.start >= inputs) revert Padding(m.start, inputs);
        _openInput(p, opening, m.start == 0);
        _commit(m, p, root, trace);
        m.stage = Stage.HALF;
        emit TraceCommitted(_charge(fork.a, fork.b, m, p), m, p, trace);
    }

    /// @inheritdoc IDispute
    function commitSecondTrace(
        bytes32 a,
        bytes32 b,
        Position calldata position,
        bytes32 root,
        bytes32[] calldata trace
    ) external {
        Match memory m = _enter(position.round, a, b, false);
        if (m.stage != Stage.HALF) revert WrongStage(m.stage, m.height);
        _requireMover(m.turnB ? b : a);
        Position memory p = position;
        bytes32 given = Hashes.position(p);
        if (given != m.position) revert WrongPosition(given, m.position);
        _commit(m, p, root, trace);
        (p.batch, p.rest) = (0, 0);
        (m.stage, m.height, m.start) = (Stage.STEPS, H2, 0);
        emit TraceCommitted(_charge(a, b, m, p), m, p, trace);
    }

    /// @dev Opens the agreed leaf, and with it the one input that follows it in the canonical chain.
    function _openInput(Position memory p, Opening calldata opening, bool first) private view {
        // INVARIANT: the disputed input is the Inbox's, not a side's choice.
        bytes32 leaf = Hashes.leaf(opening.root, opening.batch, opening.rest);
        // Before the first input stands the round's own node, whose id commits to its end.
        if (first) leaf = Hashes.node(IRollup(ROLLUP).getNode(p.round).parent, leaf);
        if (leaf != p.prev) revert Errors.WrongLeaf(leaf, p.prev);
        (p.batch, p.rest) = (opening.batch, opening.rest);
        if (p.rest == 0) p.rest = IInbox(INBOX).getBatch(++p.batch).head;
        bytes32 link = Hashes.chainLink(opening.inputHash, opening.nextRest);
        if (link != p.rest) revert WrongInput(link, p.rest);
        p.rest = opening.nextRest;
        p.prev = IStep(STEP).initialState(opening.root, opening.inputHash);
    }

    /// @dev The mover's node becomes its trace, which must end in the root of the leaf that it claims.
    function _commit(Match memory m, Position memory p, bytes32 root, bytes32[] calldata trace) private view {
        (bytes32 leaf, bytes32 own) = (Hashes.leaf(root, p.batch, p.rest), m.turnB ? p.nodeB : p.nodeA);
        if (leaf != own) revert Errors.WrongLeaf(leaf, own);
        Lists.requireLength(trace, K, H2);
        // INVARIANT: leaves differ in their roots alone, so the last ends of both traces differ: a first step exists.
        bytes32 end = IStep(STEP).finalState(root);
        if (trace[trace.length - 1] != end) revert Errors.WrongEnd(trace[trace.length - 1], end);
        (p.nodeA, p.nodeB) = m.turnB ? (p.nodeA, Hashes.list(trace, H2)) : (Hashes.list(trace, H2), p.nodeB);
    }

    /* DECISIONS */

    /// @inheritdoc IDispute
    function provePadding(Fork calldata fork) external {
        Match memory m = _enter(fork.round, fork.a, fork.b, false);
        if (m.stage != Stage.INPUTS || m.height != 1) revert WrongStage(m.stage, m.height);
        (, Position memory p) = _descend(m, fork);
        uint256 inputs = IRollup(ROLLUP).inputCount(fork.round);
        if (m.start < inputs) revert NotPadding(m.start, inputs);
        (bool lostA, bool lostB) = (p.nodeA != p.prev, p.nodeB != p.prev);
        emit PaddingProven(Hashes.matchOf(fork.a, fork.b), m.start, p.prev, lostA, lostB);
        _decide(fork.a, fork.b, lostA, lostB);
    }

    /// @inheritdoc IDispute
    function prove(Fork calldata fork, bytes calldata proof) external {
        Match memory m = _enter(fork.round, fork.a, fork.b, false);
        if (m.stage != Stage.STEPS || m.height != 1) revert WrongStage(m.stage, m.height);
        (, Position memory p) = _descend(m, fork);
        // INVARIANT: no result is recorded from a call that failed: whatever reverts inside, reverts all of it.
        bytes32 post = IStep(STEP).step(p.prev, proof);
        (bool lostA, bool lostB) = (p.nodeA != post, p.nodeB != post);
        emit Proven(Hashes.matchOf(fork.a, fork.b), m.start, p.prev, post, lostA, lostB);
        _decide(fork.a, fork.b, lostA, lostB);
    }

    /// @inheritdoc IDispute
    function timeout(bytes32 a, bytes32 b) external {
        Match memory m = _enter(IRollup(ROLLUP).roundOf(a), a, b, true);
        emit TimedOut(Hashes.matchOf(a, b), m.turnB);
        _decide(a, b, !m.turnB, m.turnB);
    }

    /// @dev Whoever was proven wrong dies; the bounty goes to the other side only if it was not.
    function _decide(bytes32 a, bytes32 b, bool lostA, bool lostB) private {
        if (lostA) IRollup(ROLLUP).eliminate(a, lostB ? bytes32(0) : b);
        if (lostB) IRollup(ROLLUP).eliminate(b, lostA ? bytes32(0) : a);
    }

    /* REFUNDS */

    /// @inheritdoc IDispute
    function collect(bytes32 claim, bytes32 opponent) external returns (uint96 paid) {
        // INVARIANT: who paid for the moves chooses the block, and with it the price; a stranger would take the cheapest.
        _requireMover(claim);
        Match storage m = _matches[matchId(claim, opponent)];
        uint8 moves = claim < opponent ? m.movesA : m.movesB;
        if (moves == 0) revert NothingToCollect(claim);
        (m.movesA, m.movesB) = claim < opponent ? (uint8(0), m.movesB) : (m.movesA, uint8(0));
        uint256 price = block.basefee + TIP < GAS_PRICE_CAP ? block.basefee + TIP : GAS_PRICE_CAP;
        paid = IRollup(ROLLUP).refund(claim, opponent, moves * MOVE_GAS * price);
        emit Collected(matchId(claim, opponent), claim, moves, paid);
    }

    /* CHECKS */

    /// @dev The match, for a move that has to be in time or for a timeout.
    function _enter(bytes32 round, bytes32 a, bytes32 b, bool asTimeout)
        private
        view
        returns (Match memory m)
    {
        m = _matches[Hashes.matchOf(a, b)];
        if (m.stage == Stage.NONE) revert UnknownMatch(Hashes.matchOf(a, b));
        // INVARIANT: a match that has lost one of its claims is void for ever, for both sides.
        IRollup(ROLLUP).requireLive(round, a, b);
        (uint256 elapsed, uint256 clock) = (block.timestamp - m.last, m.turnB ? m.clockB : m.clockA);
        // INVARIANT: at every second exactly one of a move and a timeout is valid.
        if (!asTimeout && elapsed >= clock) revert Late(elapsed, clock);
        if (asTimeout && elapsed < clock) revert NotLate(elapsed, clock);
    }

    function _requireMover(bytes32 claim) private view {
        if (!IRollup(ROLLUP).mayMove(claim, msg.sender)) revert NotMover(msg.sender, claim);
    }

    /// @dev Checks the lists against the match and goes to the first child `c` in which they differ: `m.start` to where
    /// it begins, `p` to its nodes (at height 1 its ends) and the state before it.
    function _descend(Match memory m, Fork calldata fork) private view returns (uint40 c, Position memory p) {
        (bytes32[] calldata listA, bytes32[] calldata listB) = (fork.listA, fork.listB);
        uint8 height = m.height;
        Lists.requireLength(listA, K, height);
        Lists.requireLength(listB, K, height);
        p = Position(fork.round, Hashes.list(listA, height), Hashes.list(listB, height), fork.prev, 0, 0);
        bytes32 given = Hashes.position(p);
        if (given != m.position) revert WrongPosition(given, m.position);
        uint256 word = Lists.firstDifference(listA, listB);
        // less than k, which is a uint8
        // forge-lint: disable-next-line(unsafe-typecast)
        c = uint40(height == 1 ? word : word / 2);
        if (c != 0) p.prev = Lists.endOf(listA, c - 1, height);
        if (height != 1) word = 2 * c;
        (p.nodeA, p.nodeB) = (listA[word], listB[word]);
        unchecked {
            m.start += c * uint40(K) ** (height - 1); // a position of its level: checkShape keeps it below 2 ** 40
        }
    }

    /// @dev Ends a move: time off the mover's clock, one more move to refund, turn to the other side.
    function _charge(bytes32 a, bytes32 b, Match memory m, Position memory p) private returns (bytes32 id) {
        uint40 elapsed = uint40(block.timestamp) - m.last;
        if (m.turnB) (m.clockB, m.movesB) = (m.clockB - elapsed, m.movesB + 1);
        else (m.clockA, m.movesA) = (m.clockA - elapsed, m.movesA + 1);
        (m.position, m.last, m.turnB) = (Hashes.position(p), uint40(block.timestamp), !m.turnB);
        id = Hashes.matchOf(a, b);
        _matches[id] = m;
    }

    /* READING */

    /// @inheritdoc IDispute
    function getMatch(bytes32 id) external view returns (Match memory) {
        return _matches[id];
    }

    /// @inheritdoc IDispute
    function matchId(bytes32 a, bytes32 b) public pure returns (bytes32) {
        return a < b ? Hashes.matchOf(a, b) : Hashes.matchOf(b, a);
    }
}
