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

/// @notice A token that turns: put in the place of a `TestToken`, with its storage, it refuses a recipient, or calls
/// somebody while it pays.
contract TurnedToken {
    uint256 private _totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    address private _refused;
    address private _target;
    bytes private _call;
    bytes public answer; // to the call

    error Refused(address recipient);

    function refuse(address recipient) external {
        _refused = recipient;
    }

    function callBack(address target, bytes calldata call) external {
        (_target, _call) = (target, call);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        if (to == _refused) revert Refused(to);
        if (_target != address(0)) {
            (bool success, bytes memory data) = _target.call(_call);
            answer = success ? bytes("it worked") : data;
        }
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        return true;
    }
}
