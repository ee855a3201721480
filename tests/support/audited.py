"""Inputs under a law, each of them judged by the auditor: at once, or against how the true law takes them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optimist.derive.actions import Deposit
from optimist.derive.decode import decode
from optimist.derive.typed_data import Domain
from optimist.provable import Receipt, State
from optimist.stf.inputs import ORIGIN_DEPOSIT
from optimist.stf.law import Apply
from tests.support.audit import audit
from tests.support.judging import judging
from tests.support.snapshot import Snapshot, Writes

Outcome = tuple[int, Writes]  # code, and what changed


class Auditor:
    """Follows the inputs of one history, and objects to the first that the law should not have taken so."""

    def __init__(self, domain: Domain) -> None:
        """Begins before the first input."""
        self.domain = domain
        self.before = Snapshot({})
        self.deposited = 0  # 1e-6 USD
        self.accepted = 0
        self.rejected = 0

    def judge(self, data: bytes, receipt: Receipt) -> None:
        """Judge what one more input did. Raises BrokenInvariantError."""
        before = self.before
        self.skip(data, receipt)
        if receipt.rejected:
            return
        self.before.check_conservation(self.deposited)
        audit(self.domain, data, before, self.before)

    def skip(self, data: bytes, receipt: Receipt) -> None:
        """Follow an input without judging it."""
        if receipt.rejected:
            self.rejected += 1
            with judging("frame"):
                assert not receipt.writes, "a rejected input left a trace"
            return
        self.accepted += 1
        if data[0] == ORIGIN_DEPOSIT:
            deposit = decode(data)
            assert isinstance(deposit, Deposit)
            self.deposited += deposit.amount
        self.before = self.before.then(receipt.writes)


def audit_all(domain: Domain, law: Apply, inputs: Iterable[bytes]) -> Auditor:
    """Apply inputs to the empty state and judge each. Raises BrokenInvariantError, with a note of which."""
    state, auditor = State(), Auditor(domain)
    for number, data in enumerate(inputs):
        try:
            auditor.judge(data, state.apply(law, data))
        except AssertionError as error:
            error.add_note(f"input {number}: {data.hex()}")
            raise
    assert dict(state.items()) == auditor.before.records, "receipts do not add up to the state"
    return auditor


@dataclass(frozen=True)
class Course:
    """Inputs, and how the true law takes each of them."""

    domain: Domain
    inputs: tuple[bytes, ...]
    outcomes: tuple[Outcome, ...]

    @classmethod
    def under(cls, law: Apply, domain: Domain, inputs: Sequence[bytes]) -> "Course":
        """Apply them to the empty state."""
        state = State()
        receipts = [state.apply(law, data) for data in inputs]
        return cls(domain, tuple(inputs), tuple((one.code, one.writes) for one in receipts))

    def is_noticed(self, law: Apply) -> bool:
        """True if the auditor objects to what another law does to these inputs.

        What it does as the true law does was judged there.
        """
        state, auditor, has_differed = State(), Auditor(self.domain), False
        try:
            for data, outcome in zip(self.inputs, self.outcomes, strict=True):
                receipt = state.apply(law, data)
                has_differed = has_differed or (receipt.code, receipt.writes) != outcome
                if has_differed:
                    auditor.judge(data, receipt)
                else:
                    auditor.skip(data, receipt)
        except AssertionError:
            return True
        return False
