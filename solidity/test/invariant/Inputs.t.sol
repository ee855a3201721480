// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "../../src/interfaces/IERC20.sol";
import {IInbox} from "../../src/interfaces/IInbox.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {Test} from "../support/Test.sol";
import {InputsHandler} from "./InputsHandler.sol";

/// @notice What must hold of Inbox and Vault whatever users and sequencer do.
contract InputsInvariantTest is Test {
    InputsHandler private _handler;
    IERC20 private _token;
    IVault private _vault;
    IInbox private _inbox;

    function setUp() public {
        _handler = new InputsHandler();
        (address token, address vault, address inbox) = _handler.contracts();
        (_token, _vault, _inbox) = (IERC20(token), IVault(vault), IInbox(inbox));
        targetContract(address(_handler));
    }

    /// forge-config: default.invariant.runs = 24
    /// forge-config: default.invariant.depth = 80
    /// forge-config: long.invariant.runs = 400
    /// forge-config: long.invariant.depth = 200
    function invariant_inputsAndMoney_areWhatHappened() public view {
        _checkMoney();
        _checkHistory();
        assertEq(_handler.overdueLeftBehind(), 0);
    }

    /// @dev The Vault holds what came in less what went out, and pays nothing twice.
    function _checkMoney() private view {
        assertEq(_vault.held(), _handler.deposited() - _handler.paid());
        assertEq(_token.balanceOf(address(_vault)), _vault.held());
        assertLe(_vault.held(), _vault.MAX_TOTAL());
        assertEq(_handler.paidTwice(), 0);
    }

    /// @dev The Inbox is the history of what happened, in its order.
    function _checkHistory() private view {
        uint64 count = _inbox.batchCount();
        assertEq(count, _handler.batches());
        IInbox.Batch memory batch = _inbox.getBatch(count);
        assertEq(batch.acc, _handler.acc());
        assertEq(batch.cum, _handler.cum());
        assertEq(batch.last, _handler.last());
        bytes32[] memory queued = _handler.queued();
        assertEq(_inbox.queueLength(), queued.length);
        assertEq(_inbox.queueNext(), _handler.taken());
        for (uint64 i = 0; i < queued.length; ++i) {
            assertEq(_inbox.getQueueItem(i).hash, queued[i]);
        }
    }

    /// @dev A seeded walk that must come far, or the invariants above would say little.
    function test_walk_reachesPublicBatchesAndPayments() public {
        for (uint256 i = 0; i < 300; ++i) {
            uint256 seed = uint256(keccak256(abi.encode("inputs", i)));
            (uint256 x, uint256 y, uint256 kind) = (seed >> 16, seed >> 80, seed % 10);
            if (kind < 2) _handler.wait(x);
            else if (kind < 4) _handler.deposit(x, y, y % 2 == 0);
            else if (kind < 6) _handler.force(x, y);
            else if (kind < 8) _handler.append(x, y);
            else if (kind == 8) _handler.sealOverdue(x);
            else _handler.withdraw(x, bytes32(y));
        }
        invariant_inputsAndMoney_areWhatHappened();
        assertGt(_handler.publicBatches(), 3);
        assertGt(_handler.payments(), 3);
        assertGt(_handler.batches(), 20);
    }
}
