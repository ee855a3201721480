// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "../interfaces/IERC20.sol";
import {IInbox} from "../interfaces/IInbox.sol";
import {IRollup} from "../interfaces/IRollup.sol";
import {IVault} from "../interfaces/IVault.sol";
import {Errors} from "../lib/Errors.sol";
import {Hashes} from "../lib/Hashes.sol";
import {Merkle} from "../lib/Merkle.sol";
import {SafeTransfer} from "../lib/SafeTransfer.sol";

/// @title Holds the settlement token, hands out account ids, pays proven withdrawals.
contract Vault is IVault {
    using SafeTransfer for IERC20;

    uint8 private constant DECIMALS = 6; // the law counts collateral in 1e-6 USD
    uint256 private constant ACCOUNT_LIMIT = 1 << 32; // those of group 0: a transfer opens the others
    uint256 private constant TOTAL_LIMIT = 1 << 62; // so that no deposit can overflow an account's i64
    uint256 private constant STATE_DEPTH = 48;
    uint256 private constant WITHDRAWAL_TABLE = 9;

    address public immutable TOKEN;
    address public immutable INBOX;
    address public immutable ROLLUP;
    uint64 public immutable MAX_DEPOSIT;
    uint64 public immutable MAX_TOTAL;

    /// @inheritdoc IVault
    mapping(uint40 account => address) public ownerOf;
    /// @inheritdoc IVault
    mapping(uint40 row => bool) public isPaid;
    /// @inheritdoc IVault
    uint40 public nextAccount = 1;
    /// @inheritdoc IVault
    uint64 public held;

    constructor(Parameters memory p) {
        if (p.token == address(0) || p.inbox == address(0) || p.rollup == address(0)) {
            revert Errors.ZeroAddress();
        }
        if (p.backstopOwner == address(0)) revert Errors.ZeroAddress();
        uint8 decimals = IERC20(p.token).decimals();
        if (decimals != DECIMALS) revert WrongDecimals(decimals, DECIMALS);
        if (p.maxDeposit == 0 || p.maxDeposit > p.maxTotal) {
            revert Errors.BadParameter(p.maxDeposit, p.maxTotal);
        }
        if (p.maxTotal >= TOTAL_LIMIT) revert Errors.BadParameter(p.maxTotal, TOTAL_LIMIT);
        TOKEN = p.token;
        INBOX = p.inbox;
        ROLLUP = p.rollup;
        MAX_DEPOSIT = p.maxDeposit;
        MAX_TOTAL = p.maxTotal;
        ownerOf[0] = p.backstopOwner;
        emit AccountOpened(0, p.backstopOwner);
    }

    /// @inheritdoc IVault
    function openAccount(address owner, uint64 amount) external returns (uint40 account) {
        if (owner == address(0)) revert Errors.ZeroAddress();
        account = nextAccount;
        if (account >= ACCOUNT_LIMIT) revert NoAccountsLeft(account, ACCOUNT_LIMIT);
        nextAccount = account + 1;
        ownerOf[account] = owner;
        emit AccountOpened(account, owner);
        _deposit(account, owner, amount);
    }

    /// @inheritdoc IVault
    function topUp(uint40 account, address expectedOwner, uint64 amount) external {
        if (account >= nextAccount) revert UnknownAccount(account, nextAccount);
        address owner = ownerOf[account];
        if (owner != expectedOwner) revert WrongOwner(owner, expectedOwner);
        _deposit(account, owner, amount);
    }

    /// @dev The token is called between the effects and the queue: the balance check has to see both sides of it, and
    /// a token that calls back into a deposit fails that check.
    function _deposit(uint40 account, address owner, uint64 amount) private {
        if (amount == 0 || amount > MAX_DEPOSIT) revert BadAmount(amount, MAX_DEPOSIT);
        uint256 total = uint256(held) + amount;
        // INVARIANT: the law never meets a deposit that it cannot credit.
        if (total > MAX_TOTAL) revert TotalAboveCap(total, MAX_TOTAL);
        // at most MAX_TOTAL, a uint64
        // forge-lint: disable-next-line(unsafe-typecast)
        held = uint64(total);
        uint256 before = IERC20(TOKEN).balanceOf(address(this));
        IERC20(TOKEN).safeTransferFrom(msg.sender, address(this), amount);
        uint256 change = IERC20(TOKEN).balanceOf(address(this)) - before;
        // INVARIANT: what the law credits is what the Vault received.
        if (change != amount) revert WrongBalanceChange(change, amount);
        uint64 index = IInbox(INBOX).enqueueDeposit(account, owner, amount);
        emit Deposited(account, msg.sender, amount, index);
    }

    /// @inheritdoc IVault
    function pay(
        bytes32 node,
        bytes32 root,
        uint64 batch,
        uint40 row,
        Withdrawal calldata record,
        bytes32[] calldata siblings
    ) external {
        // INVARIANT: only a state that has survived its challenge period pays.
        if (!IRollup(ROLLUP).isConfirmed(node)) revert NotConfirmed(node);
        bytes32 opened = Hashes.node(IRollup(ROLLUP).getNode(node).parent, Hashes.leaf(root, batch, 0));
        if (opened != node) revert Errors.WrongLeaf(opened, node);
        _checkRecord(root, row, record, siblings);
        // INVARIANT: the counter in the law never reuses a row, so a row is paid at most once.
        if (isPaid[row]) revert AlreadyPaid(row);
        isPaid[row] = true;
        held -= record.amount;
        emit Paid(row, record.recipient, record.account, record.amount);
        IERC20(TOKEN).safeTransfer(record.recipient, record.amount);
    }

    /// @dev The table is a constant and the row 40 bits wide: no other record can pass for a withdrawal.
    function _checkRecord(bytes32 root, uint40 row, Withdrawal calldata record, bytes32[] calldata siblings)
        private
        pure
    {
        if (siblings.length != STATE_DEPTH) revert WrongProofLength(siblings.length, STATE_DEPTH);
        if (record.amount == 0) revert NothingToPay(row);
        bytes32 leaf = Hashes.record(uint160(record.recipient), record.amount, record.account, record.reason);
        bytes32 computed = Merkle.rootFromPath((WITHDRAWAL_TABLE << 40) | row, leaf, siblings);
        if (computed != root) revert WrongRoot(computed, root);
    }
}
