// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The canonical ordered inputs: batches, deposits, forced inputs.
/// @notice Content and order are never rolled back; only claims about their result are. docs/PROTOCOL.md sections 3, 4.
interface IInbox {
    /// @notice What is kept of a sealed batch. Batch 0 stands for "before everything" and is all zero.
    /// @param acc accumulator over all batches up to this one
    /// @param head chain over all inputs of this batch
    /// @param cum inputs up to and with this batch
    /// @param last the latest second that an input of this batch may act at
    struct Batch {
        bytes32 acc;
        bytes32 head;
        uint64 cum;
        uint40 last;
    }

    /// @notice What is kept of a queued input.
    /// @param hash input hash K(INPUT | bytes)
    /// @param enqueuedAt block time at which it was queued; it is overdue FORCED_DEADLINE later
    struct QueuedInput {
        bytes32 hash;
        uint40 enqueuedAt;
    }

    /// @notice Constructor arguments.
    /// @param vault the only contract that may queue deposits; must exist already
    /// @param sequencer the only account that may append batches with sequenced inputs
    /// @param maxBatch inputs in one batch at most
    /// @param maxQueueItems queue items in one batch at most; 4,096 of them fit a transaction for sure
    /// @param forcedDeadline seconds a queue item may wait before anyone may seal a batch
    /// @param maxDelay seconds a batch may lag behind L1
    /// @param drift seconds a batch may run ahead of L1
    /// @param initBody body of the INIT input, docs/PROTOCOL.md section 3
    struct Parameters {
        address vault;
        address sequencer;
        uint64 maxBatch;
        uint64 maxQueueItems;
        uint40 forcedDeadline;
        uint40 maxDelay;
        uint40 drift;
        bytes initBody;
    }

    /// @notice A queue item was added. `input` is the whole input: envelope and body.
    event QueueItem(uint64 indexed index, uint40 enqueuedAt, bytes input);

    /// @notice A batch was sealed.
    /// @dev Its inputs are [HEADER(batch, first, last, mode)], then `queueCount` queue items from `queueFrom`, then
    /// `rows`: each input as length:2 | bytes. Batch 1 is the exception: its only input is the INIT in `rows`.
    event BatchSealed(
        uint64 indexed batch,
        bytes32 acc,
        bytes32 head,
        uint40 first,
        uint40 last,
        uint8 mode,
        uint64 queueFrom,
        uint64 queueCount,
        bytes rows
    );

    /// @notice The INIT body is too short to name the backstop's owner, or too long for an input.
    error BadInitLength(uint256 given, uint256 bound);
    /// @notice The INIT body names another backstop owner than the Vault has for account 0.
    error BackstopMismatch(address given, address expected);
    /// @notice The Vault was created for another Inbox.
    error OtherInbox(address named, address self);
    error NotVault(address caller, address vault);
    error NotSequencer(address caller, address sequencer);
    /// @notice The batch was built on another history.
    error WrongPrevious(bytes32 given, bytes32 expected);
    /// @notice The sealed batch is another one than the sequencer has built.
    error WrongAccumulator(bytes32 computed, bytes32 expected);
    /// @notice The batch begins before the previous one ended.
    error FirstBeforePrevious(uint40 first, uint40 previousLast);
    error LastBeforeFirst(uint40 last, uint40 first);
    /// @notice The batch runs further ahead of L1 than DRIFT.
    error TooFarAhead(uint40 last, uint256 limit);
    /// @notice The batch lags further behind L1 than MAX_DELAY.
    error TooFarBehind(uint40 first, uint256 limit);
    error TooManyInputs(uint256 given, uint256 limit);
    error TooManyQueueItems(uint64 given, uint64 limit);
    /// @notice The queue holds fewer items than the batch takes.
    error QueueTooShort(uint64 asked, uint64 waiting);
    /// @notice The item after the last one taken is overdue and there was room for it.
    error OverdueItemLeft(uint64 index, uint256 deadline);
    /// @notice No queue item is overdue: the sequencer still has its turn.
    error NothingOverdue(uint256 time, uint256 deadline);
    error EmptyPublicBatch();
    /// @notice An input is empty or longer than MAX_INPUT_BYTES, or a row ends before its input does.
    error BadInputLength(uint256 given, uint256 bound);
    /// @notice A sequenced input claims another origin than SEQUENCED.
    error WrongOrigin(uint8 given, uint8 expected);

    function VAULT() external view returns (address);
    function SEQUENCER() external view returns (address);
    function MAX_BATCH() external view returns (uint64);
    function MAX_QUEUE_ITEMS() external view returns (uint64);
    function FORCED_DEADLINE() external view returns (uint40);
    function MAX_DELAY() external view returns (uint40);
    function DRIFT() external view returns (uint40);

    /// @notice Queue a deposit. Only the Vault, which has checked it and holds the money.
    /// @return index of the queue item
    function enqueueDeposit(uint40 account, address owner, uint64 amount) external returns (uint64 index);

    /// @notice Queue an input of one's own: the Inbox writes sender and time in front. Anyone; any bytes.
    /// @param body kind:1 | …, at most MAX_INPUT_BYTES - 26 bytes
    /// @return index of the queue item
    function force(bytes calldata body) external returns (uint64 index);

    /// @notice Seal a batch: its header, the next `queueCount` queue items, then the sequenced inputs. Sequencer only.
    /// @param prevAcc accumulator of the batch before; another one reverts
    /// @param expectedAcc accumulator after this batch; a batch that came out differently reverts
    /// @param queueCount m; at most MAX_QUEUE_ITEMS, and exactly that if an overdue item is left
    /// @param first the header's first second: not before the previous batch's last, not older than MAX_DELAY
    /// @param last the header's last second: at most DRIFT ahead of the block
    /// @param rows sequenced inputs, each length:2 | bytes with byte 0 = 5
    function appendBatch(
        bytes32 prevAcc,
        bytes32 expectedAcc,
        uint64 queueCount,
        uint40 first,
        uint40 last,
        bytes calldata rows
    ) external;

    /// @notice Seal a batch of queue items alone. Anyone, while the oldest queue item is overdue.
    /// @param queueCount m; 1 to MAX_QUEUE_ITEMS, and exactly that if an overdue item is left
    function sealPublic(uint64 queueCount) external;

    /// @notice Number of the last sealed batch.
    function batchCount() external view returns (uint64);

    /// @notice A sealed batch; all zero when it is still to come.
    function getBatch(uint64 batch) external view returns (Batch memory);

    /// @notice `getBatch(batch).acc` alone; 0 when the batch is still to come.
    function accumulator(uint64 batch) external view returns (bytes32);

    /// @notice Items ever queued.
    function queueLength() external view returns (uint64);

    /// @notice Index of the oldest item that no batch has taken.
    function queueNext() external view returns (uint64);

    /// @notice A queue item; all zero when it does not exist.
    function getQueueItem(uint64 index) external view returns (QueuedInput memory);

    /// @notice Whether the item exists and has waited longer than FORCED_DEADLINE.
    function isOverdue(uint64 index) external view returns (bool);

    /// @notice Inputs in the batches from + 1 to `to`.
    function countInputs(uint64 from, uint64 to) external view returns (uint64);

    /// @notice The range of batches after `from`: to = max(from + 1, the largest sealed b with at most `limit` inputs).
    /// @return to last batch of the range; it may be still to come
    /// @return full whether more sealed batches exist than fit the range
    function rangeEnd(uint64 from, uint256 limit) external view returns (uint64 to, bool full);
}
