"""The record of a devnet's life, as `build/demo.json` holds it, derived from L1 alone."""

from collections.abc import Sequence
from typing import Any

from devnet.evidence.dispute import describe_assertions, describe_lie, find_lies
from devnet.evidence.inputs import (
    describe_batches,
    describe_inputs,
    describe_liquidations,
    describe_payments,
)
from devnet.history import RollupHistory
from optimist.l1.client import L1Client
from optimist.l1.deployment import Deployment
from optimist.l1.types import to_hex
from optimist.prove.law import Law

SCHEMA = 2


def describe_deployment(deployment: Deployment) -> dict[str, Any]:
    """Which rollup it is."""
    return {
        "chain_id": deployment.chain_id,
        "preset": deployment.preset.name,
        "image_root": to_hex(deployment.image_root),
        "block": deployment.block,
        "addresses": {name: to_hex(address) for name, address in deployment.addresses.items()},
        "transactions": {name: to_hex(hash_) for name, hash_ in deployment.transactions.items()},
    }


async def derive_record(
    client: L1Client, deployment: Deployment, law: Law, history: RollupHistory, faults: Sequence[str]
) -> dict[str, Any]:
    """Everything in the record but where L1 can be reached.

    `faults`: what the liars say that they lied about, in the order of their lies; the rest L1 knows.
    """
    lies: list[dict[str, Any]] = []
    for lie in find_lies(history):
        fault = faults[len(lies)] if len(lies) < len(faults) else "unknown"
        description = await describe_lie(client, history, lie, law.compiled, deployment.addresses["Step"])
        lies.append({"fault": fault, **description})
    return {
        "schema": SCHEMA,
        "deployment": describe_deployment(deployment),
        "inputs": describe_inputs(history),
        "batches": describe_batches(history),
        "liquidations": describe_liquidations(history),
        "withdrawals": describe_payments(history),
        "assertions": describe_assertions(history),
        "lies": lies,
    }
