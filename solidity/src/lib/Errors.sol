// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Errors that more than one contract reverts with.
library Errors {
    error ZeroAddress();

    /// @notice A constructor parameter breaks its relation to a limit.
    error BadParameter(uint256 given, uint256 limit);

    /// @notice A list has another number of words than its height asks for.
    error WrongLength(uint256 given, uint256 expected);

    /// @notice A list does not end where it has to.
    error WrongEnd(bytes32 given, bytes32 expected);

    /// @notice What was given does not open the leaf that it should.
    error WrongLeaf(bytes32 given, bytes32 expected);
}
