"""Inputs through L1's queue, each until it has had its turn; and public batches.

A forced input may be rejected, and then leaves no trace: the sequencer took it at a second at which it was
too early, or something came before it. So each wish has numbered attempts. One that is still in the queue is
enough; one that had its turn, while the wish remains, is followed by the next.
"""

from itertools import count

import structlog

from optimist.l1.errors import L1Inconsistent, Reverted
from optimist.l1.events import EventReader, QueueItem
from optimist.l1.sender import Call, Sender
from optimist.l1.types import Receipt
from optimist.node.opening import OpenNode

log = structlog.get_logger(__name__)


class Forcer:
    """Forces and seals with one key."""

    def __init__(self, opened: OpenNode, sender: Sender) -> None:
        self._opened = opened
        self._sender = sender
        self._inbox = opened.deployment.get_contract("Inbox")
        self._reader = EventReader(opened.deployment.addresses)
        self._had_their_turn: dict[str, int] = {}

    async def force(self, wish: str, payload: bytes) -> int:
        """Put `payload` into the queue, unless an attempt at this wish waits there; its index.

        Raises SendError or L1Error.
        """
        for attempt in count(self._had_their_turn.get(wish, 0)):
            call = Call(f"{wish}:{attempt}", self._inbox.address, self._inbox.encode("force", payload))
            index = self._read_index(await self._sender.send(call))
            last = self._opened.node.ledger.last
            if last is None or index >= last.queue_next:
                return index
            self._had_their_turn[wish] = attempt + 1
        raise AssertionError("there is always another attempt")

    async def seal(self) -> bool:
        """Seal a public batch of what waits; False when somebody else was quicker, or nothing is overdue.

        Raises SendError or L1Error.
        """
        node = self._opened.node
        last = node.ledger.last
        waiting = node.queue_length - (last.queue_next if last else 0)
        amount = min(waiting, self._opened.deployment.preset.max_queue_items)
        purpose = f"seal:{node.ledger.batch_count + 1}"
        try:
            await self._sender.send(
                Call(purpose, self._inbox.address, self._inbox.encode("sealPublic", amount))
            )
        except Reverted as error:
            log.info("not_sealed", reason=str(error))
            return False
        return True

    def _read_index(self, receipt: Receipt) -> int:
        for entry in receipt.logs:
            if entry.address == self._inbox.address:
                event = self._reader.read(entry).event
                if isinstance(event, QueueItem):
                    return event.index
        raise L1Inconsistent(f"transaction 0x{receipt.transaction.hex()} put nothing into the queue")
