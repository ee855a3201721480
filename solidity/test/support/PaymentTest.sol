// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "../../src/devnet/TestToken.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {Merkle} from "../../src/lib/Merkle.sol";
import {Vault} from "../../src/vault/Vault.sol";
import {Deployment} from "./Deployment.sol";

/// @notice Two depositors, and states that hold a withdrawal.
abstract contract PaymentTest is Deployment {
    uint256 internal constant DEPTH = 48;

    address internal alice;
    address internal bob;

    function setUp() public virtual {
        deploy();
        alice = account("alice");
        bob = account("bob");
        fund(alice, token, vault);
        fund(bob, token, vault);
    }

    function fund(address who, TestToken coin, Vault target) internal {
        coin.mint(who, type(uint128).max);
        vm.prank(who);
        coin.approve(address(target), type(uint256).max);
    }

    function siblingsOf(bytes32 seed) internal pure returns (bytes32[] memory siblings) {
        siblings = new bytes32[](DEPTH);
        for (uint256 i = 0; i < DEPTH; ++i) {
            // Half of the siblings are empty subtrees.
            if (uint256(seed) >> i & 1 == 1) siblings[i] = keccak256(abi.encode(seed, i));
        }
    }

    /// @dev External, because the library wants calldata.
    function rootOf(uint256 key, bytes32 leaf, bytes32[] calldata siblings) external pure returns (bytes32) {
        return Merkle.rootFromPath(key, leaf, siblings);
    }

    function leafOf(IVault.Withdrawal memory record) internal pure returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                uint8(4),
                uint256(uint160(record.recipient)),
                uint256(record.amount),
                uint256(record.account),
                uint256(record.reason),
                new bytes(128)
            )
        );
    }

    /// @dev A node whose state holds `record` at key table | row.
    function assertRecord(uint256 key, IVault.Withdrawal memory record, bytes32[] memory siblings)
        internal
        returns (bytes32 node, bytes32 root)
    {
        root = this.rootOf(key, leafOf(record), siblings);
        vm.deal(alice, BOND);
        skip(MIN_PERIOD);
        bytes32 genesis = rollup.GENESIS();
        bytes32 acc = inbox.getBatch(1).acc;
        vm.startPrank(alice);
        rollup.stake{value: BOND}();
        node = rollup.getClaim(rollup.assertState(genesis, root, 1, acc)).node;
        vm.stopPrank();
    }

    function confirmRecord(uint40 row, IVault.Withdrawal memory record, bytes32 seed)
        internal
        returns (bytes32 node, bytes32 root, bytes32[] memory siblings)
    {
        siblings = siblingsOf(seed);
        (node, root) = assertRecord((uint256(9) << 40) | row, record, siblings);
        skip(PERIOD);
        rollup.confirm(node);
        vm.prank(bob);
        vault.openAccount(bob, 1000);
    }

    function recordOf(uint64 amount) internal returns (IVault.Withdrawal memory) {
        return IVault.Withdrawal({recipient: account("carol"), amount: amount, account: 3, reason: 1});
    }
}
