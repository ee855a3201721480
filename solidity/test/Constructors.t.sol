// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Dispute} from "../src/dispute/Dispute.sol";
import {Inbox} from "../src/inbox/Inbox.sol";
import {IDispute} from "../src/interfaces/IDispute.sol";
import {IInbox} from "../src/interfaces/IInbox.sol";
import {IRollup} from "../src/interfaces/IRollup.sol";
import {IVault} from "../src/interfaces/IVault.sol";
import {Errors} from "../src/lib/Errors.sol";
import {Rollup} from "../src/rollup/Rollup.sol";
import {Vault} from "../src/vault/Vault.sol";
import {Deployment} from "./support/Deployment.sol";

/// @notice A token of 18 decimals.
contract FineToken {
    uint8 public constant decimals = 18;
}

/// @notice What each constructor refuses: parameters are immutable, so a bad one must never get through.
contract ConstructorsTest is Deployment {
    function setUp() public {
        deploy();
    }

    function _expectBadParameter(uint256 given, uint256 limit) private {
        vm.expectRevert(abi.encodeWithSelector(Errors.BadParameter.selector, given, limit));
    }

    /* VAULT */

    function _newVault(IVault.Parameters memory p) private {
        new Vault(p);
    }

    function test_vault_zeroAddress_reverts() public {
        for (uint256 i = 0; i < 4; ++i) {
            IVault.Parameters memory p = vaultParameters(address(inbox), address(rollup));
            if (i == 0) p.token = address(0);
            if (i == 1) p.inbox = address(0);
            if (i == 2) p.rollup = address(0);
            if (i == 3) p.backstopOwner = address(0);
            vm.expectRevert(Errors.ZeroAddress.selector);
            _newVault(p);
        }
    }

    function test_vault_tokenOf18Decimals_reverts() public {
        IVault.Parameters memory p = vaultParameters(address(inbox), address(rollup));
        p.token = address(new FineToken());
        vm.expectRevert(abi.encodeWithSelector(IVault.WrongDecimals.selector, 18, 6));
        _newVault(p);
    }

    function test_vault_capsOutOfOrder_reverts() public {
        IVault.Parameters memory p = vaultParameters(address(inbox), address(rollup));
        p.maxDeposit = p.maxTotal + 1;
        _expectBadParameter(p.maxDeposit, p.maxTotal);
        _newVault(p);
        p.maxDeposit = 0;
        _expectBadParameter(0, p.maxTotal);
        _newVault(p);
        p.maxDeposit = 1;
        p.maxTotal = 1 << 62;
        _expectBadParameter(1 << 62, 1 << 62);
        _newVault(p);
        p.maxTotal -= 1;
        _newVault(p);
    }

    /* INBOX */

    function _newInbox(IInbox.Parameters memory p) private {
        new Inbox(p);
    }

    function test_inbox_zeroAddress_reverts() public {
        IInbox.Parameters memory p = inboxParameters();
        p.vault = address(0);
        vm.expectRevert(Errors.ZeroAddress.selector);
        _newInbox(p);
        p = inboxParameters();
        p.sequencer = address(0);
        vm.expectRevert(Errors.ZeroAddress.selector);
        _newInbox(p);
    }

    function test_inbox_parametersOutOfOrder_reverts() public {
        IInbox.Parameters memory p = inboxParameters();
        p.maxQueueItems = 0;
        _expectBadParameter(0, 1);
        _newInbox(p);
        p = inboxParameters();
        (p.maxBatch, p.maxQueueItems) = (32_768, 4097); // more than a transaction can be relied on to carry
        _expectBadParameter(4097, 4096);
        _newInbox(p);
        p = inboxParameters();
        p.maxBatch = p.maxQueueItems; // one short: the header needs room
        _expectBadParameter(p.maxBatch, p.maxQueueItems);
        _newInbox(p);
        p = inboxParameters();
        p.drift = 61;
        _expectBadParameter(61, 60);
        _newInbox(p);
        p = inboxParameters();
        p.maxDelay = p.drift - 1;
        _expectBadParameter(p.maxDelay, p.drift);
        _newInbox(p);
        p = inboxParameters();
        p.forcedDeadline = 0;
        _expectBadParameter(0, 1);
        _newInbox(p);
    }

    function test_inbox_initThatCannotBeAnInput_reverts() public {
        IInbox.Parameters memory p = inboxParameters();
        for (uint256 length = 0; length < 20; length += 19) {
            p.initBody = new bytes(length);
            vm.expectRevert(abi.encodeWithSelector(IInbox.BadInitLength.selector, length, 20));
            _newInbox(p);
        }
        p.initBody = abi.encodePacked(backstop, new bytes(971));
        vm.expectRevert(abi.encodeWithSelector(IInbox.BadInitLength.selector, 991, 990));
        _newInbox(p);
    }

    function test_inbox_longestInit_isAnInput() public {
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        IInbox.Parameters memory p = inboxParameters();
        p.vault = address(new Vault(vaultParameters(predicted, address(rollup))));
        p.initBody = abi.encodePacked(backstop, new bytes(970));
        assertEq(address(new Inbox(p)), predicted);
    }

    function test_inbox_vaultOfAnotherInbox_reverts() public {
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        vm.expectRevert(abi.encodeWithSelector(IInbox.OtherInbox.selector, address(inbox), predicted));
        _newInbox(inboxParameters());
    }

    function test_inbox_initOfAnotherBackstop_reverts() public {
        IInbox.Parameters memory p = inboxParameters();
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        p.vault = address(new Vault(vaultParameters(predicted, address(rollup))));
        p.initBody = abi.encodePacked(address(0xbad), uint8(1), uint8(1), uint8(1), uint128(0), new bytes(57));
        vm.expectRevert(abi.encodeWithSelector(IInbox.BackstopMismatch.selector, address(0xbad), backstop));
        _newInbox(p);
    }

    /* ROLLUP */

    function _newRollup(IRollup.Parameters memory p) private {
        new Rollup(p);
    }

    function test_rollup_zeroAddress_reverts() public {
        IRollup.Parameters memory p = rollupParameters(address(0));
        vm.expectRevert(Errors.ZeroAddress.selector);
        _newRollup(p);
        p = rollupParameters(address(dispute));
        p.inbox = address(0);
        vm.expectRevert(Errors.ZeroAddress.selector);
        _newRollup(p);
    }

    function test_rollup_badShape_reverts() public {
        IRollup.Parameters memory p = rollupParameters(address(dispute));
        p.k = 1;
        _expectBadParameter(1, 2);
        _newRollup(p);
        p = rollupParameters(address(dispute));
        p.h1 = 0;
        _expectBadParameter(0, 1);
        _newRollup(p);
        p = rollupParameters(address(dispute));
        p.h2 = 0;
        _expectBadParameter(0, 1);
        _newRollup(p);
        p = rollupParameters(address(dispute));
        p.h1 = 41;
        _expectBadParameter(1 << 41, 1 << 40);
        _newRollup(p);
        p = rollupParameters(address(dispute));
        p.h2 = 41;
        _expectBadParameter(1 << 41, 1 << 40);
        _newRollup(p);
    }

    function test_rollup_batchLargerThanARange_reverts() public {
        IRollup.Parameters memory p = rollupParameters(address(dispute));
        p.h1 = 2; // four inputs, but a batch may have eight
        _expectBadParameter(maxBatch(), 4);
        _newRollup(p);
    }

    function test_rollup_timesOutOfOrder_reverts() public {
        IRollup.Parameters memory p = rollupParameters(address(dispute));
        uint256 least = 12 * ((uint256(inputHeight()) + stepHeight() + 2) / 2 + 2);
        p.challengePeriod = uint40(least - 1);
        _expectBadParameter(least - 1, least);
        _newRollup(p);
        p = rollupParameters(address(dispute));
        p.minPeriod = p.challengePeriod;
        _expectBadParameter(p.minPeriod, p.challengePeriod);
        _newRollup(p);
        p = rollupParameters(address(dispute));
        p.grace = p.challengePeriod + 1;
        _expectBadParameter(p.grace, p.challengePeriod);
        _newRollup(p);
    }

    function test_rollup_bondWhoseSharesAreNotWhole_reverts() public {
        IRollup.Parameters memory p = rollupParameters(address(dispute));
        uint96[5] memory bonds = [uint96(0), 1, 2, 5, 1 ether + 5];
        for (uint256 i = 0; i < bonds.length; ++i) {
            p.bond = bonds[i];
            _expectBadParameter(p.bond, 10);
            _newRollup(p);
        }
        p.bond = 10;
        _newRollup(p);
    }

    function test_rollup_genesis_isConfirmedAndOpen() public view {
        bytes32 genesis = rollup.GENESIS();
        assertTrue(rollup.isConfirmed(genesis));
        assertTrue(rollup.isOpen(genesis));
        assertFalse(rollup.isConfirmed(0));
        assertFalse(rollup.isOpen(0));
        assertEq(rollup.getRound(genesis).to, 1);
    }

    /* DISPUTE */

    function test_dispute_badParameters_reverts() public {
        vm.expectRevert(Errors.ZeroAddress.selector);
        new Dispute(address(0), address(machine), GAS_PRICE_CAP);
        vm.expectRevert(Errors.ZeroAddress.selector);
        new Dispute(address(rollup), address(0), GAS_PRICE_CAP);
        _expectBadParameter(0, 1);
        new Dispute(address(rollup), address(machine), 0);
    }

    function test_dispute_rollupOfAnotherDispute_reverts() public {
        address predicted = vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
        vm.expectRevert(abi.encodeWithSelector(IDispute.OtherDispute.selector, address(dispute), predicted));
        new Dispute(address(rollup), address(machine), GAS_PRICE_CAP);
    }

    function test_dispute_shape_isTheRollups() public view {
        assertEq(dispute.INBOX(), address(inbox));
        assertEq(dispute.K(), arity());
        assertEq(dispute.H1(), inputHeight());
        assertEq(dispute.H2(), stepHeight());
    }
}
