"""What we have and what we may spend: which acts the gas budget and the balance allow.

Money decides only whether to begin something. An act that keeps a bond of ours alive is never held back: a
budget that loses a bond saves nothing. What may wait is a new claim, and help for others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from challenger.costs import compute_dispute_gas, compute_reserve, compute_reserve_price, compute_round_gas
from challenger.game.types import Parameters
from challenger.strategy.acts import AssertState, Stake
from challenger.strategy.strategy import Plan, Proposal
from optimist.l1.client import L1Client
from optimist.l1.types import to_hex

GWEI = 10**9
ETHER = 10**18


@dataclass(frozen=True, slots=True)
class Means:
    """What one key has and may spend. Wei."""

    address: bytes
    balance: int
    bond: int  # that we would still have to lay down
    price: int  # per gas, that the reserve is for
    spent: int
    budget: int | None  # to spend on gas; None: no limit


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may go ahead, and what a person has to hear."""

    proposals: list[Proposal]
    alarms: list[str]


class Purse:
    """One key's money."""

    def __init__(
        self,
        client: L1Client,
        address: bytes,
        parameters: Parameters,
        *,
        needs_bond: bool,
        max_fee: int,
        budget: int | None = None,
    ) -> None:
        """needs_bond: whether we ever stake. max_fee: wei per gas that we offer at most. budget: wei to spend
        on gas; None: no limit.
        """
        self._client = client
        self._address = address
        self._parameters = parameters
        self._needs_bond = needs_bond
        self._price = compute_reserve_price(parameters, max_fee)
        self._budget = budget
        self._before = 0  # spent by programs before this one
        self.spent = 0

    async def load(self, transactions: Sequence[bytes]) -> None:
        """Count what the transactions of before have cost. Raises L1Error."""
        receipts = await self._client.get_receipts(list(dict.fromkeys(transactions)))
        self._before = sum(each.gas_used * each.gas_price for each in receipts if each is not None)
        self.spent = self._before

    def count(self, spent: int) -> None:
        """What our sender has spent since it was made: also on acts that L1 refused in their block."""
        self.spent = self._before + spent

    async def allow(self, plan: Plan, wanted: Sequence[Proposal]) -> Allowance:
        """What may go ahead of `wanted`. Raises L1Error."""
        means = Means(
            address=self._address,
            balance=await self._client.get_balance(self._address),
            bond=self._parameters.bond if self._needs_bond and not plan.bond else 0,
            price=self._price,
            spent=self.spent,
            budget=self._budget,
        )
        return compute_allowance(wanted, self._parameters, plan.rivals, means)


def compute_allowance(
    wanted: Sequence[Proposal], parameters: Parameters, rivals: int, means: Means
) -> Allowance:
    """What may go ahead against `rivals` false claims, and what to tell a person."""
    alarms: list[str] = []
    may_enter = may_help = True
    who, price = to_hex(means.address), means.price
    reserve = means.bond + compute_reserve(parameters, rivals, price)
    least = means.bond + (compute_dispute_gas(parameters) + compute_round_gas()) * price
    if means.balance < least and any(map(is_entry, wanted)):
        may_enter = False
        alarms.append(
            f"{who} holds less than the {_ether(least)} that one dispute can take, the bond included: none "
            "is laid down that could not be defended; send ether to that address"
        )
    elif means.balance < reserve:
        alarms.append(
            f"{who} holds less than the reserve of {_ether(reserve)}, for {max(1, rivals)} rivals at "
            f"{price / GWEI:g} gwei: send ether to that address (challenger cost shows the sum)"
        )
    if means.budget is not None and means.spent >= means.budget:
        may_enter = may_help = False
        alarms.append(
            f"the gas budget of {_ether(means.budget)} is spent: no new claims and no help for others any "
            "more; what keeps our bond alive goes on. Raise --gas-budget to go on with the rest"
        )
    allowed = [
        each for each in wanted if (may_enter or not is_entry(each)) and (may_help or not each.rule.is_help)
    ]
    return Allowance(allowed, alarms)


def is_entry(proposal: Proposal) -> bool:
    """Whether an act puts a bond on something, as opposed to playing for a claim that stands already."""
    return isinstance(proposal.act, Stake | AssertState)


def _ether(wei: int) -> str:
    return f"{wei / ETHER:.4g} ETH"
