// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Holds the settlement token, hands out account ids, pays proven withdrawals.
/// @notice Enforces every bound of a deposit, so that the law never has to reject one. docs/PROTOCOL.md sections 3, 6.
interface IVault {
    /// @notice Constructor arguments.
    /// @param token settlement token; must have 6 decimals
    /// @param inbox where deposits are queued
    /// @param rollup whose confirmed nodes withdrawals are proven against
    /// @param backstopOwner owner of account 0
    /// @param maxDeposit largest single deposit, 1e-6 USD
    /// @param maxTotal largest amount held at any time, 1e-6 USD; below 2^62
    struct Parameters {
        address token;
        address inbox;
        address rollup;
        address backstopOwner;
        uint64 maxDeposit;
        uint64 maxTotal;
    }

    /// @notice A withdrawal record of the state: table 9, docs/PROTOCOL.md section 2. Amount in 1e-6 USD.
    struct Withdrawal {
        address recipient;
        uint64 amount;
        uint40 account;
        uint8 reason;
    }

    event AccountOpened(uint40 indexed account, address indexed owner);
    event Deposited(uint40 indexed account, address indexed payer, uint64 amount, uint64 queueIndex);
    event Paid(uint40 indexed row, address indexed recipient, uint40 indexed account, uint64 amount);

    /// @notice The settlement token's unit is not 1e-6 USD.
    error WrongDecimals(uint8 given, uint8 expected);
    error NoAccountsLeft(uint256 next, uint256 limit);
    error UnknownAccount(uint40 account, uint40 next);
    /// @notice The account belongs to somebody else than the payer believes.
    error WrongOwner(address owner, address expected);
    /// @notice The deposit is zero or above the cap.
    error BadAmount(uint64 given, uint64 limit);
    error TotalAboveCap(uint256 total, uint256 limit);
    /// @notice The Vault's balance changed by another amount: the token takes fees, rebases, or calls back.
    error WrongBalanceChange(uint256 change, uint256 amount);
    error NotConfirmed(bytes32 node);
    error WrongProofLength(uint256 given, uint256 expected);
    /// @notice The record is not at this row of the confirmed state.
    error WrongRoot(bytes32 given, bytes32 expected);
    error NothingToPay(uint40 row);
    error AlreadyPaid(uint40 row);

    function TOKEN() external view returns (address);
    function INBOX() external view returns (address);
    function ROLLUP() external view returns (address);
    function MAX_DEPOSIT() external view returns (uint64);
    function MAX_TOTAL() external view returns (uint64);

    /// @notice Open an account with a first deposit from the caller. Anyone; the account belongs to `owner`.
    /// @return account the next free id, from 1 upwards
    function openAccount(address owner, uint64 amount) external returns (uint40 account);

    /// @notice Deposit from the caller into an existing account. Anyone.
    /// @param expectedOwner whose account the caller believes it to be; another owner reverts
    function topUp(uint40 account, address expectedOwner, uint64 amount) external;

    /// @notice Pay a withdrawal record of a confirmed state to its recipient, once. Anyone.
    /// @param node a confirmed assertion
    /// @param root state root and
    /// @param batch number that open the node's end L(root, batch, 0)
    /// @param row the record's row in table 9
    /// @param record what stands there
    /// @param siblings exactly 48, from the leaf upwards
    function pay(
        bytes32 node,
        bytes32 root,
        uint64 batch,
        uint40 row,
        Withdrawal calldata record,
        bytes32[] calldata siblings
    ) external;

    /// @notice Owner of an account; zero when it was never opened.
    function ownerOf(uint40 account) external view returns (address);

    /// @notice The id that the next account will get.
    function nextAccount() external view returns (uint40);

    /// @notice Deposits minus payments: what the Vault owes. Its token balance is at least this.
    function held() external view returns (uint64);

    /// @notice Whether the withdrawal at this row has been paid.
    function isPaid(uint40 row) external view returns (bool);
}
