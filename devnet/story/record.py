"""What the story writes down: `build/demo.json`, whose schema is in `devnet/README.md`.

Inputs, batches, liquidations, the withdrawal and assertions are what the services have said while it
happened; the disputes are what L1 says. `devnet.check` derives all of it anew, from L1 alone.
"""

from typing import Any

from devnet.evidence.dispute import describe_lie, find_assertions, find_lies
from devnet.evidence.record import SCHEMA, describe_deployment
from devnet.story.stage import Stage
from optimist.l1.events import Confirmed
from optimist.l1.types import to_hex


async def make_record(stage: Stage) -> dict[str, Any]:
    """The whole record, for JSON."""
    deployment = stage.network.deployment
    stage.note_batch(1, stage.network.creations["Inbox"].transaction)
    return {
        "schema": SCHEMA,
        "rpc": stage.network.anvil.url,
        "deployment": describe_deployment(deployment),
        "inputs": {
            "total": stage.seen.kinds.total(),
            "rejected": stage.seen.rejected,
            "by_kind": dict(sorted(stage.seen.kinds.items())),
        },
        "batches": await _describe_batches(stage),
        "liquidations": [
            {
                "account": each.account,
                "market": each.market,
                "size": str(each.size),
                "price": str(each.price),
            }
            for each in stage.seen.liquidations
        ],
        "withdrawals": stage.seen.withdrawals,
        "assertions": await _describe_assertions(stage),
        "lies": await _describe_lies(stage),
    }


async def _describe_batches(stage: Stage) -> list[dict[str, Any]]:
    """Every batch as the watcher derived it."""
    described = []
    for batch, transaction in sorted(stage.seen.batch_transactions.items()):
        derived = await stage.wait_for_event("watcher", "batch_derived", batch=batch)
        described.append(
            {
                "batch": batch,
                "inputs": derived["inputs"],
                "rejected": derived["rejected"],
                "root": derived["root"],
                "transaction": to_hex(transaction),
            }
        )
    return described


async def _describe_assertions(stage: Stage) -> list[dict[str, Any]]:
    """Every assertion as the watcher judged it last, once it has heard of all that L1 has confirmed."""
    history = await stage.read_history()
    confirmed = {each.event.node for each in history.events if isinstance(each.event, Confirmed)}
    for node in confirmed & set(find_assertions(history)):
        await stage.wait_for_event("watcher", "assertion_judged", node=to_hex(node), confirmed=True)
    last = {judged["node"]: judged for judged in stage.services["watcher"].events("assertion_judged")}
    return [
        {
            "node": judged["node"],
            "batch": judged["batch"],
            "root": judged["claimed_root"],
            "is_true": judged["verdict"] == "agree",
            "is_confirmed": judged["confirmed"],
        }
        for judged in last.values()
    ]


async def _describe_lies(stage: Stage) -> list[dict[str, Any]]:
    history = await stage.read_history()
    program, step = stage.network.law.compiled, stage.network.deployment.addresses["Step"]
    faults = {node: fault for fault, node in stage.seen.faults}
    return [
        {
            "fault": faults.get(to_hex(lie.node.node), "unknown"),
            **await describe_lie(stage.l1, history, lie, program, step),
        }
        for lie in find_lies(history)
    ]
