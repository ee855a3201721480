// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInbox} from "../interfaces/IInbox.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {Errors} from "../lib/Errors.sol";
import {Hashes} from "../lib/Hashes.sol";
import {Lists} from "../lib/Lists.sol";

/// @title The tree of state assertions.
contract Rollup is IRollup {
    uint96 private constant POT_PERCENT = 40; // of a lost bond: pays for the winners' gas
    uint96 private constant BOUNTY_PERCENT = 10; // of a lost bond: the rest burns, so losing on purpose costs half
    uint256 private constant SECONDS_PER_MOVE = 12; // one L1 slot

    address public immutable INBOX;
    address public immutable DISPUTE;
    uint8 public immutable K;
    uint8 public immutable H1;
    uint8 public immutable H2;
    uint64 public immutable MAX_INPUTS;
    uint40 public immutable CHALLENGE_PERIOD;
    uint40 public immutable GRACE;
    uint40 public immutable MIN_PERIOD;
    uint96 public immutable BOND;
    bytes32 public immutable GENESIS;

    mapping(bytes32 node => Node) private _nodes;
    mapping(bytes32 node => Round) private _rounds;
    mapping(bytes32 claim => Claim) private _claims;
    mapping(address staker => Staker) private _stakers;

    modifier onlyDispute() {
        if (msg.sender != DISPUTE) revert NotDispute(msg.sender, DISPUTE);
        _;
    }

    constructor(Parameters memory p) {
        if (p.inbox == address(0) || p.dispute == address(0)) revert Errors.ZeroAddress();
        uint256 maxInputs = Lists.checkShape(p.k, p.h1, p.h2);
        // INVARIANT: every batch fits a range; a larger one would have no legal end for ever.
        uint256 maxBatch = IInbox(p.inbox).MAX_BATCH();
        if (maxBatch > maxInputs) revert Errors.BadParameter(maxBatch, maxInputs);
        // INVARIANT: a party that is never censored can play all its moves: half of those of a match, and two more.
        uint256 moves = uint256(p.h1) + p.h2 + 1;
        uint256 least = SECONDS_PER_MOVE * ((moves + 1) / 2 + 2);
        if (p.challengePeriod < least) revert Errors.BadParameter(p.challengePeriod, least);
        if (p.minPeriod >= p.challengePeriod) revert Errors.BadParameter(p.minPeriod, p.challengePeriod);
        if (p.grace > p.challengePeriod) revert Errors.BadParameter(p.grace, p.challengePeriod);
        if (p.bond == 0) revert Errors.BadParameter(p.bond, 1);
        INBOX = p.inbox;
        DISPUTE = p.dispute;
        // checkShape keeps it below 2 ** 40
        // forge-lint: disable-next-line(unsafe-typecast)
        (K, H1, H2, MAX_INPUTS) = (p.k, p.h1, p.h2, uint64(maxInputs));
        (CHALLENGE_PERIOD, GRACE, MIN_PERIOD, BOND) = (p.challengePeriod, p.grace, p.minPeriod, p.bond);
        bytes32 end = Hashes.leaf(0, 0, 0);
        GENESIS = Hashes.node(0, end);
        _createNode(GENESIS, 0, end, 0, 0, 0);
        _rounds[0].confirmed = GENESIS;
    }

    /* BONDS */

    /// @inheritdoc IRollup
    function stake() external payable {
        Staker storage staker = _stakers[msg.sender];
        if (staker.out) revert StakerOut(msg.sender);
        if (staker.bond != 0) revert AlreadyStaked(msg.sender);
        if (msg.value != BOND) revert WrongBond(msg.value, BOND);
        staker.bond = BOND;
        emit Staked(msg.sender, BOND);
    }

    /// @inheritdoc IRollup
    /// @dev No need to verify that the staker is not out: who is out has no bond.
    function withdraw() external {
        Staker storage staker = _stakers[msg.sender];
        uint96 bond = staker.bond;
        if (bond == 0) revert NotStaked(msg.sender);
        bytes32 last = staker.lastClaim;
        // INVARIANT: a bond backs all claims of its staker until none can be disputed: the last one is the deepest.
        if (last != 0 && !isConfirmed(_claims[last].node)) revert ClaimUndecided(last);
        staker.bond = 0;
        emit BondWithdrawn(msg.sender, bond);
        _send(msg.sender, bond);
    }

    /// @inheritdoc IRollup
    function setOperator(bytes32 claim, address operator) external {
        Claim storage c = _claims[claim];
        if (c.status != Status.LIVE) revert ClaimNotLive(claim);
        if (msg.sender != c.owner) revert NotOwner(msg.sender, c.owner);
        if (operator == address(0)) revert Errors.ZeroAddress();
        c.operator = operator;
        emit OperatorSet(claim, operator);
    }

    /* ASSERTIONS */

    /// @inheritdoc IRollup
    function assertState(bytes32 parent, bytes32 endRoot, uint64 to, bytes32 acc)
        external
        returns (bytes32 claim)
    {
        Staker storage staker = _stakers[msg.sender];
        if (staker.bond == 0) revert NotStaked(msg.sender);
        _requireOpen(parent);
        _requireRange(_rounds[parent].to, to, acc);
        _requireBranch(parent, staker.lastClaim);
        bytes32 end = Hashes.leaf(endRoot, to, 0);
        bytes32 id = Hashes.node(parent, end);
        claim = Hashes.claim(id, msg.sender);
        if (_claims[claim].status != Status.NONE) revert ClaimExists(claim);
        if (_nodes[id].createdAt == 0) {
            _requireRipe(parent);
            _createNode(id, parent, end, endRoot, to, acc);
        }
        _join(parent, id);
        Claim storage c = _claims[claim];
        (c.owner, c.status, c.node) = (msg.sender, Status.LIVE, id);
        staker.lastClaim = claim;
        emit Claimed(claim, id, msg.sender, uint40(block.timestamp), _nodes[id].born);
    }

    /// @dev INVARIANT: a claim is about the very inputs that its owner has executed, even after a reorg or when others
    /// fixed the range before it.
    function _requireRange(uint64 expected, uint64 to, bytes32 acc) private view {
        if (to != expected) revert UnexpectedRange(to, expected);
        uint64 count = IInbox(INBOX).batchCount();
        if (to > count) revert RangeNotSealed(to, count);
        bytes32 current = IInbox(INBOX).getBatch(to).acc;
        if (acc != current) revert WrongHistory(acc, current);
    }

    /// @dev INVARIANT: one bond backs one branch. A node never depends on a claim that its claimant does not hold.
    function _requireBranch(bytes32 parent, bytes32 last) private view {
        if (last != 0 && _claims[last].node == parent) return;
        bool free = isConfirmed(parent) && (last == 0 || isConfirmed(_claims[last].node));
        if (!free) revert WrongBranch(parent, last);
    }

    /// @dev A new node waits, so that ranges do not become tiny; a supporter of an existing one never does.
    function _requireRipe(bytes32 parent) private view {
        uint256 ripe = uint256(_nodes[parent].createdAt) + MIN_PERIOD;
        if (block.timestamp < ripe && !_rounds[parent].full) revert TooEarly(block.timestamp, ripe);
    }

    /// @dev Its own round begins where the node ends; the range is fixed now, whatever the Inbox takes later.
    function _createNode(bytes32 id, bytes32 parent, bytes32 end, bytes32 endRoot, uint64 to, bytes32 acc)
        private
    {
        Node storage node = _nodes[id];
        (node.parent, node.end, node.batch, node.createdAt) = (parent, end, to, uint40(block.timestamp));
        Round storage next = _rounds[id];
        (next.to, next.full) = IInbox(INBOX).rangeEnd(to, MAX_INPUTS);
        emit NodeCreated(id, parent, end, endRoot, _nodes[parent].batch, to, acc, next.to, next.full);
    }

    /// @dev One more live claim on `id`, if the round still takes it. The deadlines make sure that an honest party can
    /// join from the moment a false end lives until CHALLENGE_PERIOD later, and that none is born after that.
    function _join(bytes32 parent, bytes32 id) private {
        Round storage round = _rounds[parent];
        if (round.liveEnds == 1) {
            bytes32 sole = round.xorLive;
            if (id != sole) _becomeRival(parent, round, sole);
        } else if (round.liveEnds > 1) {
            uint256 closed = id == round.incumbent ? uint256(round.rivalAt) + CHALLENGE_PERIOD : round.until;
            if (block.timestamp >= closed) revert JoinClosed(block.timestamp, closed);
        }
        Node storage node = _nodes[id];
        if (node.live++ == 0) {
            node.born = uint40(block.timestamp);
            ++round.liveEnds;
            round.xorLive ^= id;
        }
    }

    function _becomeRival(bytes32 parent, Round storage round, bytes32 sole) private {
        uint40 closed = _nodes[sole].born + CHALLENGE_PERIOD;
        if (block.timestamp >= closed) revert JoinClosed(block.timestamp, closed);
        (round.incumbent, round.rivalAt, round.until) = (sole, uint40(block.timestamp), closed);
        emit RivalAppeared(parent, sole, uint40(block.timestamp), closed);
    }

    /* HISTORIES */

    /// @inheritdoc IRollup
    function reveal(bytes32 claim, bytes32[] calldata list) external {
        Claim storage c = _claims[claim];
        if (!isLive(claim)) revert ClaimNotLive(claim);
        if (!mayMove(claim, msg.sender)) revert NotOwner(msg.sender, c.owner);
        if (c.revealedAt != 0) revert AlreadyRevealed(claim);
        Lists.requireLength(list, K, H1);
        // INVARIANT: a history ends in the end that was asserted; rivals therefore differ in their top lists.
        bytes32 end = _nodes[c.node].end;
        if (Lists.lastEnd(list) != end) revert Errors.WrongEnd(Lists.lastEnd(list), end);
        bytes32 top = Hashes.list(list, H1);
        (c.top, c.revealedAt) = (top, uint40(block.timestamp));
        emit Revealed(claim, top, uint40(block.timestamp), list);
    }

    /// @inheritdoc IRollup
    function timeoutReveal(bytes32 claim, bytes32 rival) external {
        _requireRivals(claim, rival);
        if (_claims[claim].revealedAt != 0) revert AlreadyRevealed(claim);
        // INVARIANT: time counts from the birth of a LIVE rival; a dead one never costs a claim anything.
        uint256 late = uint256(_nodes[_claims[rival].node].born) + CHALLENGE_PERIOD;
        if (block.timestamp < late) revert TooEarly(block.timestamp, late);
        _eliminate(claim, 0);
    }

    /// @inheritdoc IRollup
    function matchTerms(bytes32 a, bytes32 b) external view returns (Terms memory terms) {
        bytes32 round = _requireRivals(a, b);
        (Claim storage left, Claim storage right) = (_claims[a], _claims[b]);
        if (left.revealedAt == 0) revert NotRevealed(a);
        if (right.revealedAt == 0) revert NotRevealed(b);
        uint40 clockA = _budget(left.revealedAt, _nodes[right.node].born);
        uint40 clockB = _budget(right.revealedAt, _nodes[left.node].born);
        return Terms(round, left.top, right.top, _nodes[round].end, clockA, clockB);
    }

    /// @dev CHALLENGE_PERIOD minus what its reveal took from the birth of the rival's node. 0 is allowed: such a claim
    /// is late on its first turn; a revert here would make it immortal.
    function _budget(uint40 revealedAt, uint40 rivalBorn) private view returns (uint40) {
        uint40 used = revealedAt > rivalBorn ? revealedAt - rivalBorn : 0;
        return used < CHALLENGE_PERIOD ? CHALLENGE_PERIOD - used : 0;
    }

    function _requireRivals(bytes32 a, bytes32 b) private view returns (bytes32 round) {
        round = roundOf(a);
        requireLive(round, a, b);
        if (_claims[a].node == _claims[b].node || roundOf(b) != round) revert NotRivals(a, b);
    }

    /* DEATH AND DECISION */

    /// @inheritdoc IRollup
    function eliminate(bytes32 claim, bytes32 winner) external onlyDispute {
        _eliminate(claim, winner);
    }

    /// @dev What is neither pot nor bounty is burnt: it stays here, and no function pays it out.
    function _eliminate(bytes32 claim, bytes32 winner) private {
        Claim storage c = _claims[claim];
        _drop(c);
        Staker storage staker = _stakers[c.owner];
        // INVARIANT: a bond is split once, however many claims it backs: afterwards there is none.
        uint96 lost = staker.bond;
        (staker.out, staker.bond) = (true, 0);
        uint96 pot = lost * POT_PERCENT / 100;
        uint96 bounty = winner == 0 ? 0 : lost * BOUNTY_PERCENT / 100;
        c.pot = pot;
        if (bounty != 0) _claims[winner].credit += bounty;
        emit Eliminated(claim, c.node, winner, uint40(block.timestamp), pot, bounty);
    }

    /// @inheritdoc IRollup
    function prune(bytes32 claim) external {
        Claim storage c = _claims[claim];
        if (c.status != Status.LIVE) revert ClaimNotLive(claim);
        if (!_stakers[c.owner].out) revert StakerNotOut(c.owner);
        _requireOpen(_nodes[c.node].parent);
        _drop(c);
        emit Pruned(claim, c.node, uint40(block.timestamp));
    }

    function _drop(Claim storage c) private {
        c.status = Status.DEAD;
        Node storage node = _nodes[c.node];
        Round storage round = _rounds[node.parent];
        if (--node.live == 0) {
            --round.liveEnds;
            round.xorLive ^= c.node;
        }
        round.decidedAt = uint40(block.timestamp);
    }

    /// @inheritdoc IRollup
    function confirm(bytes32 id) external {
        Node storage node = _nodes[id];
        if (node.createdAt == 0) revert UnknownNode(id);
        if (!isConfirmed(node.parent)) revert ParentUnconfirmed(node.parent);
        Round storage round = _rounds[node.parent];
        if (round.confirmed != 0) revert RoundClosed(node.parent);
        // INVARIANT: nobody who still stands on another end could have been heard and was not.
        if (node.live == 0 || round.liveEnds != 1) revert NotSoleEnd(node.live, round.liveEnds);
        uint256 ripe = uint256(node.born) + CHALLENGE_PERIOD;
        uint256 graceEnd = round.decidedAt == 0 ? 0 : uint256(round.decidedAt) + GRACE;
        if (graceEnd > ripe) ripe = graceEnd;
        if (block.timestamp < ripe) revert TooEarly(block.timestamp, ripe);
        round.confirmed = id;
        emit Confirmed(id, node.parent, uint40(block.timestamp));
    }

    /* CREDITS */

    /// @inheritdoc IRollup
    function refund(bytes32 claim, bytes32 potOf, uint256 amount) external onlyDispute returns (uint96 paid) {
        Claim storage c = _claims[claim];
        if (_stakers[c.owner].out) revert StakerOut(c.owner);
        uint128 pot = _claims[potOf].pot;
        if (pot == 0) revert EmptyPot(potOf);
        paid = uint96(amount < pot ? amount : pot); // a pot is part of a bond, which fits 96 bits
        _claims[potOf].pot = pot - paid;
        c.credit += paid;
        emit Refunded(claim, potOf, paid);
    }

    /// @inheritdoc IRollup
    function claimCredit(bytes32 claim) external {
        Claim storage c = _claims[claim];
        // INVARIANT: who fought for a false end is never paid, not even for beating another false one.
        if (!isConfirmed(c.node)) revert NotConfirmed(c.node);
        if (_stakers[c.owner].out) revert StakerOut(c.owner);
        uint96 amount = c.credit;
        if (amount == 0) revert NoCredit(claim);
        c.credit = 0;
        emit CreditPaid(claim, c.owner, amount);
        _send(c.owner, amount);
    }

    function _send(address to, uint256 amount) private {
        (bool success,) = to.call{value: amount}("");
        if (!success) revert TransferFailed(to, amount);
    }

    /* READING */

    /// @inheritdoc IRollup
    function isConfirmed(bytes32 id) public view returns (bool) {
        return id != 0 && _rounds[_nodes[id].parent].confirmed == id;
    }

    /// @inheritdoc IRollup
    function isOpen(bytes32 id) public view returns (bool) {
        if (_rounds[id].confirmed != 0) return false;
        // A node that does not exist has parent 0, whose round is decided for genesis: it is not open either.
        bytes32 decided = _rounds[_nodes[id].parent].confirmed;
        return decided == 0 || decided == id;
    }

    function _requireOpen(bytes32 id) private view {
        if (_nodes[id].createdAt == 0) revert UnknownNode(id);
        if (!isOpen(id)) revert RoundClosed(id);
    }

    /// @inheritdoc IRollup
    function isLive(bytes32 claim) public view returns (bool) {
        return _isStanding(claim) && isOpen(roundOf(claim));
    }

    /// @inheritdoc IRollup
    function requireLive(bytes32 round, bytes32 a, bytes32 b) public view {
        if (!_isStanding(a)) revert ClaimNotLive(a);
        if (!_isStanding(b)) revert ClaimNotLive(b);
        if (!isOpen(round)) revert RoundClosed(round);
    }

    /// @dev Live, as far as the claim itself goes.
    function _isStanding(bytes32 claim) private view returns (bool) {
        Claim storage c = _claims[claim];
        return c.status == Status.LIVE && !_stakers[c.owner].out;
    }

    /// @inheritdoc IRollup
    function inputCount(bytes32 round) external view returns (uint64) {
        return IInbox(INBOX).countInputs(_nodes[round].batch, _rounds[round].to);
    }

    /// @inheritdoc IRollup
    function roundOf(bytes32 claim) public view returns (bytes32) {
        return _nodes[_claims[claim].node].parent;
    }

    /// @inheritdoc IRollup
    function mayMove(bytes32 claim, address caller) public view returns (bool) {
        Claim storage c = _claims[claim];
        return caller != address(0) && (caller == c.owner || caller == c.operator);
    }

    /// @inheritdoc IRollup
    function getNode(bytes32 id) external view returns (Node memory) {
        return _nodes[id];
    }

    /// @inheritdoc IRollup
    function getRound(bytes32 id) external view returns (Round memory) {
        return _rounds[id];
    }

    /// @inheritdoc IRollup
    function getClaim(bytes32 claim) external view returns (Claim memory) {
        return _claims[claim];
    }

    /// @inheritdoc IRollup
    function getStaker(address staker) external view returns (Staker memory) {
        return _stakers[staker];
    }
}
