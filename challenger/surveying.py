"""One look at L1 for the monitor, without a key: the game as events tell it, and the balance behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from challenger.chain.reading import read_game
from challenger.monitor.snapshot import Snapshot
from challenger.monitor.storage import compare, list_expectations
from challenger.settings import get_parameters
from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.l1.client import L1Client, require_header
from optimist.l1.contracts import read_many
from optimist.l1.deployment import Deployment
from optimist.l1.errors import L1Inconsistent, L1Unavailable
from optimist.l1.events import Located, NodeCreated
from optimist.l1.types import to_hex
from optimist.node.opening import OpenNode, open_node
from optimist.ops.settings import NodeSettings

READS: Final = 100  # in one request: what public endpoints take


@dataclass(frozen=True, slots=True)
class Survey:
    """What L1 held at one block. `place` says which block of which L1, for a reader of the report."""

    snapshot: Snapshot
    place: Mapping[str, Any]
    events: Sequence[Located]

    def get_history(self, subject: bytes) -> list[dict[str, Any]]:
        """Every event that names a subject, oldest first."""
        return [
            {
                "event": type(each.event).__name__,
                "block": each.block.number,
                "transaction": to_hex(each.log.transaction),
            }
            for each in self.events
            if any(getattr(each.event, field.name) == subject for field in fields(each.event))
        ]


@dataclass(frozen=True, slots=True)
class _Roots:
    """Our own execution, as it stood at one moment."""

    ends: tuple[bytes | None, ...]  # by batch

    def get_end_root(self, batch: int) -> bytes | None:
        """State root after `batch`; None while it was not known."""
        return self.ends[batch] if batch < len(self.ends) else None


async def survey(settings: NodeSettings) -> Survey:
    """Follow L1 up to its head once. Raises what `open_node` raises, and L1Error."""
    async with open_node(
        l1_rpc=settings.l1_rpc,
        deployment=settings.deployment,
        tag=settings.l1_tag,
        l1_timeout=settings.l1_timeout,
        datadir=settings.datadir,
    ) as opened:
        await opened.node.catch_up()
        return await look(opened, settings.l1_tag)


async def look(opened: OpenNode, tag: str, *, audits: bool = True) -> Survey:
    """What an open node has seen of L1, which may go on meanwhile. Raises L1Error.

    audits: whether L1's storage is compared with what its events told.
    """
    node, parameters = opened.node, get_parameters(opened.deployment.preset)
    head, rollup = node.head, opened.deployment.get_contract("Rollup")
    if head is None:
        raise L1Unavailable(f"L1 has no {tag} block yet")
    header = require_header(await opened.client.get_header(head.hash), head.number)
    genesis = await rollup.read(opened.client, head.hash, "getNode", GENESIS_ASSERTION)
    if node.head != head or not node.is_between_looks:
        raise L1Inconsistent("L1 went on while it was asked")
    # From here to the next question the node stands still: all of this is about one block.
    seen = tuple(node.events)
    roots = _Roots(tuple(map(node.ledger.get_end_root, range(node.ledger.batch_count + 1))))
    game = read_game(
        seen,
        arity=parameters.arity,
        genesis_time=genesis["created_at"],
        count_inputs=node.ledger.get_input_count,
    )
    events = [each.event for each in seen]
    snapshot = Snapshot(
        parameters=parameters,
        state=game.state,
        now=header.timestamp,  # not that of the latest block, whose events are not in
        latest=node.timestamp,
        roots=roots,
        claimed={event.node: event.end_root for event in events if isinstance(event, NodeCreated)},
        disputed=game.disputed,
        opened=game.lists,
        balance=await opened.client.get_balance(rollup.address, head.hash),
    )
    if audits:
        found = await audit(opened.client, opened.deployment, head.hash, snapshot)
        snapshot = replace(snapshot, mismatches=tuple(found))
    place = {
        "chain_id": opened.deployment.chain_id,
        "rollup": rollup.address,
        "tag": tag,
        "block": head.number,
        "block_hash": head.hash,
    }
    return Survey(snapshot, place, seen)


async def audit(
    client: L1Client, deployment: Deployment, at: bytes, snapshot: Snapshot
) -> list[tuple[bytes, str]]:
    """Where the storage of block `at` (hash) says something else than all events up to it. Raises L1Error."""
    expected = list_expectations(snapshot)
    reads = [(deployment.get_contract(e.contract), e.function, (e.subject,)) for e in expected]
    found: list[Mapping[str, Any]] = []
    for first in range(0, len(reads), READS):
        found += await read_many(client, at, reads[first : first + READS])
    return list(compare(expected, found))
