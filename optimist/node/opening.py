"""Opens a node: what the sequencer, the watcher, the challenger and `optimist derive` all begin with."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from optimist.l1.client import L1Client, Tag
from optimist.l1.deployment import Deployment
from optimist.l1.events import EventReader
from optimist.l1.follower import Follower
from optimist.l1.heads import AgreedHeads
from optimist.l1.verification import verify_deployment, verify_provenance
from optimist.node.executors import WorkerExecutor
from optimist.node.node import Node
from optimist.prove.law import Law, load_law
from optimist.store.format import prepare_directory
from optimist.store.lock import DirectoryLock
from optimist.store.state_store import StateStore


@dataclass(frozen=True, slots=True)
class OpenNode:
    """A node that knows its deployment, and the connection it reads L1 with."""

    node: Node
    client: L1Client
    deployment: Deployment
    law: Law


@asynccontextmanager
async def open_node(
    *,
    l1_rpc: Sequence[str],
    deployment: Path,
    tag: Tag,
    l1_timeout: float,
    datadir: Path | None,
    history_days: int = 0,
    checkpoint: Callable[[str], None] = lambda _: None,
    has_worker: bool = False,
) -> AsyncIterator[OpenNode]:
    """A node that has not looked at L1 yet; closed at the end.

    With several endpoints it follows what most of them say (`l1.heads`). It refuses to work where L1, as any
    of them shows it, holds another rollup, or another law, than `deployment` and this program.
    `history_days`: how long receipts are kept in `datadir`. `checkpoint`: see `Node`. `has_worker`: batches
    are executed in a process of their own. Raises DeploymentError, DeploymentMismatch, DirectoryInUse,
    ForeignState or L1Error.
    """
    file = Deployment.load(deployment)
    law = load_law(file.preset.name)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(L1Client(l1_rpc, timeout=l1_timeout))
        await verify_deployment(l1_rpc, file, law.image.root, l1_timeout=l1_timeout)
        store = None
        if datadir is not None:
            stack.enter_context(DirectoryLock(datadir))
            prepare_directory(datadir)
            store = stack.enter_context(StateStore(datadir / "state", file.identity))
        reader = EventReader(file.addresses)
        heads = None
        if len(set(l1_rpc)) > 1:
            heads = AgreedHeads.open(l1_rpc, timeout=l1_timeout)
            stack.push_async_callback(heads.close)
        follower = Follower(client, reader, start=file.block, tag=tag, heads=heads)
        executor = None
        if has_worker:
            keeps_receipts = store is not None and history_days > 0
            executor = await stack.enter_async_context(
                WorkerExecutor.open(law.preset, keeps_receipts=keeps_receipts)
            )
        node = Node(client, follower, reader, law.native, store, history_days, checkpoint, executor)
        if node.head is None:
            await verify_provenance(l1_rpc, file, l1_timeout=l1_timeout)
        yield OpenNode(node, client, file, law)
