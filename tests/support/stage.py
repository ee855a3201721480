"""The mirror with a way back: what it plays can be undone, as by a reorg of L1, and batches can come late."""

import copy
from collections.abc import Callable, Sequence
from typing import Final

from challenger.game.types import Parameters
from optimist.derive.actions import Header
from optimist.derive.batch import Batch as DerivedBatch
from tests.support.mirror import MirrorArena, _hex, _sealed

FUNDS: Final = 10**30  # wei that an account of the mirror begins with


class Stage(MirrorArena):
    """A mirror whose past can be taken back and whose Inbox goes on."""

    def __init__(self, parameters: Parameters, batches: Sequence[Sequence[bytes]], max_batch: int) -> None:
        """`batches`: as in the mirror."""
        super().__init__(parameters, [list(rows) for rows in batches], max_batch)

    def seal(self, rows: Sequence[bytes]) -> list[bytes]:
        """Append a batch now; returns its inputs, header first."""
        number, last = len(self.state.batches), self.state.batches[-1]
        header = Header(number, self.now, self.now)
        batch = DerivedBatch(number, (header.encode(), *rows), last.accumulator)
        self.contracts.set_time(self.now)
        self.contracts.append_batch(batch, header, list(rows))
        self.inputs.append(list(batch.inputs))
        self.state.batches.append(_sealed(batch, last.cumulative))
        return list(batch.inputs)

    def remember(self) -> Callable[[], None]:
        """A point to return to: the function undoes everything that L1 has seen since, once. Time goes on."""
        contracts, logs = self.contracts, len(self.contracts._logs)
        point = contracts._evm.snapshot()
        kept = copy.deepcopy((self.state, self.lists, self.disputed))
        money, inputs = (self.paid_in, self.paid_out), len(self.inputs)

        def undo() -> None:
            contracts._evm.revert(point)
            del contracts._logs[logs:]
            del self.inputs[inputs:]
            self.state, self.lists, self.disputed = kept
            self.paid_in, self.paid_out = money
            self.rollup.state = self.dispute.state = self.state

        return undo

    def get_profit(self, *accounts: bytes) -> int:
        """Wei that accounts have won (below 0: lost); a stake still counts as theirs. Gas costs nothing."""
        contracts, profit = self.contracts, 0
        for account in accounts:
            if account in contracts._funded:
                profit += int(contracts._evm.get_balance(_hex(account))) - FUNDS
                profit += int(contracts.read("Rollup", "getStaker", account)["bond"])
        return profit

    def get_gas_used(self) -> int:
        """Gas of the last call as a transaction of its own."""
        return int(self.contracts._evm.result.gas_used)
