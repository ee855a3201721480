// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Hashes} from "../../src/lib/Hashes.sol";
import {Merkle} from "../../src/lib/Merkle.sol";
import {Deployment} from "../support/Deployment.sol";

/// @notice Users who deposit and force inputs, a sequencer that seals as late and as little as it may, anybody who seals
/// what is overdue, and withdrawals from confirmed states. It keeps its own books of all inputs and all money.
contract InputsHandler is Deployment {
    uint256 private constant USERS = 4;
    uint256 private constant WITHDRAWAL_TABLE = 9;

    bytes32[] private _queued; // hashes of queue items, in order
    uint64 private _taken;
    bytes32 private _confirmed; // the last confirmed node
    uint40 private _rows;

    // What the contracts have to say, too.
    bytes32 public acc;
    uint64 public cum = 1;
    uint64 public batches = 1;
    uint40 public last;
    uint256 public deposited;
    uint256 public paid;

    // How far a run has come.
    uint256 public publicBatches;
    uint256 public payments;
    uint256 public overdueLeftBehind;
    uint256 public paidTwice;

    constructor() {
        deploy();
        (acc, last, _confirmed) = (inbox.getBatch(1).acc, uint40(block.timestamp), rollup.GENESIS());
        vm.deal(address(this), BOND);
        rollup.stake{value: BOND}();
        token.approve(address(vault), type(uint256).max);
    }

    function contracts() external view returns (address, address, address) {
        return (address(token), address(vault), address(inbox));
    }

    function queued() external view returns (bytes32[] memory) {
        return _queued;
    }

    function taken() external view returns (uint64) {
        return _taken;
    }

    /* WHAT HAPPENS */

    function wait(uint256 duration) external {
        skip(bound(duration, 1, FORCED_DEADLINE));
    }

    function deposit(uint256 who, uint256 amount, bool isNew) external {
        uint256 room = MAX_TOTAL - vault.held();
        if (room == 0) return;
        uint64 given = uint64(bound(amount, 1, room < MAX_DEPOSIT ? room : MAX_DEPOSIT));
        token.mint(address(this), given);
        uint40 next = vault.nextAccount();
        uint40 id = isNew || next == 1 ? next : uint40(bound(who, 1, next - 1));
        address owner = id == next ? _user(who) : vault.ownerOf(id);
        if (id == next) vault.openAccount(owner, given);
        else vault.topUp(id, owner, given);
        deposited += given;
        _queued.push(Hashes.input(abi.encodePacked(uint8(3), id, owner, given)));
    }

    function force(uint256 who, uint256 length) external {
        bytes memory body = new bytes(bound(length, 0, 60));
        address sender = _user(who);
        vm.prank(sender);
        inbox.force(body);
        _queued.push(Hashes.input(abi.encodePacked(uint8(4), sender, uint40(block.timestamp), body)));
    }

    /// @dev The sequencer seals as few queue items as it likes; what it may not leave is checked by the Inbox.
    function append(uint256 items, uint256 rows) external {
        uint64 m = uint64(bound(items, 0, maxQueueItems()));
        if (m > _queued.length - _taken) m = uint64(_queued.length) - _taken;
        (uint40 first, bytes memory data) = (_earliest(), "");
        bytes32[] memory hashes = new bytes32[](bound(rows, 0, 3));
        for (uint256 i = 0; i < hashes.length; ++i) {
            bytes memory row = abi.encodePacked(uint8(5), batches, i);
            data = abi.encodePacked(data, uint16(row.length), row);
            hashes[i] = Hashes.input(row);
        }
        (bytes32 expected, uint64 count) = _expect(first, uint40(block.timestamp), 0, m, hashes);
        vm.prank(sequencer);
        try inbox.appendBatch(acc, expected, m, first, uint40(block.timestamp), data) {
            bool isLeft = _taken + m < _queued.length && inbox.isOverdue(_taken + m);
            if (isLeft && m < maxQueueItems()) ++overdueLeftBehind;
            _book(expected, count, m, uint40(block.timestamp));
        } catch {
            assertTrue(inbox.isOverdue(_taken + m), "an honest batch was refused");
        }
    }

    /// @dev Whatever the sequencer does: what is overdue can be sealed by anybody.
    function sealOverdue(uint256 items) external {
        if (!inbox.isOverdue(_taken)) return;
        uint64 m = maxQueueItems();
        if (m > _queued.length - _taken) m = uint64(_queued.length) - _taken;
        uint40 second = last > block.timestamp ? last : uint40(block.timestamp);
        (bytes32 expected, uint64 count) = _expect(second, second, 1, m, new bytes32[](0));
        vm.prank(_user(items));
        inbox.sealPublic(m);
        ++publicBatches;
        _book(expected, count, m, second);
    }

    /// @dev A state with one withdrawal in it is asserted, confirmed and paid, and asked to be paid again.
    function withdraw(uint256 amount, bytes32 seed) external {
        if (rollup.getRound(_confirmed).to > batches || vault.held() == 0) return;
        IVault.Withdrawal memory record = IVault.Withdrawal({
            recipient: _user(uint256(seed)),
            amount: uint64(bound(amount, 1, vault.held())),
            account: 1,
            reason: 1
        });
        bytes32[] memory siblings = new bytes32[](48);
        siblings[0] = seed;
        uint40 row = ++_rows;
        bytes32 leaf = Hashes.record(uint160(record.recipient), record.amount, record.account, record.reason);
        bytes32 root = this.rootOf((WITHDRAWAL_TABLE << 40) | row, leaf, siblings);
        uint64 to = rollup.getRound(_confirmed).to;
        skip(MIN_PERIOD);
        _confirmed = rollup.getClaim(rollup.assertState(_confirmed, root, to, inbox.getBatch(to).acc)).node;
        skip(PERIOD);
        rollup.confirm(_confirmed);
        vault.pay(_confirmed, root, to, row, record, siblings);
        paid += record.amount;
        ++payments;
        try vault.pay(_confirmed, root, to, row, record, siblings) {
            ++paidTwice;
        } catch {}
    }

    function rootOf(uint256 index, bytes32 leaf, bytes32[] calldata siblings)
        external
        pure
        returns (bytes32)
    {
        return Merkle.rootFromPath(index, leaf, siblings);
    }

    /* THE BOOKS */

    function _expect(uint40 first, uint40 until, uint8 mode, uint64 m, bytes32[] memory rows)
        private
        view
        returns (bytes32 expected, uint64 count)
    {
        bytes32 chain = 0;
        for (uint256 i = rows.length; i > 0; --i) {
            chain = Hashes.chainLink(rows[i - 1], chain);
        }
        for (uint256 i = m; i > 0; --i) {
            chain = Hashes.chainLink(_queued[_taken + i - 1], chain);
        }
        bytes memory header = abi.encodePacked(uint8(2), batches + 1, first, until, mode);
        count = uint64(1 + m + rows.length);
        expected = Hashes.accumulator(acc, Hashes.chainLink(Hashes.input(header), chain), count);
    }

    function _book(bytes32 expected, uint64 count, uint64 m, uint40 until) private {
        (acc, last) = (expected, until);
        (cum, batches, _taken) = (cum + count, batches + 1, _taken + m);
    }

    function _earliest() private view returns (uint40) {
        uint40 lagging = uint40(block.timestamp) - MAX_DELAY;
        return last > lagging ? last : lagging;
    }

    function _user(uint256 who) private returns (address) {
        return account(string.concat("user ", vm.toString(who % USERS)));
    }
}
