// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {RollupProof} from "./RollupProof.sol";

/// @notice balance >= sum of bonds + sum of credits + sum of pots. Each step changes at most one staker's stake and one
/// claim's credit, by no more together than it changes the balance. A stake is a bond or, once its staker is out, what is
/// left of the pot of the one claim whose death has split it: so every pot is counted, and counted once.
contract LedgerProof is RollupProof {
    address private constant PAYEE = address(0xca11);

    function check_ledger_stake() public {
        _check(Call.STAKE, PAYEE, 0);
    }

    function check_ledger_withdraw() public {
        _check(Call.WITHDRAW, PAYEE, 0);
    }

    function check_ledger_assertState() public {
        _check(Call.ASSERT_STATE, address(0), 0);
    }

    function check_ledger_timeoutReveal() public {
        _check(Call.TIMEOUT_REVEAL, _owner(one), 0);
    }

    function check_ledger_prune() public {
        _check(Call.PRUNE, address(0), 0);
    }

    function check_ledger_confirm() public {
        _check(Call.CONFIRM, address(0), 0);
    }

    function check_ledger_claimCredit() public {
        vm.assume(_owner(one) == PAYEE);
        _check(Call.CLAIM_CREDIT, address(0), one);
    }

    function check_ledger_eliminate() public {
        _check(Call.ELIMINATE, _owner(one), other);
    }

    function check_ledger_refund() public {
        _check(Call.REFUND, _owner(other), one);
    }

    function check_pots_eliminate() public {
        _checkPots(Call.ELIMINATE);
    }

    function check_pots_timeoutReveal() public {
        _checkPots(Call.TIMEOUT_REVEAL);
    }

    function check_pots_stake() public {
        _checkPots(Call.STAKE);
    }

    /// @dev Only `staker` and `claim` have another amount than before, and both together no more than came in.
    function _check(Call kind, address staker, bytes32 claim) private {
        anyTime();
        caller = PAYEE;
        if (kind == Call.ELIMINATE || kind == Call.REFUND) caller = rollup.DISPUTE();
        vm.deal(PAYEE, BOND);
        vm.deal(address(rollup), svm.createUint(96, "balance"));
        (address anyone, bytes32 any) = (svm.createAddress("anyone"), svm.createBytes32("any"));
        vm.assume(anyone != staker && any != claim);
        _assumeWhole(staker);
        uint256 held = address(rollup).balance;
        uint256 owed = _stakeOf(staker) + _credit(claim);
        (uint256 stakeOfAnyone, uint256 creditOfAny) = (_stakeOf(anyone), _credit(any));
        (bool success,) = _step(kind);
        vm.assume(success);
        assert(_stakeOf(anyone) == stakeOfAnyone && _credit(any) == creditOfAny);
        assert(_stakeOf(staker) + _credit(claim) + held <= owed + address(rollup).balance);
    }

    /// @dev Who is not out has one whole bond or none: nothing but `stake`, `withdraw` and a death writes it.
    function _assumeWhole(address staker) private view {
        uint256 isWhole = _bit(_stakeOf(staker) == BOND) | _bit(_stakeOf(staker) == 0);
        vm.assume((isWhole | _isOut(staker)) == 1);
    }

    /// @dev A pot's owner is out, and no other claim of that owner has one.
    function _checkPots(Call kind) private {
        anyTime();
        caller = kind == Call.ELIMINATE ? rollup.DISPUTE() : PAYEE;
        vm.deal(PAYEE, BOND);
        (bytes32 left, bytes32 right) = (svm.createBytes32("left"), svm.createBytes32("right"));
        vm.assume(left != right && _owner(left) == _owner(right));
        vm.assume(_hasPot(left) <= _isOut(_owner(left)) && _hasPot(right) <= _isOut(_owner(right)));
        vm.assume(_hasPot(left) + _hasPot(right) <= 1);
        _assumeWhole(_owner(one));
        (bool success,) = _step(kind);
        vm.assume(success);
        assert(_owner(left) == _owner(right));
        assert(_hasPot(left) <= _isOut(_owner(left)) && _hasPot(right) <= _isOut(_owner(right)));
        assert(_hasPot(left) + _hasPot(right) <= 1);
    }
}
