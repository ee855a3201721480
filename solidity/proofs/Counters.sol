// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RollupProof} from "./RollupProof.sol";

/// @notice node.live = number of claims on it that are LIVE, round.liveEnds = number of its nodes with live > 0, and
/// round.xorLive = xor of their ids: for ANY claim, node and round, a step changes a counter by exactly as much as it
/// changes what is counted. Calls that are not here touch none of these words.
contract CountersProof is RollupProof {
    function check_claimsOfANode_assertState() public {
        _checkClaims(Call.ASSERT_STATE, 1);
    }

    function check_claimsOfANode_timeoutReveal() public {
        _checkClaims(Call.TIMEOUT_REVEAL, 0);
    }

    function check_claimsOfANode_prune() public {
        _checkClaims(Call.PRUNE, 0);
    }

    function check_claimsOfANode_eliminate() public {
        _checkClaims(Call.ELIMINATE, 0);
    }

    function check_claimsOfANode_confirm() public {
        _checkClaims(Call.CONFIRM, 0);
    }

    function check_claimsOfANode_reveal() public {
        _checkClaims(Call.REVEAL, 0);
    }

    function check_liveEnds_assertState() public {
        _checkRounds(Call.ASSERT_STATE);
    }

    function check_liveEnds_timeoutReveal() public {
        _checkRounds(Call.TIMEOUT_REVEAL);
    }

    function check_liveEnds_prune() public {
        _checkRounds(Call.PRUNE);
    }

    function check_liveEnds_eliminate() public {
        _checkRounds(Call.ELIMINATE);
    }

    function check_liveEnds_confirm() public {
        _checkRounds(Call.CONFIRM);
    }

    /// @dev Exactly the touched claim lives or dies, on the touched node, whose count follows; no claim moves.
    function _checkClaims(Call kind, uint256 life) private {
        anyTime();
        (bytes32 claim, bytes32 node) = (svm.createBytes32("claim"), svm.createBytes32("node"));
        (uint256 wasLive, bytes32 stood, uint256 live) = (_isLive(claim), _nodeOf(claim), _liveOn(node));
        (bool success,) = _step(kind);
        vm.assume(success);
        uint256 isTouched = _bit(claim == touched);
        // Another claim stays as it was; the touched one is alive after an assertion, else dead, and it was not before.
        assert((isTouched | (_bit(_isLive(claim) == wasLive) & _bit(_nodeOf(claim) == stood))) == 1);
        uint256 hasTurned = _bit(_isLive(claim) == life) & _bit(wasLive == 1 - life);
        assert((1 - isTouched | _bit(touched == 0) | hasTurned) == 1);
        uint256 isNode = _bit(node == _nodeOf(touched)) & _bit(touched != 0);
        assert(_liveOn(node) + isNode == live + 2 * isNode * life);
    }

    /// @dev Exactly the touched node becomes or ceases to be a live end, in its own round, whose count and names follow.
    function _checkRounds(Call kind) private {
        anyTime();
        (bytes32 node, bytes32 round) = (svm.createBytes32("node"), svm.createBytes32("round"));
        (uint256 live, uint256 ends, bytes32 names) = (_liveOn(node), _liveEnds(round), _xorLive(round));
        uint256 createdAt = _createdAt(node);
        bytes32 parent = _parent(node);
        // What does not exist has no claims; what exists lies below the node that its id commits to.
        vm.assume((_bit(createdAt != 0) | _bit(live == 0)) == 1);
        if (kind == Call.ASSERT_STATE) vm.assume((_bit(createdAt == 0) | _bit(parent == one)) == 1);
        (bool success,) = _step(kind);
        vm.assume(success);
        if (touched == 0) {
            assert(_liveEnds(round) == ends && _xorLive(round) == names);
            return;
        }
        vm.assume(node == _nodeOf(touched));
        uint256 isRound = _bit(round == _parent(node));
        (uint256 rises, uint256 falls) = (_bit(live == 0), _bit(_liveOn(node) == 0));
        assert(_liveEnds(round) + (isRound & falls) == ends + (isRound & rises));
        uint256 isSame = _bit(_xorLive(round) == names);
        uint256 isTurned = _bit(_xorLive(round) == names ^ node);
        uint256 turns = isRound & (rises | falls);
        assert(((1 - turns) & isSame | turns & isTurned) == 1);
    }
}
