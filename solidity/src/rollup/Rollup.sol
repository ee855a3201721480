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

    mapping(bytes32 node => Assertion) private _nodes;
    mapping(bytes32 claim => Stand) private _claims;
    mapping(address staker => Staker) private _stakers;

    constructor(Parameters memory p) {
        if (p.inbox == address(0) || p.dispute == address(0)) revert Errors.ZeroAddress();
        uint256 maxInputs = Lists.checkShape(p.k, p.h1, p.h2);
        // INVARIANT: every batch fits a range; a larger one would have no legal end for ever.
        uint256 maxBatch = IInbox(p.inbox).MAX_BATCH();
        if (maxBatch > maxInputs) revert Errors.BadParameter(maxBatch, maxInputs);
        // INVARIANT: a party that is never censored can play all its moves: half of those of a match, and two more.
        uint256 least = SECONDS_PER_MOVE * ((uint256(p.h1) + p.h2 + 2) / 2 + 2);
        if (p.challengePeriod < least) revert Errors.BadParameter(p.challengePeriod, least);
        if (p.minPeriod >= p.challengePeriod) revert Errors.BadParameter(p.minPeriod, p.challengePeriod);
        if (p.grace > p.challengePeriod) revert Errors.BadParameter(p.grace, p.challengePeriod);
        // INVARIANT: 40 % and 10 % of a bond are whole, and neither is nothing: who sees no pot in an event sees no death.
        if (p.bond == 0 || p.bond % 10 != 0) revert Errors.BadParameter(p.bond, 10);
        (INBOX, DISPUTE) = (p.inbox, p.dispute);
        // checkShape keeps it below 2 ** 40
        // forge-lint: disable-next-line(unsafe-typecast)
        (K, H1, H2, MAX_INPUTS) = (p.k, p.h1, p.h2, uint64(maxInputs));
        (CHALLENGE_PERIOD, GRACE, MIN_PERIOD, BOND) = (p.challengePeriod, p.grace, p.minPeriod, p.bond);
        GENESIS = Hashes.node(0, Hashes.leaf(0, 0, 0));
        _create(GENESIS, 0, Hashes.leaf(0, 0, 0), 0, 0, 0);
        _nodes[GENESIS].phase = Phase.CONFIRMED;
        // The round above genesis, and above all that does not exist: nothing in it is open.
        (_nodes[0].phase, _nodes[0].xorLive) = (Phase.DECIDED, GENESIS);
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
    function withdraw() external {
        Staker storage staker = _stakers[msg.sender];
        uint96 bond = _bondOf(staker);
        if (bond == 0) revert NotStaked(msg.sender);
        bytes32 last = staker.lastClaim;
        // INVARIANT: a bond backs all claims of its staker until none can be disputed: the last one is the deepest.
        if (last != 0 && !isConfirmed(_claims[last].node)) revert ClaimUndecided(last);
        staker.bond = 0;
        emit BondWithdrawn(msg.sender, bond);
        (bool success,) = msg.sender.call{value: bond}("");
        if (!success) revert TransferFailed(msg.sender, bond);
    }

    /// @inheritdoc IRollup
    function setOperator(bytes32 claim, address operator) external {
        Stand storage c = _claims[claim];
        if (c.status != Status.LIVE) revert ClaimNotLive(claim);
        if (msg.sender != c.owner) revert NotOwner(msg.sender, c.owner);
        if (operator == address(0)) revert Errors.ZeroAddress();
        c.operator = operator;
        emit OperatorSet(claim, operator);
    }

    /* ASSERTIONS */

    /// @inheritdoc IRollup
    function assertState(bytes32 parent, bytes32 endRoot, uint64 to, bytes32 acc) external returns (bytes32) {
        Staker storage staker = _stakers[msg.sender];
        if (_bondOf(staker) == 0) revert NotStaked(msg.sender);
        if (_nodes[parent].createdAt == 0) revert UnknownNode(parent);
        if (!isOpen(parent)) revert RoundClosed(parent);
        _requireRange(_nodes[parent].to, to, acc);
        _requireBranch(parent, staker.lastClaim);
        bytes32 end = Hashes.leaf(endRoot, to, 0);
        bytes32 id = Hashes.node(parent, end);
        bytes32 claim = Hashes.claim(id, msg.sender);
        Stand storage c = _claims[claim];
        if (c.status != Status.NONE) revert ClaimExists(claim);
        if (_nodes[id].createdAt == 0) _create(id, parent, end, endRoot, to, acc);
        _join(_nodes[parent], parent, id);
        (c.owner, c.status, c.node) = (msg.sender, Status.LIVE, id);
        staker.lastClaim = claim;
        emit Claimed(claim, id, msg.sender, uint40(block.timestamp), _nodes[id].born);
        return claim;
    }

    /// @dev INVARIANT: a claim is about the very inputs that its owner has executed, even after a reorg or when others
    /// fixed the range before it.
    function _requireRange(uint64 expected, uint64 to, bytes32 acc) private view {
        if (to != expected) revert UnexpectedRange(to, expected);
        bytes32 current = IInbox(INBOX).accumulator(to);
        if (current == 0) revert RangeNotSealed(to, IInbox(INBOX).batchCount());
        if (acc != current) revert WrongHistory(acc, current);
    }

    /// @dev INVARIANT: one bond backs one branch. A node never depends on a claim that its claimant does not hold.
    function _requireBranch(bytes32 parent, bytes32 last) private view {
        bytes32 node = _claims[last].node;
        if (node == parent || isConfirmed(parent) && (last == 0 || isConfirmed(node))) return;
        revert WrongBranch(parent, last);
    }

    /// @dev Its own round begins where the node ends; the range is fixed now, whatever the Inbox takes later. A new
    /// node waits, so that ranges do not become tiny; a supporter of an existing one never does.
    function _create(bytes32 id, bytes32 parent, bytes32 end, bytes32 root, uint64 to, bytes32 acc) private {
        Assertion storage above = _nodes[parent];
        uint256 ripe = uint256(above.createdAt) + MIN_PERIOD;
        if (block.timestamp < ripe && !above.full) revert TooEarly(block.timestamp, ripe);
        Assertion storage node = _nodes[id];
        (node.parent, node.batch, node.createdAt) = (parent, to, uint40(block.timestamp));
        (node.to, node.full) = IInbox(INBOX).rangeEnd(to, MAX_INPUTS);
        emit NodeCreated(id, parent, end, root, above.batch, to, acc, node.to, node.full);
    }

    /// @dev One more live claim on `id`, if the round still takes it. The deadlines make sure that an honest party can
    /// join from the moment a false end lives until CHALLENGE_PERIOD later, and that none is born after that.
    function _join(Assertion storage round, bytes32 parent, bytes32 id) private {
        (uint40 time, bytes32 sole) = (uint40(block.timestamp), round.xorLive);
        if (round.liveEnds == 1 && id != sole) {
            uint40 closed = _nodes[sole].born + CHALLENGE_PERIOD;
            if (time >= closed) revert JoinClosed(time, closed);
            (round.incumbent, round.rivalAt, round.until) = (sole, time, closed);
            emit RivalAppeared(parent, sole, time, closed);
        } else if (round.liveEnds > 1) {
            uint256 closed = id == round.incumbent ? uint256(round.rivalAt) + CHALLENGE_PERIOD : round.until;
            if (time >= closed) revert JoinClosed(time, closed);
        }
        Assertion storage node = _nodes[id];
        if (node.live++ == 0) {
            node.born = time;
            ++round.liveEnds;
            round.xorLive = sole ^ id;
        }
    }

    /* HISTORIES */

    /// @inheritdoc IRollup
    function reveal(bytes32 claim, bytes32[] calldata list) external {
        Stand storage c = _claims[claim];
        if (!isLive(claim)) revert ClaimNotLive(claim);
        if (!mayMove(claim, msg.sender)) revert NotOwner(msg.sender, c.owner);
        if (c.revealedAt != 0) revert AlreadyRevealed(claim);
        Lists.requireLength(list, K, H1);
        // INVARIANT: a history ends in the end that was asserted; rivals therefore differ in their top lists.
        bytes32 id = Hashes.node(roundOf(claim), list[list.length - 1]);
        if (id != c.node) revert Errors.WrongEnd(id, c.node);
        (c.top, c.revealedAt) = (Hashes.list(list, H1), uint40(block.timestamp));
        emit Revealed(claim, c.top, uint40(block.timestamp), list);
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
    function matchTerms(bytes32 a, bytes32 b) external view returns (Terms memory) {
        bytes32 round = _requireRivals(a, b);
        if (_claims[a].revealedAt == 0) revert NotRevealed(a);
        if (_claims[b].revealedAt == 0) revert NotRevealed(b);
        return Terms(round, _claims[a].top, _claims[b].top, _clockOf(a, b), _clockOf(b, a));
    }

    /// @dev CHALLENGE_PERIOD minus what its reveal took from the birth of the rival's node. 0 is allowed: such a claim
    /// is late on its first turn; a revert here would make it immortal.
    function _clockOf(bytes32 claim, bytes32 rival) private view returns (uint40) {
        (uint40 revealedAt, uint40 born) = (_claims[claim].revealedAt, _nodes[_claims[rival].node].born);
        uint40 used = revealedAt > born ? revealedAt - born : 0;
        return used < CHALLENGE_PERIOD ? CHALLENGE_PERIOD - used : 0;
    }

    function _requireRivals(bytes32 a, bytes32 b) private view returns (bytes32 round) {
        round = roundOf(a);
        requireLive(round, a, b);
        if (_claims[a].node == _claims[b].node || roundOf(b) != round) revert NotRivals(a, b);
    }

    /* DEATH AND DECISION */

    /// @inheritdoc IRollup
    function eliminate(bytes32 claim, bytes32 winner) external {
        if (msg.sender != DISPUTE) revert NotDispute(msg.sender, DISPUTE);
        _eliminate(claim, winner);
    }

    /// @dev What is neither pot nor bounty is burnt: it stays here, and no function pays it out.
    function _eliminate(bytes32 claim, bytes32 winner) private {
        Stand storage c = _claims[claim];
        _drop(c);
        Staker storage staker = _stakers[c.owner];
        // INVARIANT: a bond is split once, however many claims it backs: afterwards there is none.
        uint96 lost = _bondOf(staker);
        uint96 pot = lost * POT_PERCENT / 100;
        uint96 bounty = winner == 0 ? 0 : lost * BOUNTY_PERCENT / 100;
        if (!staker.out) (staker.out, staker.bond, c.hasPot) = (true, pot, true);
        if (bounty != 0) _claims[winner].credit += bounty;
        emit Eliminated(claim, c.node, winner, uint40(block.timestamp), pot, bounty);
    }

    /// @inheritdoc IRollup
    function prune(bytes32 claim) external {
        Stand storage c = _claims[claim];
        if (c.status != Status.LIVE) revert ClaimNotLive(claim);
        if (!_stakers[c.owner].out) revert StakerNotOut(c.owner);
        if (!isOpen(roundOf(claim))) revert RoundClosed(roundOf(claim));
        _drop(c);
        emit Pruned(claim, c.node, uint40(block.timestamp));
    }

    /// @dev Only the death of an end begins the grace period anew: supporters, who can lose their bonds elsewhere and be
    /// pruned here one by one, must not hold a round back.
    function _drop(Stand storage c) private {
        c.status = Status.DEAD;
        Assertion storage node = _nodes[c.node];
        Assertion storage round = _nodes[node.parent];
        if (--node.live == 0) {
            --round.liveEnds;
            round.xorLive ^= c.node;
            round.decidedAt = uint40(block.timestamp);
        }
    }

    /// @inheritdoc IRollup
    function confirm(bytes32 id) external {
        Assertion storage node = _nodes[id];
        if (node.createdAt == 0) revert UnknownNode(id);
        if (!isConfirmed(node.parent)) revert ParentUnconfirmed(node.parent);
        Assertion storage round = _nodes[node.parent];
        if (round.phase == Phase.DECIDED) revert RoundClosed(node.parent);
        // INVARIANT: nobody who still stands on another end could have been heard and was not.
        if (node.live == 0 || round.liveEnds != 1) revert NotSoleEnd(node.live, round.liveEnds);
        uint256 ripe = uint256(node.born) + CHALLENGE_PERIOD;
        uint256 calm = uint256(round.decidedAt) + GRACE; // at most ripe if nobody died: GRACE <= CHALLENGE_PERIOD
        if (calm > ripe) ripe = calm;
        if (block.timestamp < ripe) revert TooEarly(block.timestamp, ripe);
        // Nothing in a decided round is born or dies: its xorLive names its winner for ever.
        (node.phase, round.phase) = (Phase.CONFIRMED, Phase.DECIDED);
        emit Confirmed(id, node.parent, uint40(block.timestamp));
    }

    /* CREDITS */

    /// @inheritdoc IRollup
    function refund(bytes32 claim, bytes32 potOf, uint256 amount) external returns (uint96 paid) {
        if (msg.sender != DISPUTE) revert NotDispute(msg.sender, DISPUTE);
        Stand storage c = _claims[claim];
        if (_stakers[c.owner].out) revert StakerOut(c.owner);
        // INVARIANT: a pot is its staker's: who has beaten one claim is paid from it, whichever claim the bond was lost for.
        Staker storage loser = _stakers[_claims[potOf].owner];
        if (!loser.out || loser.bond == 0) revert EmptyPot(potOf);
        // less than a pot
        // forge-lint: disable-next-line(unsafe-typecast)
        paid = amount < loser.bond ? uint96(amount) : loser.bond;
        loser.bond -= paid;
        c.credit += paid;
        emit Refunded(claim, potOf, paid);
    }

    /// @inheritdoc IRollup
    function claimCredit(bytes32 claim) external {
        Stand storage c = _claims[claim];
        // INVARIANT: who fought for a false end is never paid, not even for beating another false one.
        if (!isConfirmed(c.node)) revert NotConfirmed(c.node);
        if (_stakers[c.owner].out) revert StakerOut(c.owner);
        uint96 amount = c.credit;
        if (amount == 0) revert NoCredit(claim);
        c.credit = 0;
        emit CreditPaid(claim, c.owner, amount);
        (bool success,) = c.owner.call{value: amount}("");
        if (!success) revert TransferFailed(c.owner, amount);
    }

    /* READING */

    /// @inheritdoc IRollup
    function isConfirmed(bytes32 id) public view returns (bool) {
        return id != 0 && _nodes[id].phase != Phase.PENDING;
    }

    /// @inheritdoc IRollup
    function isOpen(bytes32 id) public view returns (bool) {
        Assertion storage node = _nodes[id];
        if (node.phase != Phase.PENDING) return node.phase == Phase.CONFIRMED;
        return _nodes[node.parent].phase != Phase.DECIDED;
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
        return _claims[claim].status == Status.LIVE && !_stakers[_claims[claim].owner].out;
    }

    /// @inheritdoc IRollup
    function inputCount(bytes32 round) external view returns (uint64) {
        return IInbox(INBOX).countInputs(_nodes[round].batch, _nodes[round].to);
    }

    /// @inheritdoc IRollup
    function roundOf(bytes32 claim) public view returns (bytes32) {
        return _nodes[_claims[claim].node].parent;
    }

    /// @inheritdoc IRollup
    function mayMove(bytes32 claim, address caller) public view returns (bool) {
        return caller != address(0) && (caller == _claims[claim].owner || caller == _claims[claim].operator);
    }

    /// @dev The bond of a staker who is out has been split; what is left of it are pots.
    function _bondOf(Staker storage staker) private view returns (uint96) {
        return staker.out ? 0 : staker.bond;
    }

    /// @inheritdoc IRollup
    function getNode(bytes32 id) external view returns (Node memory) {
        Assertion storage n = _nodes[id];
        return Node(n.parent, n.batch, n.createdAt, n.born, n.live);
    }

    /// @inheritdoc IRollup
    function getRound(bytes32 id) external view returns (Round memory) {
        Assertion storage n = _nodes[id];
        bytes32 won = n.phase == Phase.DECIDED ? n.xorLive : bytes32(0);
        return Round(n.to, n.full, n.liveEnds, n.rivalAt, n.until, n.decidedAt, n.xorLive, n.incumbent, won);
    }

    /// @inheritdoc IRollup
    function getClaim(bytes32 claim) external view returns (Claim memory) {
        Stand storage c = _claims[claim];
        uint96 pot = c.hasPot ? _stakers[c.owner].bond : 0;
        return Claim(c.owner, c.revealedAt, c.status, c.operator, c.credit, pot, c.node, c.top);
    }

    /// @inheritdoc IRollup
    function getStaker(address staker) external view returns (Staker memory) {
        return Staker(_bondOf(_stakers[staker]), _stakers[staker].out, _stakers[staker].lastClaim);
    }
}
