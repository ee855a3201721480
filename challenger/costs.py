"""What playing costs: gas of each act, one dispute, one round, the reserve to keep. Pure; money in wei.

The gas figures are ceilings over what was measured (`solidity/snapshots/game-gas.json`; a test compares),
with the real machine's step for `prove`. They are for k = 8, whose lists have sixteen words.
"""

from dataclasses import dataclass
from typing import Final

from challenger.game.dispute import MOVE_GAS
from challenger.game.rollup import Rollup
from challenger.game.types import Parameters, Side, State, Status

GAS: Final = {
    "stake": 75_000,
    "assertState": 230_000,
    "reveal": 90_000,
    "openMatch": 125_000,
    "dissect": 100_000,
    "commitTrace": 125_000,
    "commitSecondTrace": 100_000,
    "prove": 250_000,
    "collect": 60_000,
    "confirm": 48_000,
    "claimCredit": 50_000,
    "withdraw": 50_000,
}
RESERVE_FACTOR: Final = 2  # a rival may come for every one that lives, before any refund is paid


@dataclass(frozen=True, slots=True)
class Bill:
    """What one party pays, at one gas price. Gas in units, money in wei."""

    gas_price: int
    dispute_gas: int  # one match, played to its last step and opened by us
    dispute_cost: int
    refund: int  # of it, what the pot of the loser pays back at this price
    round_gas: int  # once a round, however many rivals: a claim, its history, the confirmation, payments
    round_cost: int
    bond: int  # back when everything on it is confirmed; lost with the claim
    rivals: int
    reserve_price: int
    reserve: int  # to keep in the account, beside the bond


@dataclass(frozen=True, slots=True)
class Stand:
    """What is one address's, or everybody's, inside the game. Wei."""

    locked: int  # bonds that stand
    due: int  # credit that can be claimed now
    pending: int  # credit that waits for a confirmation
    refunds: int  # what moves in won matches can still collect, at most


def compute_dispute_gas(parameters: Parameters) -> int:
    """Gas of one party in one match to the last step: opens, makes the larger half of moves, proves."""
    dissections = parameters.input_height - 1 + parameters.step_height - 1
    moves = dissections + 2  # with both commitments
    commit = max(GAS["commitTrace"], GAS["commitSecondTrace"])
    own = -(-moves // 2)
    return GAS["openMatch"] + (own - 1) * GAS["dissect"] + commit + GAS["prove"] + GAS["collect"]


def compute_round_gas() -> int:
    """Gas of holding one round: what is paid once, however many rivals there are."""
    return sum(GAS[name] for name in ("stake", "assertState", "reveal", "confirm", "claimCredit", "withdraw"))


def compute_refund(parameters: Parameters, gas_price: int) -> int:
    """What the winner of one match gets back: each move at a constant, up to the cap and to the pot."""
    moves = -(-(parameters.input_height + parameters.step_height) // 2)
    return min(moves * MOVE_GAS * min(gas_price, parameters.gas_price_cap), parameters.bond * 2 // 5)


def compute_reserve_price(parameters: Parameters, max_fee: int) -> int:
    """The price that a reserve is for: what refunds are paid up to, or our own limit when that is lower."""
    return min(parameters.gas_price_cap, max_fee)


def compute_reserve(parameters: Parameters, rivals: int, price: int) -> int:
    """Wei to keep for gas: every rival that lives, or one that may come, and as many again."""
    return RESERVE_FACTOR * max(1, rivals) * compute_dispute_gas(parameters) * price


def compute_bill(parameters: Parameters, gas_price: int, rivals: int, max_fee: int) -> Bill:
    """What playing costs at `gas_price`, against this many rivals."""
    dispute, round_ = compute_dispute_gas(parameters), compute_round_gas()
    reserve_price = compute_reserve_price(parameters, max_fee)
    return Bill(
        gas_price=gas_price,
        dispute_gas=dispute,
        dispute_cost=dispute * gas_price,
        refund=compute_refund(parameters, gas_price),
        round_gas=round_,
        round_cost=round_ * gas_price,
        bond=parameters.bond,
        rivals=rivals,
        reserve_price=reserve_price,
        reserve=compute_reserve(parameters, rivals, reserve_price),
    )


def compute_stand(parameters: Parameters, state: State, address: bytes | None) -> Stand:
    """Bond, credit and refunds of one address; of everybody for None."""
    rollup = Rollup(parameters, state, 0)
    due = pending = refunds = 0
    for claim in state.claims.values():
        is_payable = claim.status is Status.LIVE and not state.stakers[claim.owner].out
        if claim.credit and is_payable and address in (None, claim.owner):
            is_due = rollup.is_confirmed(claim.node)
            due, pending = due + claim.credit * is_due, pending + claim.credit * (not is_due)
    pots = state.pots
    for match in state.matches.values():
        for side in Side:
            claim, opponent = (state.claims[match.claims[s]] for s in (side, side.other))
            lives = claim.status is Status.LIVE and not state.stakers[claim.owner].out
            if lives and address in (None, claim.owner) and opponent.owner in pots:
                most = match.moves[side] * MOVE_GAS * parameters.gas_price_cap
                refunds += min(most, pots[opponent.owner].pot)
    bonds = [staker.bond for who, staker in state.stakers.items() if address in (None, who)]
    return Stand(locked=sum(bonds), due=due, pending=pending, refunds=refunds)
