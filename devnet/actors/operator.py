"""An operator gone bad: posts whatever it likes under the sequencer's key. L1 takes it; the law need not."""

from collections.abc import Sequence

from devnet.history import RollupHistory
from devnet.wallet import Wallet
from optimist.derive.actions import Action, Sequenced
from optimist.derive.batch import Header, build_batch
from optimist.derive.rows import encode_rows
from optimist.l1.contracts import Contract
from optimist.l1.events import BatchSealed, QueueItem
from optimist.l1.types import Receipt


class Operator:
    """Holds the sequencer's key, and no scruples."""

    def __init__(self, wallet: Wallet, inbox: Contract) -> None:
        self._wallet = wallet
        self._inbox = inbox

    async def post(self, history: RollupHistory, actions: Sequence[Action], second: int) -> Receipt:
        """Post a batch at `second` after those of `history`: what waits in L1's queue, then `actions`.

        At most as many queue items may wait as fit one batch. The actions need not be valid.
        """
        last = history.batches[-1]
        sealed = last.sealed.event
        previous = sealed.last if isinstance(sealed, BatchSealed) else 0
        header = Header(last.batch.number + 1, max(previous, second), max(previous, second))
        rows = [Sequenced(header.first, action).encode() for action in actions]
        waiting = get_waiting(history)
        batch = build_batch(header, waiting, rows, last.batch.accumulator)
        return await self._wallet.call(
            self._inbox,
            "appendBatch",
            last.batch.accumulator,
            batch.accumulator,
            len(waiting),
            header.first,
            header.last,
            encode_rows(rows),
        )


def get_waiting(history: RollupHistory) -> list[bytes]:
    """Inputs of the queue items that no batch has taken."""
    items = [located.event.input for located in history.events if isinstance(located.event, QueueItem)]
    taken = sum(
        located.event.queue_count for located in history.events if isinstance(located.event, BatchSealed)
    )
    return items[taken:]
