// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "../../src/devnet/TestToken.sol";
import {Vault} from "../../src/vault/Vault.sol";

/// @notice Burns 1 % of what is transferred.
contract FeeToken is TestToken {
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        super.transferFrom(from, to, amount);
        balanceOf[to] -= amount / 100;
        return true;
    }
}

/// @notice Says no without reverting.
contract LyingToken is TestToken {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @notice Deposits once more while a deposit is under way.
contract ReentrantToken is TestToken {
    Vault private _target;

    function arm(Vault target) external {
        _target = target;
        allowance[address(this)][address(target)] = type(uint256).max;
        balanceOf[address(this)] = 1000;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (from != address(this)) _target.openAccount(address(this), 50);
        return super.transferFrom(from, to, amount);
    }
}

/// @notice Returns nothing, as some of the oldest tokens do.
contract SilentToken {
    uint8 public constant decimals = 6;
    mapping(address account => uint256) public balanceOf;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}
