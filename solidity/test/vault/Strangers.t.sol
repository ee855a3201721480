// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVault} from "../../src/interfaces/IVault.sol";
import {Hashes} from "../../src/lib/Hashes.sol";
import {SafeTransfer} from "../../src/lib/SafeTransfer.sol";
import {PaymentTest} from "../support/PaymentTest.sol";
import {TurnedToken} from "../support/Tokens.sol";

/// @notice Callers, calldata, tokens and money that nobody asked for.
contract StrangersTest is PaymentTest {
    uint40 internal constant ROW = 7;

    bytes32 internal node;
    bytes32 internal root;
    bytes32[] internal siblings;

    function _confirm() private returns (bytes memory call) {
        (node, root, siblings) = confirmRecord(ROW, recordOf(5), "x");
        call = abi.encodeCall(vault.pay, (node, root, 1, ROW, recordOf(5), siblings));
    }

    function _call(bytes memory data) private returns (bool success, bytes memory answer) {
        return address(vault).call(data);
    }

    function _turnToken() private returns (TurnedToken turned) {
        vm.etch(address(token), address(new TurnedToken()).code);
        return TurnedToken(address(token));
    }

    /* CALLDATA */

    function test_pay_dirtyUpperBytes_reverts() public {
        bytes memory call = _confirm();
        // batch, row, recipient, amount, account, reason: all narrower than their words
        for (uint256 word = 2; word < 8; ++word) {
            bytes memory dirty = bytes.concat(call);
            dirty[4 + 32 * word] = 0x80;
            (bool success, bytes memory answer) = _call(dirty);
            assertFalse(success);
            assertEq(answer.length, 0, "refused by the decoder");
        }
        assertEq(token.balanceOf(account("carol")), 0);
    }

    function test_pay_sameRecordInOtherCalldata_paysOnce() public {
        bytes memory call = _confirm();
        (bool success,) = _call(bytes.concat(call, hex"00112233"));
        assertTrue(success, "bytes at the end mean nothing");
        // The array of siblings a word further than where the compiler puts it.
        bytes memory moved = bytes.concat(call);
        uint256 place = 4 + 32 * 8 + 31;
        moved[place] = bytes1(uint8(moved[place]) + 32);
        bytes memory head = new bytes(4 + 32 * 9);
        bytes memory tail = new bytes(moved.length - head.length);
        for (uint256 i = 0; i < moved.length; ++i) {
            if (i < head.length) head[i] = moved[i];
            else tail[i - head.length] = moved[i];
        }
        bytes memory twice = abi.encodeWithSelector(IVault.AlreadyPaid.selector, ROW);
        bytes memory answer;
        (success, answer) = _call(bytes.concat(head, bytes32(uint256(1)), tail));
        assertFalse(success);
        assertEq(answer, twice);
        (success, answer) = _call(call);
        assertEq(answer, twice);
        assertEq(token.balanceOf(account("carol")), 5);
    }

    /* TOKENS */

    function test_pay_tokenThatCallsBack_paysOnce() public {
        bytes memory call = _confirm();
        TurnedToken turned = _turnToken();
        turned.callBack(address(vault), call);
        (bool success,) = _call(call);
        assertTrue(success);
        assertEq(turned.answer(), abi.encodeWithSelector(IVault.AlreadyPaid.selector, ROW));
        assertEq(turned.balanceOf(account("carol")), 5);
        assertEq(vault.held(), 995);
    }

    function test_pay_refusedRecipient_holdsUpOnlyItsOwn() public {
        IVault.Withdrawal[2] memory records = [recordOf(5), recordOf(6)];
        records[1].recipient = account("dave");
        bytes32[][2] memory paths = [new bytes32[](DEPTH), new bytes32[](DEPTH)];
        (paths[0][0], paths[1][0]) = (leafOf(records[1]), leafOf(records[0]));
        (node, root) = assertRecord(uint256(9) << 40, records[0], paths[0]);
        skip(PERIOD);
        rollup.confirm(node);
        vm.prank(bob);
        vault.openAccount(bob, 1000);
        TurnedToken turned = _turnToken();
        turned.refuse(account("carol"));
        vm.expectPartialRevert(SafeTransfer.TransferFailed.selector);
        vault.pay(node, root, 1, 0, records[0], paths[0]);
        vault.pay(node, root, 1, 1, records[1], paths[1]);
        assertEq(turned.balanceOf(account("dave")), 6);
        assertFalse(vault.isPaid(0));
        turned.refuse(address(0));
        vault.pay(node, root, 1, 0, records[0], paths[0]);
        assertEq(turned.balanceOf(account("carol")), 5);
    }

    /* MONEY THAT NOBODY ASKED FOR */

    function test_moneyOutsideTheBooks_changesNothing() public {
        bytes memory call = _confirm();
        token.mint(address(vault), 1_000_000);
        vm.deal(address(vault), 3 ether);
        vm.deal(address(rollup), address(rollup).balance + 3 ether);
        assertEq(vault.held(), 1000);
        (bool success,) = _call(call);
        assertTrue(success);
        assertEq(vault.held(), 995);
        uint256 before = alice.balance;
        vm.prank(alice);
        rollup.withdraw();
        assertEq(alice.balance - before, BOND);
        // Nor does either take ether by itself.
        (success,) = address(vault).call{value: 0}("");
        assertFalse(success);
        (success,) = address(rollup).call{value: 0}("");
        assertFalse(success);
    }

    /* CALLERS */

    function test_accountOfAContract_isThatOfItsOwnAddress() public {
        token.mint(address(this), 100);
        token.approve(address(vault), 100);
        uint40 id = vault.openAccount(address(this), 100);
        assertEq(vault.ownerOf(id), address(this));
        bytes memory body = hex"03aabbcc";
        uint64 index = inbox.force(body);
        bytes memory written = abi.encodePacked(uint8(4), address(this), uint40(block.timestamp), body);
        assertEq(inbox.getQueueItem(index).hash, Hashes.input(written));
    }

    function test_ownerThatHasCode_isPaidLikeAnybody() public {
        IVault.Withdrawal memory record = recordOf(5);
        record.recipient = alice;
        (node, root, siblings) = confirmRecord(ROW, record, "x");
        vm.etch(alice, bytes.concat(hex"ef0100", bytes20(address(rollup)))); // EIP-7702
        uint256 before = token.balanceOf(alice);
        vault.pay(node, root, 1, ROW, record, siblings);
        assertEq(token.balanceOf(alice) - before, 5);
        vm.prank(alice);
        assertEq(vault.openAccount(alice, 9), 2);
    }
}
