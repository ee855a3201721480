"""The liar's truth: a `TraceProvider` with one fault in it, consistent wherever it can be.

Level 1. Up to the fault the leaves are the true ones. From there on the liar runs the law (or its own) on
its own state: no later input contradicts it. Where a fault has no state behind it (a bare hash), all later
roots are false by the same amount.

Level 2. L1 fixes how the disputed input begins and, from the claimed root, how it ends. In between a liar is
true for as long as it likes: it runs the true machine up to the false step, edits it, and runs on. A patched
law simply runs its own image, which is the true one up to the patched instruction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from challenger.game.dispute import Opening
from challenger.game.lists import History
from challenger.strategy.acts import Act, Prove, ProvePadding
from challenger.strategy.strategy import compute_plan
from challenger.strategy.view import Facts
from challenger.trace.law import LawProvider
from challenger.trace.replay import Before, Outcome, Replay, apply_law
from devnet.liar.faults import Fault, MachineEdit, Padding, PatchedLaw, StateEdit, WrongLeaf
from optimist.derive.commitments import compute_leaf
from optimist.prove.law import Law
from optimist.vm.fast import STEP_LIMIT, StepLimitExceeded, run
from optimist.vm.records import ABSENT, compute_record_key, compute_record_leaf, pack_record, unpack_record
from optimist.vm.state import compute_final_state
from optimist.vm.tamper import Edit
from optimist.vm.trace import Trace
from optimist.vm.walker import add_to_hash
from optimist.vm.word import wrap

OFFSET = 1  # what a root is false by when the fault itself has left it true


class Liar:
    """A `TraceProvider` that believes in `fault` since batch `since`; before it, in the truth.

    `own_law` is the patched law of a PatchedLaw. A fault may leave no trace: an edited word that nobody
    reads, a record that the next input overwrites. With `insist`, all roots from the false input on are false
    by one more, and the fault itself stays the first false step. An edited machine that has not stopped after
    `step_limit` steps is said to have stopped.
    """

    def __init__(
        self,
        truth: LawProvider,
        fault: Fault,
        *,
        since: int = 0,
        own_law: Law | None = None,
        insist: bool = False,
        step_limit: int = STEP_LIMIT,
    ) -> None:
        if isinstance(fault, PatchedLaw) and own_law is None:
            raise ValueError(f"the liar needs the law that was patched by {fault.name}")
        self.truth = truth
        self.parameters = truth.parameters
        self.source = truth.source
        self.law = truth.law
        self.own_law = own_law or truth.law
        self.fault = fault
        self.since = since
        self.insist = insist
        self.step_limit = step_limit
        self._offset = 0
        self._edited: Trace | None = None  # the machine's way through the false input, once it was walked
        self._traces: dict[int, _LyingTrace] = {}

    @cached_property
    def chain(self) -> Replay:
        """All inputs since the liar began, as it tells them."""
        if isinstance(self.fault, MachineEdit | StateEdit | WrongLeaf):
            index = self.fault.input - self._first
            batch = self.since
            while self.source.get_input_count(batch) <= self.fault.input:
                batch += 1
            shared = self.truth.get_replay(self.since, batch)
            return Replay.fork(shared, self.source, index, self._apply)
        return Replay(self.source, self.since, self._apply)

    # ----------------------------------------------------------------------------------- as every provider

    def get_end_root(self, batch: int) -> bytes | None:
        """See `TraceProvider`."""
        if batch <= self.since or self.source.get_end_root(batch) is None:
            return self.source.get_end_root(batch)
        self.chain.extend(batch)
        last = self.source.get_input_count(batch) - self.source.get_input_count(self.since) - 1
        root = self.chain.applied[last].root
        if isinstance(self.fault, Padding):
            root = add_to_hash(root, OFFSET)
        return root

    def get_history(self, start: int, to: int) -> History:
        """See `TraceProvider`."""
        if start < self.since:
            return self.truth.get_history(start, to)
        self.chain.extend(to)
        first = self._index(start, 0)
        count = self.source.get_input_count(to) - self.source.get_input_count(start)
        ends = [self._get_leaf(first + position) for position in range(count)]
        if isinstance(self.fault, Padding):
            root = self.get_end_root(to)
            ends += [ends[-1]] * self.fault.position + [compute_leaf(root or b"", to, bytes(32))]
        return History(self.parameters.arity, self.parameters.input_height, ends)

    def get_opening(self, start: int, position: int) -> Opening:
        """See `TraceProvider`."""
        if start < self.since:
            return self.truth.get_opening(start, position)
        return self._through(start, position).applied[self._index(start, position)].opening

    def get_root_after(self, start: int, position: int) -> bytes:
        """See `TraceProvider`."""
        if start < self.since:
            return self.truth.get_root_after(start, position)
        return self._through(start, position).applied[self._index(start, position)].root

    def get_trace(self, start: int, position: int) -> History:
        """See `TraceProvider`."""
        if start < self.since:
            return self.truth.get_trace(start, position)
        hashes = self._get_trace(start, position).hashes
        return History(self.parameters.arity, self.parameters.step_height, hashes)

    def get_step_proof(self, start: int, position: int, step: int) -> bytes:
        """See `TraceProvider`. Of the liar's own machine: L1 accepts none that would prove the lie."""
        if start < self.since:
            return self.truth.get_step_proof(start, position, step)
        return self._get_trace(start, position).trace.proof(step)

    # --------------------------------------------------------------------------------------------- level 1

    def _apply(self, before: Before) -> Outcome:
        outcome = self._apply_fault(before)
        self._offset = self._offset or outcome.offset
        return replace(outcome, offset=self._offset)

    def _apply_fault(self, before: Before) -> Outcome:
        match self.fault:
            case MachineEdit(number, edit) if number == before.number:
                return self._run_edited(before, edit)
            case StateEdit(number) if number == before.number:
                return self._edit_state(before, self.fault)
            case WrongLeaf(number) if number < before.number:
                return replace(apply_law(self.law.native, before), offset=OFFSET)
            case MachineEdit() | StateEdit():
                # The native law need not be total over states that no law leads to. The machine is.
                return self._run_on_false_state(before)
            case PatchedLaw():
                return apply_law(self.own_law.native, before)
            case _:
                return apply_law(self.law.native, before)

    def _edit_state(self, before: Before, fault: StateEdit) -> Outcome:
        changes = dict(apply_law(self.law.native, before).changes)
        key = compute_record_key(fault.table, fault.row)
        words = unpack_record(before.state.get_bytes(key) or ABSENT)
        words[fault.word] = wrap(words[fault.word] + fault.delta)
        changes[key] = pack_record(words)
        return Outcome(changes, OFFSET if self.insist else 0)

    def _run_edited(self, before: Before, edit: Edit) -> Outcome:
        records = dict(before.state.items())
        image, limit = self.law.image, self.step_limit
        tree = before.tree.copy()  # the replay goes on with its own
        edited = Trace(image, tree, records, before.input, edit=edit, step_limit=limit)
        self._edited = edited
        changes = edited.execution.writes
        if compute_final_state(_compute_root(before, changes)) != edited.hashes[-1]:
            return Outcome(changes, edit.delta)  # a bare hash was edited: no records stand behind the root
        return Outcome(changes, OFFSET if self.insist else 0)

    def _run_on_false_state(self, before: Before) -> Outcome:
        try:
            return Outcome(run(self.law.image, dict(before.state.items()), before.input).writes)
        except StepLimitExceeded:  # a count in the false state is larger than any that the law can write
            return Outcome({})

    def _get_leaf(self, index: int) -> bytes:
        applied = self.chain.applied[index]
        if isinstance(self.fault, WrongLeaf) and self.fault.input == self._first + index:
            batch, rest = applied.batch, applied.opening.next_rest
            if self.fault.part == "batch":
                batch = (batch + self.fault.delta) % 2**64
            else:
                rest = add_to_hash(rest, self.fault.delta)
            return compute_leaf(applied.root, batch, rest)
        return self.chain.get_leaf(index)

    # --------------------------------------------------------------------------------------------- level 2

    def _get_trace(self, start: int, position: int) -> "_LyingTrace":
        index = self._index(start, position)
        if index not in self._traces:
            self._through(start, position)
            self._traces[index] = self._build_trace(index)
        return self._traces[index]

    def _build_trace(self, index: int) -> "_LyingTrace":
        before, claimed = self.chain.get_before(index), self.chain.applied[index].root
        if (
            self._edited is not None
            and isinstance(self.fault, MachineEdit)
            and self.fault.input == before.number
        ):
            trace = self._edited
        else:
            image = self.own_law.image if isinstance(self.fault, PatchedLaw) else self.law.image
            trace = Trace(image, before.tree, dict(before.state.items()), before.input)
        # Whatever the machine did, L1 asks for a last state that follows from the claimed root.
        return _LyingTrace(trace, [*trace.hashes[:-1], compute_final_state(claimed)])

    # --------------------------------------------------------------------------------------------- helpers

    @property
    def _first(self) -> int:
        return self.source.get_input_count(self.since)

    def _index(self, start: int, position: int) -> int:
        return self.source.get_input_count(start) - self._first + position

    def _through(self, start: int, position: int) -> Replay:
        batch = self.chain.last_batch
        while self.source.get_input_count(batch) <= self.source.get_input_count(start) + position:
            batch += 1
        self.chain.extend(batch)
        return self.chain


@dataclass(frozen=True, slots=True)
class _LyingTrace:
    trace: Trace
    hashes: Sequence[bytes]


def compute_liar_plan(facts: Facts, provider: Liar, player: bytes, *, stubborn: bool = False) -> list[Act]:
    """What the best liar does: all that an honest player would, except asking L1 who is right.

    A stubborn one asks as well, and loses by a proof where the other would have lost by its clock.
    """
    acts = compute_plan(facts, provider, player).acts
    return acts if stubborn else [act for act in acts if not isinstance(act, Prove | ProvePadding)]


def _compute_root(before: Before, changes: dict[int, bytes]) -> bytes:
    tree = before.tree.copy()
    return tree.update((key, compute_record_leaf(record)) for key, record in changes.items())
