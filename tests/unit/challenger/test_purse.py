"""What the budget and the balance hold back, and what they must never hold back."""

import asyncio
from typing import Any

from challenger.costs import compute_dispute_gas, compute_reserve, compute_round_gas
from challenger.game.types import Parameters
from challenger.purse import Allowance, Means, Purse, compute_allowance
from challenger.strategy import acts
from challenger.strategy.modes import DEFEND, RESOLVE
from challenger.strategy.order import Priority, Rank
from challenger.strategy.strategy import Plan, Proposal
from optimist.l1.types import BlockRef, Receipt

PARAMETERS = Parameters()
PRICE = 100 * 10**9
ETHER = 10**18
WHO = b"\x11" * 20
HASH = b"\x22" * 32

OWN_RULE, HELP_RULE = DEFEND.rules[0], next(rule for rule in RESOLVE.rules if rule.is_help)


def propose(act: acts.Act, *, is_help: bool = False) -> Proposal:
    return Proposal(act, HELP_RULE if is_help else OWN_RULE, Priority(Rank.FIRST))


STAKE = propose(acts.Stake())
CLAIM = propose(acts.AssertState(HASH, HASH, 1, HASH))
REVEAL = propose(acts.Reveal(HASH, ()))
TIMEOUT = propose(acts.Timeout((HASH, HASH)))
HELP = propose(acts.Timeout((HASH, b"\x33" * 32)), is_help=True)
ALL = [STAKE, CLAIM, REVEAL, TIMEOUT, HELP]
ENOUGH = 100 * ETHER


def allow(
    wanted: list[Proposal],
    *,
    balance: int = ENOUGH,
    spent: int = 0,
    budget: int | None = None,
    rivals: int = 1,
    bond: int = PARAMETERS.bond,
) -> Allowance:
    means = Means(WHO, balance, bond, PRICE, spent, budget)
    return compute_allowance(wanted, PARAMETERS, rivals, means)


def test_with_enough_of_everything_all_goes_ahead_in_silence() -> None:
    assert allow(ALL) == Allowance(ALL, [])
    assert allow(ALL, spent=ETHER - 1, budget=ETHER) == Allowance(ALL, [])


def test_a_spent_budget_ends_new_claims_and_help_but_nothing_that_keeps_a_bond_alive() -> None:
    result = allow(ALL, spent=ETHER, budget=ETHER)
    assert result.proposals == [REVEAL, TIMEOUT]
    (alarm,) = result.alarms
    assert "1 ETH" in alarm
    assert "--gas-budget" in alarm


def test_no_bond_is_laid_down_that_could_not_be_defended() -> None:
    least = PARAMETERS.bond + (compute_dispute_gas(PARAMETERS) + compute_round_gas()) * PRICE
    assert allow(ALL, balance=least).proposals == ALL
    poor = allow(ALL, balance=least - 1)
    assert poor.proposals == [REVEAL, TIMEOUT, HELP]
    assert "0x" + WHO.hex() in poor.alarms[0]
    assert "send ether" in poor.alarms[0]


def test_a_claim_on_a_bond_that_stands_already_needs_no_second_one() -> None:
    gas = (compute_dispute_gas(PARAMETERS) + compute_round_gas()) * PRICE
    assert allow([CLAIM], balance=gas, bond=0).proposals == [CLAIM]
    assert allow([CLAIM], balance=gas - 1, bond=0).proposals == []


def test_below_the_reserve_is_an_alarm_that_says_what_to_do_and_stops_nothing() -> None:
    reserve = PARAMETERS.bond + compute_reserve(PARAMETERS, 4, PRICE)
    assert allow(ALL, balance=reserve, rivals=4).alarms == []
    short = allow(ALL, balance=reserve - 1, rivals=4)
    assert short.proposals == ALL
    assert "4 rivals" in short.alarms[0]
    assert "send ether" in short.alarms[0]


def test_the_reserve_is_missed_before_anybody_needs_it() -> None:
    ready = PARAMETERS.bond + compute_reserve(PARAMETERS, 0, PRICE)
    assert allow([], balance=ready, rivals=0) == Allowance([], [])
    assert allow([], balance=ready - 1, rivals=0).alarms
    assert allow([], balance=ready - PARAMETERS.bond, rivals=0, bond=0).alarms == []


def test_the_words_of_an_alarm_do_not_change_with_every_wei() -> None:
    """An alarm is told once for as long as it says the same."""
    assert allow(ALL, balance=ETHER).alarms == allow(ALL, balance=ETHER + 1).alarms
    assert allow(ALL, spent=ETHER, budget=ETHER).alarms == allow(ALL, spent=2 * ETHER, budget=ETHER).alarms


def test_what_was_spent_in_vain_is_spent() -> None:
    """Whoever is faster than us has our transactions revert: they use gas, and no act of ours is done."""

    class Bank:
        async def get_balance(self, _: bytes) -> int:
            return ENOUGH

        async def get_receipts(self, hashes: list[bytes]) -> list[Receipt | None]:
            paid = Receipt(HASH, succeeded=False, block=BlockRef(1, HASH), gas_used=2, gas_price=5, logs=())
            return [paid if each == HASH else None for each in hashes]

    bank: Any = Bank()
    purse = Purse(bank, WHO, PARAMETERS, needs_bond=False, max_fee=PRICE, budget=30)
    asyncio.run(purse.load([HASH, WHO, HASH]))
    assert purse.spent == 10
    purse.count(19)
    assert asyncio.run(purse.allow(Plan(), ALL)).proposals == ALL
    purse.count(20)
    assert asyncio.run(purse.allow(Plan(), ALL)).proposals == [REVEAL, TIMEOUT]
