// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRollup} from "../src/interfaces/IRollup.sol";
import {Rollup} from "../src/rollup/Rollup.sol";
import {AnyInbox, Proof} from "./Proof.sol";

/// @notice A Rollup in any state at all: its storage, its balance, the time, the Inbox's answers, the caller and the
/// arguments are unknown. A proof is one step of an induction: it takes one call of a function, in any state that
/// satisfies what it assumes; each of these assumptions is a conclusion of one of the proofs, or how a node is created.
/// @dev Storage is read as words (snapshots/storage.json has the layout) and conclusions are computed without jumps:
/// every jump on an unknown value doubles the paths.
abstract contract RollupProof is Proof {
    enum Call {
        STAKE,
        WITHDRAW,
        SET_OPERATOR,
        ASSERT_STATE,
        REVEAL,
        TIMEOUT_REVEAL,
        PRUNE,
        CONFIRM,
        CLAIM_CREDIT,
        ELIMINATE,
        REFUND
    }

    uint96 internal constant BOND = 1 ether;
    uint40 internal constant PERIOD = 1000;
    uint8 internal constant K = 2;
    uint256 internal constant LIVE = 1; // Status.LIVE

    Rollup internal rollup;
    address internal caller;
    // What the call of a step is about: claims, or the node and the root of an assertion.
    bytes32 internal one;
    bytes32 internal other;
    /// @dev The claim that the step has given life to or killed; 0: none.
    bytes32 internal touched;

    function setUp() public {
        vm.warp(1 << 30);
        rollup = new Rollup(
            IRollup.Parameters({
                inbox: address(new AnyInbox()),
                dispute: address(0xd15),
                k: K,
                h1: 1,
                h2: 1,
                challengePeriod: PERIOD,
                grace: 10,
                minPeriod: 5,
                bond: BOND
            })
        );
        caller = svm.createAddress("caller");
        (one, other) = (svm.createBytes32("one"), svm.createBytes32("other"));
        svm.enableSymbolicStorage(address(rollup));
    }

    /// @dev Somebody calls the function with any arguments: in a match the Dispute, for claims that it has found live.
    function _step(Call kind) internal returns (bool success, bytes memory answer) {
        vm.assume(one != 0);
        if (kind == Call.ELIMINATE) vm.assume(_isLive(one) == 1);
        bytes memory data;
        uint256 value = 0;
        if (kind == Call.STAKE) (data, value) = (abi.encodeCall(IRollup.stake, ()), BOND);
        if (kind == Call.WITHDRAW) data = abi.encodeCall(IRollup.withdraw, ());
        if (kind == Call.SET_OPERATOR) data = abi.encodeCall(IRollup.setOperator, (one, address(0x0b)));
        if (kind == Call.ASSERT_STATE) {
            uint64 to = uint64(svm.createUint(64, "to"));
            data = abi.encodeCall(IRollup.assertState, (one, other, to, svm.createBytes32("acc")));
        }
        if (kind == Call.REVEAL) data = abi.encodeCall(IRollup.reveal, (one, _anyList()));
        if (kind == Call.TIMEOUT_REVEAL) data = abi.encodeCall(IRollup.timeoutReveal, (one, other));
        if (kind == Call.PRUNE) data = abi.encodeCall(IRollup.prune, (one));
        if (kind == Call.CONFIRM) data = abi.encodeCall(IRollup.confirm, (one));
        if (kind == Call.CLAIM_CREDIT) data = abi.encodeCall(IRollup.claimCredit, (one));
        if (kind == Call.ELIMINATE) data = abi.encodeCall(IRollup.eliminate, (one, other));
        if (kind == Call.REFUND) {
            data = abi.encodeCall(IRollup.refund, (one, other, svm.createUint(256, "amount")));
        }
        vm.prank(caller);
        (success, answer) = address(rollup).call{value: value}(data);
        if (kind == Call.ASSERT_STATE && success) touched = abi.decode(answer, (bytes32));
        else if (kind == Call.TIMEOUT_REVEAL || kind == Call.PRUNE || kind == Call.ELIMINATE) touched = one;
    }

    function _anyList() private view returns (bytes32[] memory list) {
        list = new bytes32[](K);
        for (uint256 i = 0; i < K; ++i) {
            list[i] = svm.createBytes32("word");
        }
    }

    /* STORAGE */

    function _word(bytes32 key, uint256 table, uint256 slot) private view returns (uint256) {
        bytes32 place = bytes32(uint256(keccak256(abi.encode(key, table))) + slot);
        return uint256(vm.load(address(rollup), place));
    }

    function _parent(bytes32 node) internal view returns (bytes32) {
        return bytes32(_word(node, 0, 0));
    }

    function _createdAt(bytes32 node) internal view returns (uint256) {
        return uint40(_word(node, 0, 1) >> 64);
    }

    function _liveOn(bytes32 node) internal view returns (uint256) {
        return uint32(_word(node, 0, 1) >> 144);
    }

    function _liveEnds(bytes32 round) internal view returns (uint256) {
        return uint32(_word(round, 0, 2));
    }

    function _xorLive(bytes32 round) internal view returns (bytes32) {
        return bytes32(_word(round, 0, 3));
    }

    function _owner(bytes32 claim) internal view returns (address) {
        return address(uint160(_word(claim, 1, 0)));
    }

    function _isLive(bytes32 claim) internal view returns (uint256) {
        return _bit(uint8(_word(claim, 1, 0) >> 200) == LIVE);
    }

    function _hasPot(bytes32 claim) internal view returns (uint256) {
        return _bit(uint8(_word(claim, 1, 0) >> 208) != 0);
    }

    function _credit(bytes32 claim) internal view returns (uint256) {
        return uint96(_word(claim, 1, 1) >> 160);
    }

    function _nodeOf(bytes32 claim) internal view returns (bytes32) {
        return bytes32(_word(claim, 1, 2));
    }

    /// @dev Of a staker who is not out the bond, of one who is out what is left of its pot.
    function _stakeOf(address staker) internal view returns (uint256) {
        return uint96(_word(bytes32(uint256(uint160(staker))), 2, 0));
    }

    function _isOut(address staker) internal view returns (uint256) {
        return _bit(uint8(_word(bytes32(uint256(uint160(staker))), 2, 0) >> 96) != 0);
    }

    /// @dev 1 or 0, without a jump.
    function _bit(bool condition) internal pure returns (uint256 bit) {
        assembly ("memory-safe") {
            bit := condition
        }
    }
}
