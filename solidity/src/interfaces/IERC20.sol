// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title The part of ERC-20 that the Vault uses.
interface IERC20 {
    function decimals() external view returns (uint8);
    function balanceOf(address account) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}
