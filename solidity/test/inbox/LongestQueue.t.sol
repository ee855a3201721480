// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInbox} from "../../src/interfaces/IInbox.sol";
import {Deployment} from "../support/Deployment.sol";

/// @notice The largest MAX_QUEUE_ITEMS that the constructor takes: a full batch is one transaction (EIP-7825).
/// forge-config: default.isolate = true
contract LongestQueueTest is Deployment {
    uint256 private constant MOST_TRANSACTION_GAS = 1 << 24;
    uint64 private constant MOST_ITEMS = 4096;

    function inputHeight() internal pure override returns (uint8) {
        return 13;
    }

    function maxBatch() internal pure override returns (uint64) {
        return 8192;
    }

    function maxQueueItems() internal pure override returns (uint64) {
        return MOST_ITEMS;
    }

    function setUp() public {
        deploy();
        for (uint256 i = 0; i <= MOST_ITEMS; ++i) {
            inbox.force("");
        }
        skip(FORCED_DEADLINE + 1);
    }

    function test_sealPublic_floodOfTheLongestQueue_fitsATransaction() public {
        // While another item is overdue, fewer are refused.
        vm.expectPartialRevert(IInbox.OverdueItemLeft.selector);
        inbox.sealPublic(MOST_ITEMS - 1);
        inbox.sealPublic(MOST_ITEMS);
        uint256 cost = vm.lastCallGas().gasTotalUsed;
        assertLe(cost / MOST_ITEMS, 2600);
        assertLe(cost, MOST_TRANSACTION_GAS * 2 / 3);
        assertEq(inbox.queueNext(), MOST_ITEMS);
    }
}
