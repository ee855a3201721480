// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "../interfaces/IERC20.sol";

/// @title Transfers of tokens that return nothing as well as of those that return a bool.
library SafeTransfer {
    /// @notice The token refused: it reverted, returned false, or has no code.
    error TransferFailed(address token, bytes answer);

    function safeTransfer(IERC20 token, address to, uint256 amount) internal {
        _call(token, abi.encodeCall(IERC20.transfer, (to, amount)));
    }

    function safeTransferFrom(IERC20 token, address from, address to, uint256 amount) internal {
        _call(token, abi.encodeCall(IERC20.transferFrom, (from, to, amount)));
    }

    function _call(IERC20 token, bytes memory data) private {
        (bool success, bytes memory answer) = address(token).call(data);
        bool agreed = answer.length == 0
            ? address(token).code.length != 0
            : answer.length == 32 && abi.decode(answer, (uint256)) == 1;
        if (!success || !agreed) revert TransferFailed(address(token), answer);
    }
}
