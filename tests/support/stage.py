"""The mirror with a way back: what it plays can be undone, as by a reorg of L1; and it counts money."""

import copy
from collections.abc import Callable
from typing import Final

from challenger.calls import compute_call
from challenger.strategy import acts
from tests.support.mirror import MirrorArena, _hex

FUNDS: Final = 10**30  # wei that an account of the mirror begins with


class Stage(MirrorArena):
    """A mirror whose past can be taken back."""

    def remember(self) -> Callable[[], None]:
        """A point to return to: the function undoes, once, every act since. Time and batches stay."""
        contracts, logs = self.contracts, len(self.contracts._logs)
        point = contracts._evm.snapshot()
        kept = copy.deepcopy((self.state, self.lists, self.disputed))
        money, funded = (self.paid_in, self.paid_out), set(contracts._funded)

        def undo() -> None:
            contracts._evm.revert(point)
            del contracts._logs[logs:]
            self.state, self.lists, self.disputed = kept
            self.paid_in, self.paid_out = money
            contracts._funded = funded
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

    def try_with_gas(self, sender: bytes, act: acts.Act, gas: int, price: int = 0) -> bool:
        """Send an act to the contracts alone, with so much gas; whether it landed. To be undone."""
        contracts = self.contracts
        call = compute_call(act, self.parameters.bond)
        contracts.set_time(self.now)
        data = contracts.abis[call.contract].encode_call(call.function, *call.arguments)
        where = _hex(contracts.addresses[call.contract])
        try:
            contracts._evm.message_call(_hex(sender), where, calldata=data, gas=gas, gas_price=price)
        except RuntimeError:
            return False
        return True

    def get_gas_used(self) -> int:
        """Gas of the last call as a transaction of its own."""
        return int(self.contracts._evm.result.gas_used)
