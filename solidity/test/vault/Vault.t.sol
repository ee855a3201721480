// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "../../src/devnet/TestToken.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {Errors} from "../../src/lib/Errors.sol";
import {Hashes} from "../../src/lib/Hashes.sol";
import {SafeTransfer} from "../../src/lib/SafeTransfer.sol";
import {Vault} from "../../src/vault/Vault.sol";
import {PaymentTest} from "../support/PaymentTest.sol";
import {FeeToken, LyingToken, ReentrantToken, SilentToken} from "../support/Tokens.sol";

/// @notice Accounts, bounds of deposits, unusual tokens, and proven payments.
contract VaultTest is PaymentTest {
    /* DEPOSITS */

    function test_openAccount_ids_areDenseFromOne() public {
        for (uint40 id = 1; id < 4; ++id) {
            vm.prank(alice);
            assertEq(vault.openAccount(id == 2 ? bob : alice, 5), id);
            assertEq(vault.ownerOf(id), id == 2 ? bob : alice);
        }
        assertEq(vault.ownerOf(0), backstop);
        assertEq(vault.ownerOf(4), address(0));
        assertEq(vault.held(), 15);
        assertEq(token.balanceOf(address(vault)), 15);
    }

    function test_openAccount_queuesTheDeposit() public {
        vm.prank(alice);
        vault.openAccount(bob, 77);
        bytes memory data = abi.encodePacked(uint8(3), uint40(1), bob, uint64(77));
        assertEq(inbox.getQueueItem(0).hash, Hashes.input(data));
    }

    function test_openAccount_zeroOwner_reverts() public {
        vm.expectRevert(Errors.ZeroAddress.selector);
        vault.openAccount(address(0), 1);
    }

    function test_openAccount_zeroOrTooMuch_reverts() public {
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.BadAmount.selector, 0, MAX_DEPOSIT));
        vault.openAccount(alice, 0);
        vm.expectRevert(abi.encodeWithSelector(IVault.BadAmount.selector, MAX_DEPOSIT + 1, MAX_DEPOSIT));
        vault.openAccount(alice, MAX_DEPOSIT + 1);
        vault.openAccount(alice, MAX_DEPOSIT);
    }

    function test_openAccount_aboveTheTotal_reverts() public {
        vm.startPrank(alice);
        for (uint256 i = 0; i < MAX_TOTAL / MAX_DEPOSIT; ++i) {
            vault.openAccount(alice, MAX_DEPOSIT);
        }
        vm.expectRevert(
            abi.encodeWithSelector(IVault.TotalAboveCap.selector, uint256(MAX_TOTAL) + 1, MAX_TOTAL)
        );
        vault.openAccount(alice, 1);
    }

    function test_openAccount_idsUsedUp_reverts() public {
        // nextAccount shares its slot with held; the slot is found rather than assumed.
        bytes32 slot = bytes32(uint256(2));
        assertEq(uint256(vm.load(address(vault), slot)), 1);
        vm.store(address(vault), slot, bytes32(uint256((1 << 32) - 1)));
        vm.startPrank(alice);
        assertEq(vault.openAccount(alice, 1), (1 << 32) - 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.NoAccountsLeft.selector, 1 << 32, 1 << 32));
        vault.openAccount(alice, 1);
    }

    function test_topUp_byAnyoneForTheExpectedOwner_queuesADeposit() public {
        vm.prank(alice);
        vault.openAccount(alice, 1);
        vm.prank(bob);
        vault.topUp(1, alice, 9);
        assertEq(
            inbox.getQueueItem(1).hash, Hashes.input(abi.encodePacked(uint8(3), uint40(1), alice, uint64(9)))
        );
        vm.prank(bob);
        vault.topUp(0, backstop, 9);
    }

    function test_topUp_anotherOwnerThanExpected_reverts() public {
        vm.startPrank(alice);
        vault.openAccount(alice, 1);
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongOwner.selector, alice, bob));
        vault.topUp(1, bob, 9);
    }

    function test_topUp_unknownAccount_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IVault.UnknownAccount.selector, 1, 1));
        vault.topUp(1, address(0), 9);
    }

    /* TOKENS */

    function _vaultFor(TestToken coin) private returns (Vault other) {
        IVault.Parameters memory p = vaultParameters(address(inbox), address(rollup));
        p.token = address(coin);
        other = new Vault(p);
        fund(alice, coin, other);
    }

    function test_token_thatTakesAFee_reverts() public {
        Vault other = _vaultFor(new FeeToken());
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongBalanceChange.selector, 99, 100));
        other.openAccount(alice, 100);
    }

    function test_token_thatReturnsFalse_reverts() public {
        LyingToken coin = new LyingToken();
        Vault other = _vaultFor(coin);
        vm.prank(alice);
        vm.expectRevert(
            abi.encodeWithSelector(SafeTransfer.TransferFailed.selector, address(coin), abi.encode(false))
        );
        other.openAccount(alice, 100);
    }

    function test_token_thatReturnsNothing_works() public {
        SilentToken coin = new SilentToken();
        IVault.Parameters memory p = vaultParameters(address(inbox), address(rollup));
        p.token = address(coin);
        Vault other = new Vault(p);
        coin.mint(alice, 100);
        // The Inbox knows only its own Vault: everything up to that call must have worked.
        vm.prank(alice);
        vm.expectPartialRevert(bytes4(keccak256("NotVault(address,address)")));
        other.openAccount(alice, 100);
    }

    function test_token_thatCallsBackIntoADeposit_reverts() public {
        ReentrantToken coin = new ReentrantToken();
        Vault other = _vaultFor(coin);
        coin.arm(other);
        vm.prank(alice);
        vm.expectPartialRevert(SafeTransfer.TransferFailed.selector);
        other.openAccount(alice, 100);
    }

    function test_token_thatRefuses_revertsWithItsReason() public {
        vm.prank(account("poor"));
        bytes memory reason = abi.encodeWithSelector(TestToken.AllowanceTooLow.selector, 0, 100);
        vm.expectRevert(abi.encodeWithSelector(SafeTransfer.TransferFailed.selector, address(token), reason));
        vault.openAccount(alice, 100);
    }

    /* PAYMENTS */

    function testFuzz_pay_recordOfAConfirmedState_paysOnce(uint40 row, uint64 amount, bytes32 seed) public {
        IVault.Withdrawal memory record = recordOf(uint64(bound(amount, 1, 1000)));
        (bytes32 node, bytes32 root, bytes32[] memory siblings) = confirmRecord(row, record, seed);
        vm.prank(account("anyone"));
        vault.pay(node, root, 1, row, record, siblings);
        assertEq(token.balanceOf(record.recipient), record.amount);
        assertEq(vault.held(), 1000 - record.amount);
        assertTrue(vault.isPaid(row));
        vm.expectRevert(abi.encodeWithSelector(IVault.AlreadyPaid.selector, row));
        vault.pay(node, root, 1, row, record, siblings);
    }

    function test_pay_beforeConfirmation_reverts() public {
        IVault.Withdrawal memory record = recordOf(5);
        bytes32[] memory siblings = siblingsOf("x");
        (bytes32 node, bytes32 root) = assertRecord((uint256(9) << 40) | 7, record, siblings);
        vm.expectRevert(abi.encodeWithSelector(IVault.NotConfirmed.selector, node));
        vault.pay(node, root, 1, 7, record, siblings);
    }

    function test_pay_changedRecord_reverts() public {
        IVault.Withdrawal memory record = recordOf(5);
        (bytes32 node, bytes32 root, bytes32[] memory siblings) = confirmRecord(7, record, "x");
        for (uint256 i = 0; i < 5; ++i) {
            IVault.Withdrawal memory changed = recordOf(5);
            if (i == 0) changed.recipient = alice;
            if (i == 1) changed.amount = 6;
            if (i == 2) changed.account = 4;
            if (i == 3) changed.reason = 2;
            vm.expectPartialRevert(IVault.WrongRoot.selector);
            vault.pay(node, root, 1, i == 4 ? 8 : 7, changed, siblings);
        }
    }

    function test_pay_recordOfAnotherTable_reverts() public {
        IVault.Withdrawal memory record = recordOf(5);
        bytes32[] memory siblings = siblingsOf("x");
        (bytes32 node, bytes32 root) = assertRecord((uint256(8) << 40) | 7, record, siblings);
        skip(PERIOD);
        rollup.confirm(node);
        vm.expectPartialRevert(IVault.WrongRoot.selector);
        vault.pay(node, root, 1, 7, record, siblings);
    }

    function test_pay_notExactly48Siblings_reverts() public {
        IVault.Withdrawal memory record = recordOf(5);
        (bytes32 node, bytes32 root,) = confirmRecord(7, record, "x");
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongProofLength.selector, 47, 48));
        vault.pay(node, root, 1, 7, record, new bytes32[](47));
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongProofLength.selector, 49, 48));
        vault.pay(node, root, 1, 7, record, new bytes32[](49));
    }

    function test_pay_rootOrBatchOfAnotherLeaf_reverts() public {
        IVault.Withdrawal memory record = recordOf(5);
        (bytes32 node, bytes32 root, bytes32[] memory siblings) = confirmRecord(7, record, "x");
        bytes32 genesis = rollup.GENESIS();
        bytes32 other = Hashes.node(genesis, Hashes.leaf(root, 2, 0));
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLeaf.selector, other, node));
        vault.pay(node, root, 2, 7, record, siblings);
        other = Hashes.node(genesis, Hashes.leaf(0, 1, 0));
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongLeaf.selector, other, node));
        vault.pay(node, 0, 1, 7, record, siblings);
    }

    function test_pay_emptyRecord_reverts() public {
        IVault.Withdrawal memory record = recordOf(0);
        (bytes32 node, bytes32 root, bytes32[] memory siblings) = confirmRecord(7, record, "x");
        vm.expectRevert(abi.encodeWithSelector(IVault.NothingToPay.selector, 7));
        vault.pay(node, root, 1, 7, record, siblings);
    }

    function test_pay_genesis_holdsNothing() public {
        bytes32 genesis = rollup.GENESIS();
        IVault.Withdrawal memory record = recordOf(5);
        vm.expectPartialRevert(IVault.WrongRoot.selector);
        vault.pay(genesis, 0, 0, 7, record, new bytes32[](48));
    }
}
