// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IInbox} from "../interfaces/IInbox.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Errors} from "../lib/Errors.sol";
import {Hashes} from "../lib/Hashes.sol";
import {Rows} from "../lib/Rows.sol";

/// @title The canonical ordered inputs.
contract Inbox is IInbox {
    /// @dev A batch while it is sealed: the fields of its event.
    struct Sealed {
        bytes32 acc;
        bytes32 head;
        uint40 first;
        uint40 last;
        uint8 mode;
        uint64 queueFrom;
        uint64 queueCount;
    }

    uint8 private constant ORIGIN_INIT = 1;
    uint8 private constant ORIGIN_HEADER = 2;
    uint8 private constant ORIGIN_DEPOSIT = 3;
    uint8 private constant ORIGIN_FORCED = 4;
    uint8 private constant MODE_SEQUENCER = 0;
    uint8 private constant MODE_PUBLIC = 1;
    /// @dev A flood is sealed in full batches or not at all, and one transaction carries 2 ** 24 gas (EIP-7825). An item
    /// takes 2,600 of it, so 6,400 would fit; this leaves a third for what gas may cost after the next fork.
    uint64 private constant MOST_QUEUE_ITEMS = 4096;
    uint256 private constant MAX_DRIFT = 60; // s: the sequencer's free look ahead of L1 must stay short
    uint256 private constant FORCED_ENVELOPE_BYTES = 26; // origin:1 | sender:20 | enqueuedAt:5
    uint256 private constant INIT_ENVELOPE_BYTES = 34; // origin:1 | chain id:8 | vault:20 | second:5
    uint256 private constant BACKSTOP_BYTES = 20; // the INIT body begins with the owner of account 0

    address public immutable VAULT;
    address public immutable SEQUENCER;
    uint64 public immutable MAX_BATCH;
    uint64 public immutable MAX_QUEUE_ITEMS;
    uint40 public immutable FORCED_DEADLINE;
    uint40 public immutable MAX_DELAY;
    uint40 public immutable DRIFT;

    /// @inheritdoc IInbox
    uint64 public batchCount;
    /// @inheritdoc IInbox
    uint64 public queueLength;
    /// @inheritdoc IInbox
    uint64 public queueNext;

    mapping(uint64 batch => Batch) private _batches;
    mapping(uint64 index => QueuedInput) private _queue;

    constructor(Parameters memory p) {
        if (p.vault == address(0) || p.sequencer == address(0)) revert Errors.ZeroAddress();
        // INVARIANT: a flood of queue items fits batches, together with their headers.
        if (p.maxQueueItems == 0) revert Errors.BadParameter(p.maxQueueItems, 1);
        // INVARIANT: and the largest of these batches fits a transaction: while an item is overdue, no smaller one is taken.
        if (p.maxQueueItems > MOST_QUEUE_ITEMS) {
            revert Errors.BadParameter(p.maxQueueItems, MOST_QUEUE_ITEMS);
        }
        if (p.maxBatch <= p.maxQueueItems) revert Errors.BadParameter(p.maxBatch, p.maxQueueItems);
        if (p.drift > MAX_DRIFT) revert Errors.BadParameter(p.drift, MAX_DRIFT);
        if (p.maxDelay < p.drift) revert Errors.BadParameter(p.maxDelay, p.drift);
        if (p.forcedDeadline == 0) revert Errors.BadParameter(p.forcedDeadline, 1);
        _checkInit(p.initBody, p.vault);
        VAULT = p.vault;
        SEQUENCER = p.sequencer;
        MAX_BATCH = p.maxBatch;
        MAX_QUEUE_ITEMS = p.maxQueueItems;
        FORCED_DEADLINE = p.forcedDeadline;
        MAX_DELAY = p.maxDelay;
        DRIFT = p.drift;
        _sealInit(
            abi.encodePacked(ORIGIN_INIT, uint64(block.chainid), p.vault, uint40(block.timestamp), p.initBody)
        );
    }

    /* QUEUE */

    /// @inheritdoc IInbox
    function enqueueDeposit(uint40 account, address owner, uint64 amount) external returns (uint64 index) {
        if (msg.sender != VAULT) revert NotVault(msg.sender, VAULT);
        return _enqueue(abi.encodePacked(ORIGIN_DEPOSIT, account, owner, amount));
    }

    /// @inheritdoc IInbox
    function force(bytes calldata body) external returns (uint64 index) {
        uint256 limit = Rows.MAX_INPUT_BYTES - FORCED_ENVELOPE_BYTES;
        if (body.length > limit) revert BadInputLength(body.length, limit);
        return _enqueue(abi.encodePacked(ORIGIN_FORCED, msg.sender, uint40(block.timestamp), body));
    }

    function _enqueue(bytes memory data) private returns (uint64 index) {
        index = queueLength++;
        _queue[index] = QueuedInput({hash: Hashes.input(data), enqueuedAt: uint40(block.timestamp)});
        emit QueueItem(index, uint40(block.timestamp), data);
    }

    /* BATCHES */

    /// @inheritdoc IInbox
    function appendBatch(
        bytes32 prevAcc,
        bytes32 expectedAcc,
        uint64 queueCount,
        uint40 first,
        uint40 last,
        bytes calldata rows
    ) external {
        if (msg.sender != SEQUENCER) revert NotSequencer(msg.sender, SEQUENCER);
        Batch storage previous = _batches[batchCount];
        if (prevAcc != previous.acc) revert WrongPrevious(prevAcc, previous.acc);
        // INVARIANT: time inside the rollup never runs backwards and stays near L1's.
        if (first < previous.last) revert FirstBeforePrevious(first, previous.last);
        if (last < first) revert LastBeforeFirst(last, first);
        if (last > block.timestamp + DRIFT) revert TooFarAhead(last, block.timestamp + DRIFT);
        if (uint256(first) + MAX_DELAY < block.timestamp) {
            revert TooFarBehind(first, block.timestamp - MAX_DELAY);
        }
        Sealed memory s = Sealed(0, 0, first, last, MODE_SEQUENCER, 0, queueCount);
        _seal(s, rows);
        // INVARIANT: what lands is what the sequencer has executed and acknowledged, queue items included.
        if (s.acc != expectedAcc) revert WrongAccumulator(s.acc, expectedAcc);
    }

    /// @inheritdoc IInbox
    function sealPublic(uint64 queueCount) external {
        if (queueCount == 0) revert EmptyPublicBatch();
        if (!isOverdue(queueNext)) revert NothingOverdue(block.timestamp, _deadline(queueNext));
        uint40 previousLast = _batches[batchCount].last;
        uint40 second = previousLast > block.timestamp ? previousLast : uint40(block.timestamp);
        // An empty slice of calldata: nothing is sequenced.
        _seal(Sealed(0, 0, second, second, MODE_PUBLIC, 0, queueCount), msg.data[:0]);
    }

    /// @dev The event is emitted last because it needs everything; nothing outside is called.
    function _seal(Sealed memory s, bytes calldata rows) private {
        s.queueFrom = queueNext;
        (bytes32 chain, uint256 count) = Rows.fold(rows);
        count += 1 + uint256(s.queueCount);
        // INVARIANT: every batch fits the range of one assertion; a larger one would have no legal end for ever.
        if (count > MAX_BATCH) revert TooManyInputs(count, MAX_BATCH);
        chain = _takeQueue(s.queueFrom, s.queueCount, chain);
        bytes memory header = abi.encodePacked(ORIGIN_HEADER, batchCount + 1, s.first, s.last, s.mode);
        s.head = Hashes.chainLink(Hashes.input(header), chain);
        // at most MAX_BATCH
        // forge-lint: disable-next-line(unsafe-typecast)
        s.acc = _store(s.head, uint64(count), s.last);
        emit BatchSealed(batchCount, s.acc, s.head, s.first, s.last, s.mode, s.queueFrom, s.queueCount, rows);
    }

    /// @dev Puts `queueCount` queue items in front of `chain`. The loop is bounded by MAX_QUEUE_ITEMS.
    function _takeQueue(uint64 from, uint64 queueCount, bytes32 chain) private returns (bytes32) {
        if (queueCount > MAX_QUEUE_ITEMS) revert TooManyQueueItems(queueCount, MAX_QUEUE_ITEMS);
        uint64 waiting = queueLength - from;
        if (queueCount > waiting) revert QueueTooShort(queueCount, waiting);
        uint64 next = from + queueCount;
        // INVARIANT: the sequencer cannot leave an overdue item behind while there is room for it.
        if (queueCount < MAX_QUEUE_ITEMS && isOverdue(next)) revert OverdueItemLeft(next, _deadline(next));
        for (uint64 i = next; i > from; --i) {
            chain = Hashes.chainLink(_queue[i - 1].hash, chain);
        }
        queueNext = next;
        return chain;
    }

    function _store(bytes32 head, uint64 count, uint40 last) private returns (bytes32 acc) {
        Batch storage previous = _batches[batchCount];
        acc = Hashes.accumulator(previous.acc, head, count);
        _batches[++batchCount] = Batch({acc: acc, head: head, cum: previous.cum + count, last: last});
    }

    /// @dev Batch 1 = [INIT]: everything that can be chosen about a rollup, as an input like any other.
    function _sealInit(bytes memory data) private {
        bytes32 head = Hashes.chainLink(Hashes.input(data), 0);
        uint40 second = uint40(block.timestamp);
        bytes32 acc = _store(head, 1, second);
        bytes memory row = abi.encodePacked(uint16(data.length), data);
        emit BatchSealed(1, acc, head, second, second, MODE_SEQUENCER, 0, 0, row);
    }

    /// @dev What INIT says is the law's to judge, and whoever deploys applies it first: a bad one leaves a rollup that
    /// refuses everything. Here is checked what the Vault must agree with, and that it is an input at all.
    function _checkInit(bytes memory body, address vault) private view {
        uint256 most = Rows.MAX_INPUT_BYTES - INIT_ENVELOPE_BYTES;
        if (body.length < BACKSTOP_BYTES) revert BadInitLength(body.length, BACKSTOP_BYTES);
        if (body.length > most) revert BadInitLength(body.length, most);
        // INVARIANT: the Vault brings its deposits here; else they would never be inputs.
        address named = IVault(vault).INBOX();
        if (named != address(this)) revert OtherInbox(named, address(this));
        address backstop = address(bytes20(_firstWord(body)));
        address owner = IVault(vault).ownerOf(0);
        if (backstop != owner) revert BackstopMismatch(backstop, owner);
    }

    function _firstWord(bytes memory data) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(data, 0x20))
        }
    }

    /* READING */

    /// @inheritdoc IInbox
    function getBatch(uint64 batch) external view returns (Batch memory) {
        return _batches[batch];
    }

    /// @inheritdoc IInbox
    function accumulator(uint64 batch) external view returns (bytes32) {
        return _batches[batch].acc;
    }

    /// @inheritdoc IInbox
    function getQueueItem(uint64 index) external view returns (QueuedInput memory) {
        return _queue[index];
    }

    /// @inheritdoc IInbox
    function isOverdue(uint64 index) public view returns (bool) {
        return index < queueLength && _deadline(index) < block.timestamp;
    }

    /// @inheritdoc IInbox
    function countInputs(uint64 from, uint64 to) external view returns (uint64) {
        return _batches[to].cum - _batches[from].cum;
    }

    /// @inheritdoc IInbox
    function rangeEnd(uint64 from, uint256 limit) external view returns (uint64 to, bool full) {
        uint64 sealedCount = batchCount;
        if (from >= sealedCount) return (from + 1, false);
        // Every batch has an input, so at most `limit` batches fit: the search looks no further.
        uint256 most = _batches[from].cum + limit;
        uint64 low = from + 1; // fits: MAX_BATCH <= limit, checked by the Rollup
        // cast only where it is less than a difference of two uint64
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 high = sealedCount - from > limit ? from + uint64(limit) : sealedCount;
        while (low < high) {
            uint64 middle = low + (high - low + 1) / 2;
            if (_batches[middle].cum <= most) low = middle;
            else high = middle - 1;
        }
        return (low, low < sealedCount);
    }

    function _deadline(uint64 index) private view returns (uint256) {
        return uint256(_queue[index].enqueuedAt) + FORCED_DEADLINE;
    }
}
