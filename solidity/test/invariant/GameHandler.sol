// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {GameTest} from "../support/GameTest.sol";

/// @notice What happens on L1 in an invariant run: attackers do anything at any moment, and one honest party with one
/// bond, a watcher that claims only where a false end lives, acts whenever time has passed and it is not censored.
contract GameHandler is GameTest {
    uint256 private constant ATTACKERS = 6;
    uint256 private constant LONGEST_TICK = 40; // s between two looks of the honest party
    uint256 private constant LONGEST_CENSORSHIP = 120; // s in which it can do nothing, over the whole run

    struct Pair {
        bytes32 a;
        bytes32 b;
    }

    address public honest;
    address[] private _attackers;
    bytes32[] private _nodes;
    bytes32[] private _claims;
    Pair[] private _matches;
    uint256 private _censored;

    /// @dev Whether a node and all nodes above it are what the law gives.
    mapping(bytes32 node => bool) public isTrue;

    // How far a run has come: an invariant that holds because nothing happens is worth nothing.
    uint256 public falseClaims;
    uint256 public falseDeaths;
    uint256 public proofs;
    uint256 public timeouts;
    uint256 public confirmations;
    uint256 public withdrawals;
    uint256 public refunds;

    /// @dev Wei paid from the pot of whoever has lost its bond.
    mapping(address staker => uint256) public refunded;
    /// @dev To a side whose owner is out, or at the wish of somebody else.
    uint256 public wrongRefunds;

    constructor() {
        deployGame();
        skip(MIN_PERIOD);
        honest = newStaker("honest");
        for (uint256 i = 0; i < ATTACKERS; ++i) {
            _attackers.push(newStaker(string.concat("attacker ", vm.toString(i))));
        }
        bytes32 genesis = rollup.GENESIS();
        isTrue[genesis] = true;
        _nodes.push(genesis);
        sealBatch(2);
    }

    /* WHAT THE INVARIANTS READ */

    function nodes() external view returns (bytes32[] memory) {
        return _nodes;
    }

    function claims() external view returns (bytes32[] memory) {
        return _claims;
    }

    function stakers() external view returns (address[] memory all) {
        all = new address[](ATTACKERS + 1);
        all[0] = honest;
        for (uint256 i = 0; i < ATTACKERS; ++i) {
            all[i + 1] = _attackers[i];
        }
    }

    function contracts() external view returns (IRollup, IDispute) {
        return (rollup, dispute);
    }

    /* WHAT ANYBODY DOES */

    function sealOne(uint256 inputs) external {
        if (inbox.batchCount() < 8) sealBatch(inputs % 3);
    }

    /// @dev Time passes in ticks. At each the honest party looks, unless it is censored; diligent attackers play on too,
    /// for a lie has to be defended to its last step before it can be proven.
    function wait(uint256 duration, uint256 ticks, bool diligent, bool censored) external {
        duration = bound(duration, 1, LONGEST_TICK);
        for (uint256 i = ticks % 6 + 1; i > 0; --i) {
            skip(duration);
            if (diligent) _playForAttackers();
            if (censored && _censored + duration <= LONGEST_CENSORSHIP) _censored += duration;
            else _playHonestly();
        }
    }

    function _playForAttackers() private {
        for (uint256 i = 0; i < _claims.length; ++i) {
            bytes32 claim = _claims[i];
            if (players[claim].owner != honest) try this.revealAs(claim) {} catch {}
        }
        for (uint256 i = 0; i < _matches.length; ++i) {
            Pair memory pair = _matches[i];
            if (players[moverOf(pair.a, pair.b)].owner != honest) _tryMove(pair);
        }
    }

    function attackerClaims(uint256 who, uint256 parent, uint256 lie) external {
        address owner = _attackers[who % ATTACKERS];
        bytes32 above = _nodes[parent % _nodes.length];
        if (rollup.getRound(above).to > inbox.batchCount()) return;
        uint256 lieAt = lie % 4 == 3 ? NEVER : lie % (rangeOf(above).length + 2);
        try this.claimAs(owner, above, lieAt, lie % stepHeight(), bytes32(lie % 2)) {} catch {}
    }

    function attackerReveals(uint256 claim) external {
        if (_claims.length == 0) return;
        bytes32 id = _claims[claim % _claims.length];
        if (players[id].owner != honest) try this.revealAs(id) {} catch {}
    }

    function attackerOpens(uint256 one, uint256 other, bool firstOne) external {
        if (_claims.length == 0) return;
        (bytes32 a, bytes32 b) = (_claims[one % _claims.length], _claims[other % _claims.length]);
        try this.openAs(a, b, firstOne ? a : b) {} catch {}
    }

    /// @dev Attackers do not move for the honest party: that would only help it.
    function attackerMoves(uint256 which) external {
        if (_matches.length == 0) return;
        Pair memory pair = _matches[which % _matches.length];
        if (players[moverOf(pair.a, pair.b)].owner != honest) _tryMove(pair);
    }

    function attackerWithdraws(uint256 who) external {
        address owner = _attackers[who % ATTACKERS];
        vm.prank(owner);
        try rollup.withdraw() {
            ++withdrawals;
            vm.prank(owner);
            rollup.stake{value: BOND}();
        } catch {}
    }

    function anyoneTimesOut(uint256 which) external {
        if (_matches.length != 0) _tryTimeout(_matches[which % _matches.length]);
    }

    function anyoneTimesOutReveal(uint256 one, uint256 other) external {
        if (_claims.length == 0) return;
        _tryTimeoutReveal(_claims[one % _claims.length], _claims[other % _claims.length]);
    }

    function anyonePrunes(uint256 claim) external {
        if (_claims.length != 0) try rollup.prune(_claims[claim % _claims.length]) {} catch {}
    }

    function anyoneConfirms(uint256 node) external {
        _tryConfirm(_nodes[node % _nodes.length]);
    }

    /// @dev A side asks for its refund, or somebody else does.
    function someoneCollects(uint256 which, bool forA, bool byOwner) external {
        if (_matches.length == 0) return;
        Pair memory pair = _matches[which % _matches.length];
        (bytes32 claim, bytes32 opponent) = forA ? (pair.a, pair.b) : (pair.b, pair.a);
        (address owner, address loser) = (players[claim].owner, players[opponent].owner);
        vm.prank(byOwner ? owner : account("a passer-by"));
        try dispute.collect(claim, opponent) returns (uint96 paid) {
            ++refunds;
            refunded[loser] += paid;
            if (!byOwner || rollup.getStaker(owner).out) ++wrongRefunds;
        } catch {}
    }

    function anyonePaysCredit(uint256 claim) external {
        if (_claims.length != 0) try rollup.claimCredit(_claims[claim % _claims.length]) {} catch {}
    }

    /* CALLS THAT MAY FAIL: external, so that their reverts can be caught */

    function claimAs(address owner, bytes32 above, uint256 lieAt, uint256 lieStep, bytes32 salt) external {
        bytes32 claim = claimFor(owner, above, lieAt, lieStep, salt);
        _claims.push(claim);
        bytes32 node = players[claim].node;
        if (rollup.getNode(node).createdAt == block.timestamp && !_isKnown(node)) _nodes.push(node);
        isTrue[node] = isTrue[above] && lieAt == NEVER;
        if (!isTrue[node]) ++falseClaims;
    }

    function revealAs(bytes32 claim) external {
        reveal(claim);
    }

    function openAs(bytes32 one, bytes32 other, bytes32 first) external {
        openMatch(one, other, first);
        (bytes32 a, bytes32 b) = ordered(one, other);
        _matches.push(Pair(a, b));
    }

    function moveAs(bytes32 one, bytes32 other) external returns (bool) {
        return move(one, other);
    }

    function _isKnown(bytes32 node) private view returns (bool) {
        for (uint256 i = 0; i < _nodes.length; ++i) {
            if (_nodes[i] == node) return true;
        }
        return false;
    }

    function _countDeaths(Pair memory pair) private {
        if (!isTrue[players[pair.a].node] && !rollup.isLive(pair.a)) ++falseDeaths;
        if (!isTrue[players[pair.b].node] && !rollup.isLive(pair.b)) ++falseDeaths;
    }

    function _tryMove(Pair memory pair) private {
        try this.moveAs(pair.a, pair.b) returns (bool decided) {
            if (!decided) return;
            ++proofs;
            _countDeaths(pair);
        } catch {}
    }

    function _tryTimeout(Pair memory pair) private {
        try dispute.timeout(pair.a, pair.b) {
            ++timeouts;
            _countDeaths(pair);
        } catch {}
    }

    function _tryTimeoutReveal(bytes32 claim, bytes32 rival) private {
        try rollup.timeoutReveal(claim, rival) {
            ++timeouts;
            if (!isTrue[players[claim].node]) ++falseDeaths;
        } catch {}
    }

    function _tryConfirm(bytes32 node) private {
        try rollup.confirm(node) {
            ++confirmations;
        } catch {}
    }

    /* THE HONEST PARTY */

    /// @dev Holds its own claim on the true end of every open round in which a false end lives, and of every round on
    /// the way to it; reveals when a false end lives; plays every match of a live opponent to its end.
    function _playHonestly() private {
        _joinWhereNeeded();
        for (uint256 i = 0; i < _claims.length; ++i) {
            bytes32 own = _claims[i];
            if (players[own].owner == honest && rollup.isLive(own)) _answerRivals(own);
        }
        for (uint256 i = 0; i < _matches.length; ++i) {
            _playMatch(_matches[i]);
        }
        for (uint256 i = 0; i < _claims.length; ++i) {
            if (rollup.getStaker(players[_claims[i]].owner).out) try rollup.prune(_claims[i]) {} catch {}
        }
        for (uint256 i = 0; i < _nodes.length; ++i) {
            if (isTrue[_nodes[i]]) _tryConfirm(_nodes[i]);
        }
    }

    /// @dev Nodes are in order of creation, so a parent comes before its children.
    function _joinWhereNeeded() private {
        for (uint256 i = 0; i < _nodes.length; ++i) {
            bytes32 above = _nodes[i];
            if (!isTrue[above] || !rollup.isOpen(above) || !_isLieBelow(above)) continue;
            if (_holdsTruth(above)) continue;
            try this.claimAs(honest, above, NEVER, 0, 0) {} catch {}
        }
    }

    /// @dev Whether a false end lives in the round of a true node or of any true node below it.
    function _isLieBelow(bytes32 above) private view returns (bool) {
        for (uint256 i = 0; i < _claims.length; ++i) {
            bytes32 node = players[_claims[i]].node;
            if (isTrue[node] || !rollup.isLive(_claims[i])) continue;
            bytes32 parent = rollup.getNode(node).parent;
            while (parent != 0 && isTrue[parent]) {
                if (parent == above) return true;
                parent = rollup.getNode(parent).parent;
            }
        }
        return false;
    }

    function _holdsTruth(bytes32 above) private view returns (bool) {
        for (uint256 i = 0; i < _claims.length; ++i) {
            bytes32 claim = _claims[i];
            if (players[claim].owner == honest && players[claim].parent == above) return true;
        }
        return false;
    }

    function _answerRivals(bytes32 own) private {
        for (uint256 i = 0; i < _claims.length; ++i) {
            bytes32 rival = _claims[i];
            bool isRival = players[rival].parent == players[own].parent && !isTrue[players[rival].node];
            if (!isRival || !rollup.isLive(rival)) continue;
            if (rollup.getClaim(own).revealedAt == 0) reveal(own);
            _tryTimeoutReveal(rival, own);
            try this.openAs(own, rival, rival) {} catch {}
        }
    }

    function _playMatch(Pair memory pair) private {
        bool isOwn = players[pair.a].owner == honest || players[pair.b].owner == honest;
        if (!isOwn || !rollup.isLive(pair.a) || !rollup.isLive(pair.b)) return;
        _tryTimeout(pair);
        if (!rollup.isLive(pair.a) || !rollup.isLive(pair.b)) return;
        IDispute.Match memory m = dispute.getMatch(dispute.matchId(pair.a, pair.b));
        bool isProof = m.height == 1 && m.stage == IDispute.Stage.STEPS;
        if (isProof || players[moverOf(pair.a, pair.b)].owner == honest) _tryMove(pair);
    }
}
