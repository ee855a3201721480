"""Inbox and Vault under the same calls as their twin: same outcomes, same whole state after each call."""

import os
from typing import Final

import pytest

from tests.support.inbox_vault_machine import InboxVaultMachine
from tests.support.stateful import (
    REPLAY,
    choose_seeds,
    describe,
    find_rare,
    get_errors,
    get_functions,
    play,
)
from tests.support.twin_table import Tally

CONTRACTS: Final = ("Inbox", "Vault")
UNREACHABLE: Final = {
    "BadParameter": "constructors alone revert with it: solidity/test/Constructors.t.sol",
    "OtherInbox": "the Inbox's constructor: solidity/test/Constructors.t.sol",
    "BadInitLength": "the Inbox's constructor: solidity/test/inbox",
    "BackstopMismatch": "the Inbox's constructor: solidity/test/inbox",
    "WrongDecimals": "the Vault's constructor: solidity/test/vault",
    "NoAccountsLeft": "after 2^36 accounts",
    "WrongBalanceChange": "a token that keeps a fee or calls back: solidity/test/vault",
    "IndexTooLarge": "the Vault makes the index itself, and it fits",
}
PANIC: Final = "Panic"  # the Vault's subtraction, when a confirmed state pays out more than it holds


def get_all_functions() -> set[str]:
    """Of both contracts; the Vault alone may call enqueueDeposit, and its deposits are such calls."""
    return set().union(*map(get_functions, CONTRACTS)) - {"Inbox.enqueueDeposit"}


def get_all_errors() -> set[str]:
    """Of both contracts."""
    return set().union(*map(get_errors, CONTRACTS)) - UNREACHABLE.keys() | {PANIC}


def play_until(functions: int, errors: int, seeds: range) -> Tally:
    """Play seed after seed until each function has landed and each error was met so many times."""
    InboxVaultMachine.tally = tally = Tally()
    wanted = dict.fromkeys(get_all_functions(), functions), dict.fromkeys(get_all_errors(), errors)
    for number in seeds:
        play(number, InboxVaultMachine)
        if not find_rare(tally, *wanted):
            break
    assert find_rare(tally, *wanted) == {}
    assert tally.functions.keys() == get_all_functions()
    assert tally.errors.keys() == get_all_errors(), "an error is not in the ABI, or not unreachable"
    return tally


@pytest.mark.timeout(600)
def test_inbox_and_vault_are_what_their_twin_says(capsys: pytest.CaptureFixture[str]) -> None:
    tally = play_until(functions=10, errors=1, seeds=choose_seeds(60))
    with capsys.disabled():
        print(f"\n{describe(tally)}")


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_inbox_and_vault_are_what_their_twin_says_many_times(capsys: pytest.CaptureFixture[str]) -> None:
    tally = play_until(functions=1000, errors=50, seeds=choose_seeds(2000))
    with capsys.disabled():
        print(f"\n{describe(tally)}")


@pytest.mark.skipif(REPLAY not in os.environ, reason=f"replays the seed in ${REPLAY}")
@pytest.mark.timeout(600)
def test_one_seed_of_inbox_and_vault() -> None:
    play(int(os.environ[REPLAY]), InboxVaultMachine)
