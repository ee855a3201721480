// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInbox} from "../../src/interfaces/IInbox.sol";
import {Hashes} from "../../src/lib/Hashes.sol";
import {Deployment} from "../support/Deployment.sol";

/// @notice Queue, batches and time of the Inbox. `maxQueueItems` is 3, `maxBatch` 8.
contract InboxTest is Deployment {
    uint40 internal now_;

    function setUp() public {
        deploy();
        skip(10);
        now_ = uint40(block.timestamp);
    }

    function maxQueueItems() internal pure override returns (uint64) {
        return 3;
    }

    /* HELPERS */

    function _row(bytes memory data) private pure returns (bytes memory) {
        return abi.encodePacked(uint16(data.length), data);
    }

    function _sequenced(uint256 number) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(5), uint40(number), "an action");
    }

    function _rows(uint256 count) private pure returns (bytes memory rows) {
        for (uint256 i = 0; i < count; ++i) {
            rows = abi.encodePacked(rows, _row(_sequenced(i)));
        }
    }

    /// @dev The accumulator after a batch, folded by this test.
    function _accAfter(bytes32[] memory hashes) private view returns (bytes32) {
        bytes32 chain = 0;
        for (uint256 i = hashes.length; i > 0; --i) {
            chain = Hashes.chainLink(hashes[i - 1], chain);
        }
        return Hashes.accumulator(_acc(), chain, uint64(hashes.length));
    }

    function _acc() private view returns (bytes32) {
        return inbox.getBatch(inbox.batchCount()).acc;
    }

    function _header(uint40 first, uint40 last, uint8 mode) private view returns (bytes32) {
        return Hashes.input(abi.encodePacked(uint8(2), inbox.batchCount() + 1, first, last, mode));
    }

    /// @dev Append with the accumulator that the contract is going to compute: for tests of other rules.
    function _append(uint64 queueCount, uint40 first, uint40 last, bytes memory rows) private {
        bytes32 acc = _acc();
        bytes32 expected = _predict(acc, queueCount, first, last, rows);
        vm.prank(sequencer);
        inbox.appendBatch(acc, expected, queueCount, first, last, rows);
    }

    function _predict(bytes32 acc, uint64 queueCount, uint40 first, uint40 last, bytes memory rows)
        private
        returns (bytes32)
    {
        vm.prank(sequencer);
        try inbox.appendBatch(acc, 0, queueCount, first, last, rows) {
            revert("no batch has accumulator 0");
        } catch (bytes memory reason) {
            if (bytes4(reason) != IInbox.WrongAccumulator.selector) return 0;
            bytes32 computed;
            assembly ("memory-safe") {
                computed := mload(add(reason, 0x24))
            }
            return computed;
        }
    }

    function _force() private returns (uint64) {
        return inbox.force("\x03please");
    }

    /* BATCH 1 */

    function test_constructor_batch1_isTheInit() public view {
        bytes memory init =
            abi.encodePacked(uint8(1), uint64(block.chainid), address(vault), uint40(START), initBody());
        bytes32 head = Hashes.chainLink(Hashes.input(init), 0);
        IInbox.Batch memory batch = inbox.getBatch(1);
        assertEq(inbox.batchCount(), 1);
        assertEq(batch.head, head);
        assertEq(batch.acc, Hashes.accumulator(0, head, 1));
        assertEq(batch.cum, 1);
        assertEq(batch.last, START);
    }

    /* QUEUE */

    function test_force_writesSenderAndTime_succeeds() public {
        address alice = account("alice");
        bytes memory body = hex"03aabbcc";
        bytes memory data = abi.encodePacked(uint8(4), alice, now_, body);
        vm.expectEmit(address(inbox));
        emit IInbox.QueueItem(0, now_, data);
        vm.prank(alice);
        assertEq(inbox.force(body), 0);
        assertEq(inbox.getQueueItem(0).hash, Hashes.input(data));
        assertEq(inbox.getQueueItem(0).enqueuedAt, now_);
        assertEq(inbox.queueLength(), 1);
        assertEq(inbox.queueNext(), 0);
    }

    function test_force_atTheLengthLimit_succeedsAndOneMoreReverts() public {
        inbox.force(new bytes(998));
        inbox.force("");
        vm.expectRevert(abi.encodeWithSelector(IInbox.BadInputLength.selector, 999, 998));
        inbox.force(new bytes(999));
    }

    function test_enqueueDeposit_byAnyoneButTheVault_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotVault.selector, address(this), address(vault)));
        inbox.enqueueDeposit(1, address(this), 1);
    }

    function test_enqueueDeposit_byTheVault_isDepositInput() public {
        vm.prank(address(vault));
        inbox.enqueueDeposit(7, address(0xabc), 123);
        bytes memory data = abi.encodePacked(uint8(3), uint40(7), address(0xabc), uint64(123));
        assertEq(inbox.getQueueItem(0).hash, Hashes.input(data));
    }

    function test_isOverdue_deadlineToTheSecond_succeeds() public {
        _force();
        skip(FORCED_DEADLINE);
        assertFalse(inbox.isOverdue(0));
        skip(1);
        assertTrue(inbox.isOverdue(0));
        assertFalse(inbox.isOverdue(1));
    }

    /* APPEND */

    function test_appendBatch_headerQueueRows_foldsInThisOrder() public {
        _force();
        _force();
        bytes32[] memory hashes = new bytes32[](5);
        hashes[0] = _header(now_, now_ + 3, 0);
        hashes[1] = inbox.getQueueItem(0).hash;
        hashes[2] = inbox.getQueueItem(1).hash;
        hashes[3] = Hashes.input(_sequenced(0));
        hashes[4] = Hashes.input(_sequenced(1));
        bytes32 acc = _acc();
        bytes32 expected = _accAfter(hashes);
        vm.prank(sequencer);
        inbox.appendBatch(acc, expected, 2, now_, now_ + 3, _rows(2));
        IInbox.Batch memory batch = inbox.getBatch(2);
        assertEq(batch.acc, expected);
        assertEq(batch.cum, 6);
        assertEq(batch.last, now_ + 3);
        assertEq(inbox.queueNext(), 2);
        assertEq(inbox.countInputs(0, 2), 6);
        assertEq(inbox.countInputs(1, 2), 5);
    }

    function test_appendBatch_event_carriesEverything() public {
        _force();
        bytes32 acc = _acc();
        bytes memory rows = _rows(2);
        bytes32 expected = _predict(acc, 1, now_, now_, rows);
        vm.recordLogs();
        vm.prank(sequencer);
        inbox.appendBatch(acc, expected, 1, now_, now_, rows);
        bytes32 head = inbox.getBatch(2).head;
        bytes memory data = abi.encode(expected, head, now_, now_, uint8(0), uint64(0), uint64(1), rows);
        assertEq(vm.getRecordedLogs()[0].data, data);
    }

    function test_appendBatch_headerAlone_succeeds() public {
        _append(0, now_, now_, "");
        assertEq(inbox.getBatch(2).cum, 2);
    }

    function test_appendBatch_byAStranger_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotSequencer.selector, address(this), sequencer));
        inbox.appendBatch(0, 0, 0, now_, now_, "");
    }

    function test_appendBatch_onAnotherHistory_reverts() public {
        bytes32 acc = _acc();
        vm.prank(sequencer);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongPrevious.selector, bytes32(uint256(1)), acc));
        inbox.appendBatch(bytes32(uint256(1)), 0, 0, now_, now_, "");
    }

    function test_appendBatch_queueItemWasReorganised_reverts() public {
        // The sequencer built its batch on another item 0 than this chain has.
        bytes32[] memory hashes = new bytes32[](2);
        hashes[0] = _header(now_, now_, 0);
        hashes[1] = Hashes.input("another item");
        _force();
        bytes32 acc = _acc();
        bytes32 expected = _accAfter(hashes);
        vm.prank(sequencer);
        vm.expectPartialRevert(IInbox.WrongAccumulator.selector);
        inbox.appendBatch(acc, expected, 1, now_, now_, "");
    }

    function test_appendBatch_firstBeforePreviousLast_reverts() public {
        _append(0, now_, now_ + 20, "");
        bytes32 acc = _acc();
        vm.startPrank(sequencer);
        vm.expectRevert(abi.encodeWithSelector(IInbox.FirstBeforePrevious.selector, now_ + 19, now_ + 20));
        inbox.appendBatch(acc, 0, 0, now_ + 19, now_ + 20, "");
        vm.stopPrank();
        _append(0, now_ + 20, now_ + 20, "");
    }

    function test_appendBatch_lastBeforeFirst_reverts() public {
        bytes32 acc = _acc();
        vm.prank(sequencer);
        vm.expectRevert(abi.encodeWithSelector(IInbox.LastBeforeFirst.selector, now_, now_ + 1));
        inbox.appendBatch(acc, 0, 0, now_ + 1, now_, "");
    }

    function test_appendBatch_driftToTheSecond_succeedsThenReverts() public {
        bytes32 acc = _acc();
        vm.prank(sequencer);
        vm.expectRevert(
            abi.encodeWithSelector(IInbox.TooFarAhead.selector, now_ + DRIFT + 1, uint256(now_) + DRIFT)
        );
        inbox.appendBatch(acc, 0, 0, now_, now_ + DRIFT + 1, "");
        _append(0, now_, now_ + DRIFT, "");
    }

    function test_appendBatch_maxDelayToTheSecond_succeedsThenReverts() public {
        skip(MAX_DELAY);
        bytes32 acc = _acc();
        vm.prank(sequencer);
        vm.expectRevert(abi.encodeWithSelector(IInbox.TooFarBehind.selector, now_ - 1, uint256(now_)));
        inbox.appendBatch(acc, 0, 0, now_ - 1, now_, "");
        _append(0, now_, now_, "");
    }

    function test_appendBatch_maxBatchInputs_succeedsAndOneMoreReverts() public {
        bytes32 acc = _acc();
        bytes memory rows = _rows(8);
        vm.prank(sequencer);
        vm.expectRevert(abi.encodeWithSelector(IInbox.TooManyInputs.selector, 9, 8));
        inbox.appendBatch(acc, 0, 0, now_, now_, rows);
        _append(0, now_, now_, _rows(7));
    }

    function test_appendBatch_tooManyQueueItems_reverts() public {
        for (uint256 i = 0; i < 4; ++i) {
            _force();
        }
        bytes32 acc = _acc();
        vm.startPrank(sequencer);
        vm.expectRevert(abi.encodeWithSelector(IInbox.TooManyQueueItems.selector, 4, 3));
        inbox.appendBatch(acc, 0, 4, now_, now_, "");
        vm.stopPrank();
        _append(3, now_, now_, "");
        acc = _acc();
        vm.prank(sequencer);
        vm.expectRevert(abi.encodeWithSelector(IInbox.QueueTooShort.selector, 2, 1));
        inbox.appendBatch(acc, 0, 2, now_, now_, "");
    }

    function test_appendBatch_overdueItemLeft_revertsUnlessTheBatchIsFull() public {
        for (uint256 i = 0; i < 5; ++i) {
            _force();
        }
        skip(FORCED_DEADLINE + 1);
        uint40 time = uint40(block.timestamp);
        bytes32 acc = _acc();
        vm.prank(sequencer);
        vm.expectRevert(
            abi.encodeWithSelector(IInbox.OverdueItemLeft.selector, 2, uint256(now_) + FORCED_DEADLINE)
        );
        inbox.appendBatch(acc, 0, 2, time, time, "");
        _append(3, time, time, "");
        _append(2, time, time, "");
        assertEq(inbox.queueNext(), 5);
    }

    function test_appendBatch_itemAtItsDeadline_mayStillWait() public {
        _force();
        skip(FORCED_DEADLINE);
        _append(0, uint40(block.timestamp), uint40(block.timestamp), "");
    }

    /* ROWS */

    function _expectBadRows(bytes memory rows, bytes memory reason) private {
        bytes32 acc = _acc();
        vm.prank(sequencer);
        vm.expectRevert(reason);
        inbox.appendBatch(acc, 0, 0, now_, now_, rows);
    }

    function test_rows_otherOrigins_revert() public {
        for (uint8 origin = 0; origin < 8; ++origin) {
            if (origin == 5) continue;
            bytes memory rows = _row(abi.encodePacked(origin, "free money"));
            _expectBadRows(rows, abi.encodeWithSelector(IInbox.WrongOrigin.selector, origin, 5));
        }
    }

    function test_rows_badLengths_revert() public {
        bytes4 bad = IInbox.BadInputLength.selector;
        _expectBadRows(hex"00", abi.encodeWithSelector(bad, 1, 2));
        _expectBadRows(hex"0000", abi.encodeWithSelector(bad, 0, 0));
        _expectBadRows(hex"000005", abi.encodeWithSelector(bad, 0, 1));
        _expectBadRows(hex"000305aa", abi.encodeWithSelector(bad, 3, 2));
        _expectBadRows(hex"000205aaff", abi.encodeWithSelector(bad, 1, 2));
        bytes memory long = abi.encodePacked(uint8(5), new bytes(1024));
        _expectBadRows(_row(long), abi.encodeWithSelector(bad, 1025, 1024));
        _append(0, now_, now_, _row(abi.encodePacked(uint8(5), new bytes(1023))));
    }

    /// @dev Any lengths and contents fold as the reference does.
    function testFuzz_rows_anyInputs_foldLikeTheReference(bytes[] memory inputs) public {
        uint256 count = inputs.length < 7 ? inputs.length : 7;
        bytes32[] memory hashes = new bytes32[](count + 1);
        hashes[0] = _header(now_, now_, 0);
        bytes memory rows;
        for (uint256 i = 0; i < count; ++i) {
            bytes memory data = abi.encodePacked(uint8(5), inputs[i]);
            if (data.length > 1024) data = _sequenced(i);
            rows = abi.encodePacked(rows, _row(data));
            hashes[i + 1] = Hashes.input(data);
        }
        bytes32 acc = _acc();
        bytes32 expected = _accAfter(hashes);
        vm.prank(sequencer);
        inbox.appendBatch(acc, expected, 0, now_, now_, rows);
        assertEq(_acc(), expected);
    }

    /* PUBLIC */

    function test_sealPublic_nothingOverdue_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IInbox.NothingOverdue.selector, now_, FORCED_DEADLINE));
        inbox.sealPublic(1);
        _force();
        skip(FORCED_DEADLINE);
        uint256 deadline = uint256(now_) + FORCED_DEADLINE;
        vm.expectRevert(abi.encodeWithSelector(IInbox.NothingOverdue.selector, deadline, deadline));
        inbox.sealPublic(1);
    }

    function test_sealPublic_overdueItem_sealsItAtL1Time() public {
        _force();
        skip(FORCED_DEADLINE + 1);
        uint40 time = uint40(block.timestamp);
        bytes32[] memory hashes = new bytes32[](2);
        hashes[0] = _header(time, time, 1);
        hashes[1] = inbox.getQueueItem(0).hash;
        bytes32 expected = _accAfter(hashes);
        vm.prank(account("anyone"));
        inbox.sealPublic(1);
        assertEq(_acc(), expected);
        assertEq(inbox.getBatch(2).last, time);
    }

    function test_sealPublic_afterABatchThatRanAhead_keepsItsTime() public {
        _force();
        skip(FORCED_DEADLINE);
        uint40 ahead = uint40(block.timestamp) + DRIFT;
        _append(0, ahead, ahead, "");
        skip(1);
        inbox.sealPublic(1);
        assertEq(inbox.getBatch(3).last, ahead);
    }

    function test_sealPublic_flood_isSealedInSeveralBatches() public {
        for (uint256 i = 0; i < 7; ++i) {
            _force();
        }
        skip(FORCED_DEADLINE + 1);
        vm.expectPartialRevert(IInbox.OverdueItemLeft.selector);
        inbox.sealPublic(2);
        vm.expectRevert(abi.encodeWithSelector(IInbox.TooManyQueueItems.selector, 4, 3));
        inbox.sealPublic(4);
        inbox.sealPublic(3);
        inbox.sealPublic(3);
        inbox.sealPublic(1);
        assertEq(inbox.queueNext(), 7);
    }

    function test_sealPublic_noItems_reverts() public {
        _force();
        skip(FORCED_DEADLINE + 1);
        vm.expectRevert(IInbox.EmptyPublicBatch.selector);
        inbox.sealPublic(0);
    }

    /* RANGES */

    /// @dev The binary search finds what a walk finds.
    function testFuzz_rangeEnd_anyBatches_isTheLargestThatFits(
        uint8[20] memory sizes,
        uint256 from,
        uint256 limit
    ) public {
        for (uint256 i = 0; i < sizes.length; ++i) {
            _append(0, now_, now_, _rows(sizes[i] % 8));
        }
        uint64 count = inbox.batchCount();
        from = bound(from, 0, count + 1);
        limit = bound(limit, maxBatch(), 64);
        (uint64 to, bool full) = inbox.rangeEnd(uint64(from), limit);
        uint64 expected = uint64(from) + 1;
        while (expected < count && inbox.countInputs(uint64(from), expected + 1) <= limit) ++expected;
        assertEq(to, expected);
        assertEq(full, expected < count);
    }
}
