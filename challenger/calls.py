"""Acts as calls of the contracts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from challenger.game.dispute import Fork, Opening
from challenger.game.types import Position
from challenger.strategy import acts


@dataclass(frozen=True, slots=True)
class Call:
    """A function of one of our contracts with its arguments; `value` in wei."""

    contract: str
    function: str
    arguments: tuple[Any, ...] = ()
    value: int = 0


def compute_call(act: acts.Act, bond: int) -> Call:  # noqa: C901, PLR0911, PLR0912 - one arm per function
    """The call that does `act`. `bond` is what staking costs, wei."""
    match act:
        case acts.Stake():
            return Call("Rollup", "stake", (), bond)
        case acts.Withdraw():
            return Call("Rollup", "withdraw")
        case acts.SetOperator(claim, operator):
            return Call("Rollup", "setOperator", (claim, operator))
        case acts.AssertState(parent, end_root, to, accumulator):
            return Call("Rollup", "assertState", (parent, end_root, to, accumulator))
        case acts.Reveal(claim, words):
            return Call("Rollup", "reveal", (claim, words))
        case acts.TimeoutReveal(claim, rival):
            return Call("Rollup", "timeoutReveal", (claim, rival))
        case acts.Prune(claim):
            return Call("Rollup", "prune", (claim,))
        case acts.Confirm(node):
            return Call("Rollup", "confirm", (node,))
        case acts.ClaimCredit(claim):
            return Call("Rollup", "claimCredit", (claim,))
        case acts.OpenMatch(left, right, first):
            return Call("Dispute", "openMatch", (left, right, first))
        case acts.Dissect(fork, following):
            return Call("Dispute", "dissect", (_fork(fork), following))
        case acts.CommitTrace(fork, opening, next_root, trace):
            return Call("Dispute", "commitTrace", (_fork(fork), _opening(opening), next_root, trace))
        case acts.CommitSecondTrace(claims, position, next_root, trace):
            return Call("Dispute", "commitSecondTrace", (*claims, _position(position), next_root, trace))
        case acts.ProvePadding(fork):
            return Call("Dispute", "provePadding", (_fork(fork),))
        case acts.Prove(fork, proof):
            return Call("Dispute", "prove", (_fork(fork), proof))
        case acts.Timeout(claims):
            return Call("Dispute", "timeout", claims)
        case acts.Collect(claim, opponent):
            return Call("Dispute", "collect", (claim, opponent))


def _fork(fork: Fork) -> Mapping[str, Any]:
    return {
        "a": fork.claims[0],
        "b": fork.claims[1],
        "round": fork.round,
        "prev": fork.prev,
        "list_a": fork.lists[0],
        "list_b": fork.lists[1],
    }


def _opening(opening: Opening) -> Mapping[str, Any]:
    return {
        "root": opening.root,
        "batch": opening.batch,
        "rest": opening.rest,
        "input_hash": opening.input_hash,
        "next_rest": opening.next_rest,
    }


def _position(position: Position) -> Mapping[str, Any]:
    return {
        "round": position.round,
        "node_a": position.nodes[0],
        "node_b": position.nodes[1],
        "prev": position.prev,
        "batch": position.batch,
        "rest": position.rest,
    }
