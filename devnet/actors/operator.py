"""An operator gone bad: posts whatever it likes under the sequencer's key. L1 takes it; the law need not."""

from collections.abc import Sequence

from devnet.history import RollupHistory
from devnet.wallet import Wallet
from optimist.derive.actions import Action, Sequenced
from optimist.derive.batch import Header, build_batch
from optimist.derive.rows import encode_rows
from optimist.l1.contracts import Contract
from optimist.l1.events import BatchSealed
from optimist.l1.types import Receipt


class Operator:
    """Holds the sequencer's key, and no scruples."""

    def __init__(self, wallet: Wallet, inbox: Contract) -> None:
        self._wallet = wallet
        self._inbox = inbox

    async def post(self, history: RollupHistory, actions: Sequence[Action], second: int) -> Receipt:
        """Post a batch of `actions` at `second`, valid or not, after the batches of `history`.

        Waiting queue items are left to wait: they must not be overdue.
        """
        last = history.batches[-1]
        sealed = last.sealed.event
        previous = sealed.last if isinstance(sealed, BatchSealed) else 0
        header = Header(last.batch.number + 1, max(previous, second), max(previous, second))
        rows = [Sequenced(header.first, action).encode() for action in actions]
        batch = build_batch(header, [], rows, last.batch.accumulator)
        return await self._wallet.call(
            self._inbox,
            "appendBatch",
            last.batch.accumulator,
            batch.accumulator,
            0,
            header.first,
            header.last,
            encode_rows(rows),
        )
