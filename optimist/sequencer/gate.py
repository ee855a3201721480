"""What must hold before a sequencer takes actions again: everything it starts from fits to everything else.

    state      sound in itself (`node/audit.py`): after L1's last batch, and where the journal leads to
    Vault      holds what the state owes and what waits in the queue, asked of L1 at the block of that state

Matching itself resumes market by market, as each gets a price newer than the start (`Sequencer`).
"""

from dataclasses import dataclass

import structlog

from optimist.derive.actions import Deposit
from optimist.derive.decode import decode
from optimist.l1.events import Paid
from optimist.node.audit import Audit
from optimist.node.opening import OpenNode
from optimist.provable import State

log = structlog.get_logger(__name__)


class GateClosed(Exception):
    """What the sequencer would start from does not fit together: a person must look before anybody trades."""


@dataclass(frozen=True, slots=True)
class Money:
    """1e-6 USD, at one block of L1. `paid`: in withdrawals so far, `queued`: deposits that no batch has."""

    held: int
    paid: int
    queued: int
    owed: int

    @property
    def surplus(self) -> int:
        """What nobody is owed: deposits that the law had to reject."""
        return self.held + self.paid - self.queued - self.owed


async def check_gate(opened: OpenNode, state: State) -> None:
    """`state`: where the journal leads to. Raises GateClosed, or L1Error."""
    faults = [f"after L1's last batch: {fault}" for fault in Audit(opened.node.ledger.state).find_faults()]
    faults += [f"after the journal: {fault}" for fault in Audit(state).find_faults()]
    money = await read_money(opened)
    if money is not None and money.surplus < 0:
        faults.append(f"the Vault lacks {-money.surplus} of what the state owes: {money}")
    if faults:
        raise GateClosed(
            "the sequencer does not start, because its state is not sound. Keep the data directory, start a "
            "node on an empty one (`optimist derive`) and compare: " + "; ".join(faults[:10])
        )
    log.info("gate_passed", surplus=money.surplus if money else None)


async def read_money(opened: OpenNode) -> Money | None:
    """What L1 holds and what the state after its last batch owes; None before the first look at L1."""
    node = opened.node
    if node.head is None:
        return None
    held = await opened.deployment.get_contract("Vault").read(opened.client, node.head.hash, "held")
    last = node.ledger.last
    waiting = [decode(item.input) for item in node.get_queue(last.queue_next if last else 0)]
    return Money(
        held=int(held),
        paid=sum(located.event.amount for located in node.events if isinstance(located.event, Paid)),
        queued=sum(each.amount for each in waiting if isinstance(each, Deposit)),
        owed=Audit(node.ledger.state).compute_owed(),
    )
