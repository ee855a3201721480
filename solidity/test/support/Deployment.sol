// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {TestToken} from "../../src/devnet/TestToken.sol";
import {Dispute} from "../../src/dispute/Dispute.sol";
import {Inbox} from "../../src/inbox/Inbox.sol";
import {IInbox} from "../../src/interfaces/IInbox.sol";
import {IRollup} from "../../src/interfaces/IRollup.sol";
import {IVault} from "../../src/interfaces/IVault.sol";
import {Rollup} from "../../src/rollup/Rollup.sol";
import {Vault} from "../../src/vault/Vault.sol";
import {Test} from "./Test.sol";
import {ToyStep} from "./ToyStep.sol";

/// @notice The whole set of contracts around a toy machine, wired by predicted addresses as a deployer does it.
abstract contract Deployment is Test {
    uint256 internal constant START = 1_000_000; // s: block time of the deployment
    uint64 internal constant MAX_DEPOSIT = 10 ** 13;
    uint64 internal constant MAX_TOTAL = 3 * 10 ** 13;
    uint40 internal constant FORCED_DEADLINE = 120;
    uint40 internal constant MAX_DELAY = 3600;
    uint40 internal constant DRIFT = 60;
    uint40 internal constant PERIOD = 600;
    uint40 internal constant GRACE = 10;
    uint40 internal constant MIN_PERIOD = 5;
    uint96 internal constant BOND = 1 ether;
    uint96 internal constant GAS_PRICE_CAP = 100 gwei;

    TestToken internal token;
    ToyStep internal machine;
    Vault internal vault;
    Inbox internal inbox;
    Rollup internal rollup;
    Dispute internal dispute;

    address internal sequencer;
    address internal backstop;

    function deploy() internal {
        vm.warp(START);
        sequencer = account("sequencer");
        backstop = account("backstop");
        token = new TestToken();
        machine = new ToyStep(toySteps());
        uint64 nonce = vm.getNonce(address(this));
        address predictedInbox = vm.computeCreateAddress(address(this), nonce + 1);
        address predictedRollup = vm.computeCreateAddress(address(this), nonce + 2);
        address predictedDispute = vm.computeCreateAddress(address(this), nonce + 3);
        vault = new Vault(vaultParameters(predictedInbox, predictedRollup));
        inbox = new Inbox(inboxParameters());
        rollup = new Rollup(rollupParameters(predictedDispute));
        dispute = new Dispute(address(rollup), address(machine), GAS_PRICE_CAP);
        assertEq(address(inbox), predictedInbox);
        assertEq(address(rollup), predictedRollup);
        assertEq(address(dispute), predictedDispute);
    }

    /* PARAMETERS */

    function arity() internal pure virtual returns (uint8) {
        return 2;
    }

    function inputHeight() internal pure virtual returns (uint8) {
        return 4;
    }

    function stepHeight() internal pure virtual returns (uint8) {
        return 3;
    }

    function toySteps() internal pure virtual returns (uint256) {
        return 5;
    }

    function maxBatch() internal pure virtual returns (uint64) {
        return 8;
    }

    function maxQueueItems() internal pure virtual returns (uint64) {
        return 3;
    }

    function vaultParameters(address inbox_, address rollup_)
        internal
        view
        returns (IVault.Parameters memory)
    {
        return IVault.Parameters({
            token: address(token),
            inbox: inbox_,
            rollup: rollup_,
            backstopOwner: backstop,
            maxDeposit: MAX_DEPOSIT,
            maxTotal: MAX_TOTAL
        });
    }

    function inboxParameters() internal view returns (IInbox.Parameters memory) {
        return IInbox.Parameters({
            vault: address(vault),
            sequencer: sequencer,
            maxBatch: maxBatch(),
            maxQueueItems: maxQueueItems(),
            forcedDeadline: FORCED_DEADLINE,
            maxDelay: MAX_DELAY,
            drift: DRIFT,
            initBody: initBody()
        });
    }

    function rollupParameters(address dispute_) internal view returns (IRollup.Parameters memory) {
        return IRollup.Parameters({
            inbox: address(inbox),
            dispute: dispute_,
            k: arity(),
            h1: inputHeight(),
            h2: stepHeight(),
            challengePeriod: PERIOD,
            grace: GRACE,
            minPeriod: MIN_PERIOD,
            bond: BOND
        });
    }

    /// @dev One oracle signer, one market; the toy machine does not read it.
    function initBody() internal view returns (bytes memory) {
        bytes memory fixedPart = abi.encodePacked(backstop, uint8(1), uint8(1), uint8(1), uint128(0));
        return abi.encodePacked(fixedPart, address(0x51), new bytes(37));
    }

    /* TIME */

    function skip(uint256 duration) internal {
        vm.warp(block.timestamp + duration);
    }
}
