// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IDispute} from "../../src/interfaces/IDispute.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {Test} from "../support/Test.sol";
import {GameHandler} from "./GameHandler.sol";

/// @notice What must hold whatever attackers do, as long as one honest party with one bond plays in time.
contract GameInvariantTest is Test {
    /// @dev Forge's own form of a list of functions to be called.
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    GameHandler private _handler;
    IRollup private _rollup;
    IDispute private _dispute;

    function setUp() public {
        _handler = new GameHandler();
        (_rollup, _dispute) = _handler.contracts();
        targetContract(address(_handler));
    }

    /// @notice What forge calls in random order: not the functions that the handler calls itself.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](12);
        selectors[0] = GameHandler.wait.selector;
        selectors[1] = GameHandler.sealOne.selector;
        selectors[2] = GameHandler.attackerClaims.selector;
        selectors[3] = GameHandler.attackerReveals.selector;
        selectors[4] = GameHandler.attackerOpens.selector;
        selectors[5] = GameHandler.attackerMoves.selector;
        selectors[6] = GameHandler.attackerWithdraws.selector;
        selectors[7] = GameHandler.anyoneTimesOut.selector;
        selectors[8] = GameHandler.anyonePrunes.selector;
        selectors[9] = GameHandler.anyoneConfirms.selector;
        selectors[10] = GameHandler.someoneCollects.selector;
        selectors[11] = GameHandler.anyonePaysCredit.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    /// forge-config: default.invariant.runs = 24
    /// forge-config: default.invariant.depth = 200
    /// forge-config: long.invariant.runs = 400
    /// forge-config: long.invariant.depth = 400
    function invariant_game_holdsAgainstAnyAttack() public view {
        _checkBalance();
        _checkPots();
        _checkCounters();
        _checkConfirmedNodes();
        assertTrue(!_rollup.getStaker(_handler.honest()).out, "the honest party has lost its bond");
    }

    /// @dev Every wei that anybody can still claim is there.
    function _checkBalance() private view {
        uint256 owed = 0;
        address[] memory stakers = _handler.stakers();
        for (uint256 i = 0; i < stakers.length; ++i) {
            IRollup.Staker memory staker = _rollup.getStaker(stakers[i]);
            assertTrue(staker.bond == 0 || !staker.out, "a bond was lost and is still there");
            owed += staker.bond;
        }
        bytes32[] memory claims = _handler.claims();
        for (uint256 i = 0; i < claims.length; ++i) {
            IRollup.Claim memory claim = _rollup.getClaim(claims[i]);
            owed += uint256(claim.credit) + claim.pot;
        }
        assertGe(address(_rollup).balance, owed);
    }

    /// @dev A pot is 40 % of one bond: what was paid from it and what is left of it, however many claims it answers for.
    function _checkPots() private view {
        address[] memory stakers = _handler.stakers();
        bytes32[] memory claims = _handler.claims();
        for (uint256 i = 0; i < stakers.length; ++i) {
            uint256 found = _handler.refunded(stakers[i]);
            for (uint256 j = 0; j < claims.length; ++j) {
                IRollup.Claim memory claim = _rollup.getClaim(claims[j]);
                if (claim.owner == stakers[i]) found += claim.pot;
            }
            assertEq(found, _rollup.getStaker(stakers[i]).out ? _rollup.BOND() * 40 / 100 : 0);
        }
        assertEq(_handler.wrongRefunds(), 0);
    }

    /// @dev node.live counts claims, round.liveEnds counts nodes, xorLive names them.
    function _checkCounters() private view {
        bytes32[] memory nodes = _handler.nodes();
        bytes32[] memory claims = _handler.claims();
        for (uint256 i = 0; i < nodes.length; ++i) {
            (uint256 ends, bytes32 names) = (0, 0);
            for (uint256 j = 0; j < nodes.length; ++j) {
                IRollup.Node memory node = _rollup.getNode(nodes[j]);
                if (node.parent != nodes[i] || node.live == 0) continue;
                ++ends;
                names ^= nodes[j];
            }
            IRollup.Round memory round = _rollup.getRound(nodes[i]);
            assertEq(round.liveEnds, ends);
            assertEq(round.xorLive, names);
            assertEq(_rollup.getNode(nodes[i]).live, _countLive(claims, nodes[i]));
        }
    }

    function _countLive(bytes32[] memory claims, bytes32 node) private view returns (uint256 count) {
        for (uint256 i = 0; i < claims.length; ++i) {
            IRollup.Claim memory claim = _rollup.getClaim(claims[i]);
            if (claim.node == node && claim.status == IRollup.Status.LIVE) ++count;
        }
    }

    /// @dev No false root is ever confirmed.
    function _checkConfirmedNodes() private view {
        bytes32[] memory nodes = _handler.nodes();
        for (uint256 i = 0; i < nodes.length; ++i) {
            if (_rollup.isConfirmed(nodes[i])) {
                assertTrue(_handler.isTrue(nodes[i]), "a false root is confirmed");
            }
        }
    }

    /// @dev Seeded walks that must come far, or the invariants above would say little.
    function test_walks_reachDeathsProofsTimeoutsAndConfirmations() public {
        (uint256 deaths, uint256 proofs, uint256 timeouts, uint256 confirmations) = (0, 0, 0, 0);
        uint256 refunds = 0;
        for (uint256 walk = 0; walk < 6; ++walk) {
            setUp();
            for (uint256 i = 0; i < 250; ++i) {
                _act(uint256(keccak256(abi.encode("walk", walk, i))));
            }
            invariant_game_holdsAgainstAnyAttack();
            deaths += _handler.falseDeaths();
            proofs += _handler.proofs();
            timeouts += _handler.timeouts();
            confirmations += _handler.confirmations();
            refunds += _handler.refunds();
        }
        assertGt(deaths, 12);
        assertGt(proofs, 6);
        assertGt(timeouts, 2);
        assertGt(confirmations, 8);
        assertGt(refunds, 8);
    }

    function _act(uint256 seed) private {
        (uint256 x, uint256 y, uint256 z) = (seed >> 16, seed >> 80, seed >> 144);
        uint256 kind = seed % 20;
        if (kind < 7) _handler.wait(x, y, z % 2 == 0, z % 16 < 2);
        else if (kind < 9) _handler.attackerClaims(x, y, z);
        else if (kind == 9) _handler.attackerReveals(x);
        else if (kind == 10) _handler.attackerOpens(x, y, z % 2 == 0);
        else if (kind < 14) _handler.attackerMoves(x);
        else if (kind == 14) _handler.anyoneTimesOut(x);
        else if (kind == 15) _handler.anyoneConfirms(x);
        else if (kind == 16) _handler.someoneCollects(x, y % 2 == 0, z % 4 != 0);
        else if (kind == 17) _handler.anyonePaysCredit(x);
        else if (kind == 18) _handler.attackerWithdraws(x);
        else _handler.sealOne(x);
    }
}
