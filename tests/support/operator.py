"""A sequencer of few words: seals what a test gives it, one batch at a time, with the devnet's real key."""

from collections.abc import Sequence

from devnet.actors.oracle import Oracle
from devnet.genesis import QUORUM
from devnet.network import Devnet
from devnet.wallet import Wallet
from optimist.derive.actions import Action, Sequenced
from optimist.derive.batch import Header, build_batch
from optimist.derive.rows import encode_rows
from optimist.derive.typed_data import Domain
from optimist.l1.client import L1Client, require_header
from optimist.l1.events import EventReader
from optimist.l1.follower import Follower
from optimist.node.node import Node
from optimist.store.state_store import StateStore


def make_node(
    network: Devnet,
    client: L1Client,
    store: StateStore | None = None,
    *,
    chunk: int = 50,
    history_days: int = 0,
) -> Node:
    """A node on the newest block of a devnet."""
    reader = EventReader(network.deployment.addresses)
    follower = Follower(client, reader, start=network.deployment.block, chunk=chunk)
    return Node(client, follower, reader, network.law.native, store, history_days)


class Operator:
    """Appends batches that follow what its own node has seen."""

    def __init__(self, network: Devnet, client: L1Client) -> None:
        self._inbox = network.get_contract("Inbox")
        self._client = client
        self._wallet = Wallet(client, network.cast.sequencer)
        self.node = make_node(network, client)
        domain = Domain(network.deployment.chain_id, network.deployment.addresses["Vault"])
        self.oracle = Oracle(domain, network.cast.oracle, QUORUM)

    async def seal(self, *actions: Action, queue: int | None = None, raw: Sequence[bytes] = ()) -> None:
        """Append one batch: `queue` waiting items (default: all), the actions, then inputs as they are."""
        await self.node.catch_up()
        ledger, head = self.node.ledger, require_header(await self._client.get_header("latest"), "latest")
        last = ledger.last
        assert last is not None
        waiting = self.node.get_queue(last.queue_next)
        items = [item.input for item in (waiting if queue is None else waiting[:queue])]
        second = max(last.last, head.timestamp)
        sequenced = [*(Sequenced(second, action).encode() for action in actions), *raw]
        header = Header(last.batch.number + 1, second, second)
        batch = build_batch(header, items, sequenced, ledger.get_accumulator())
        rows = encode_rows(sequenced)
        await self._wallet.call(
            self._inbox,
            "appendBatch",
            batch.previous_accumulator,
            batch.accumulator,
            len(items),
            second,
            second,
            rows,
        )
        await self.node.catch_up()

    async def publish(self, market: int, price: int) -> None:
        """Seal a batch with one price update (1e-8 USD) that the law accepts."""
        head = require_header(await self._client.get_header("latest"), "latest")
        await self.seal(self.oracle.sign(market, price, head.timestamp))
