"""Lies about real inputs, each played through the twin of the game until L1 rejects it.

A `Town` is some inputs under a law, cut into batches; `fight` is one liar against one honest player. The
honest player has the node's ledger and nothing else: it is never told what is false, nor where. The disputed
step is executed by the twin of `Step.sol` and by `Step.sol` itself, which must agree.
"""

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Final

from challenger.game.dispute import Machine as MachineRules
from challenger.game.types import Batch as SealedBatch
from challenger.game.types import Parameters
from challenger.strategy import acts
from challenger.trace.law import LawProvider, build_machine
from devnet.liar.faults import MachineEdit, StateEdit
from devnet.liar.provider import Liar, compute_liar_plan
from optimist.base.merkle import ZERO
from optimist.base.tags import FINAL
from optimist.derive.batch import Batch
from optimist.derive.commitments import GENESIS_ASSERTION, compute_assertion_id, compute_leaf
from optimist.node.ledger import Ledger
from optimist.prove.law import load_law
from optimist.vm.fast import advance
from optimist.vm.image import Image
from optimist.vm.isa import MEMORY_WORDS, RECORD_WORDS, ROW_BITS, Op
from optimist.vm.rare import CONTINUE, Core
from optimist.vm.state import MACHINE_BYTES, Machine
from optimist.vm.tamper import Edit
from tests.support.arena import Arena, address
from tests.support.museum import MuseumLaw, MuseumLedger, MuseumProvider, build_museum
from tests.support.step_contract import StepContract

HONEST, LIAR = address(1), address(2)
PARAMETERS: Final = Parameters()
BATCH_SIZE: Final = 17
ROOTS: Final = ("memory_root", "state_root", "base_root", "input_hash")
MAX_INPUT_BYTES: Final = 1_024  # what the Inbox takes
PATIENCE: Final = 20_000  # steps after which an edited machine is said to have stopped
LOOKS: Final = 40  # of each side: more than a match has moves


class Town:
    """Some inputs under a law: what every honest node knows about them."""

    def __init__(self, truth: LawProvider, to: int) -> None:
        """All batches up to `to` are one range."""
        self.truth = truth
        self.law = truth.law
        self.to = to
        self.sealed = [SealedBatch(ZERO, ZERO, 0)]
        self.inputs: list[bytes] = []
        for number in range(1, to + 1):
            batch = truth.source.get_batch(number)
            self.inputs += batch.inputs
            self.sealed.append(SealedBatch(batch.accumulator, batch.head, len(self.inputs)))
        self.machine = _check_by_contract(build_machine(self.law.image), self.law.image)

    @classmethod
    def under_the_law(cls, inputs: Sequence[bytes]) -> "Town":
        """A workload, cut into batches and applied by a node's ledger."""
        law = load_law("minimal")
        ledger = Ledger(law.native)
        possible = [data for data in inputs if 1 <= len(data) <= MAX_INPUT_BYTES]
        for number, part in enumerate(_split(possible), start=1):
            ledger.append(Batch(number, part, ledger.get_accumulator()), 0, 0, 0)
        return cls(LawProvider(PARAMETERS, ledger, law), ledger.batch_count)

    @classmethod
    def under_the_museum(cls) -> "Town":
        """Every opcode, also those that no law is compiled to."""
        image = build_museum()
        law = MuseumLaw("museum", load_law("minimal").program, image)
        return cls(MuseumProvider(PARAMETERS, MuseumLedger(image), law), 1)

    @cached_property
    def true_end(self) -> bytes:
        """What the honest player claims."""
        return compute_leaf(self.truth.get_end_root(self.to) or b"", self.to, ZERO)

    @cached_property
    def opcodes(self) -> list[list[Op]]:
        """What the true machine executes, step by step, for each input."""
        return [list(self._walk(number)) for number in range(len(self.inputs))]

    def _walk(self, number: int) -> Iterator[Op]:
        image, before = self.law.image, self.truth.get_replay(0, self.to).get_before(number)
        core = Core(image.words.copy(), image.entry, dict(before.state.items()), before.input)
        while core.result == CONTINUE:
            yield self._get_opcode_at(core.pc)
            advance(core, image.instructions, 1)

    def get_opcode(self, proof: bytes) -> Op:
        """What the step of a proof executes. A stopped machine, and one behind the program, count as ILL."""
        return Op.ILL if proof[0] == FINAL else self._get_opcode_at(Machine.decode(proof[:MACHINE_BYTES]).pc)

    def _get_opcode_at(self, pc: int) -> Op:
        program = self.law.image.program
        return Op(program[pc][0]) if pc < len(program) and program[pc][0] < len(Op) else Op.ILL

    def draw_step(self, rng: random.Random) -> tuple[int, int]:
        """Every step of every input is as likely as any other."""
        ends = list(accumulate(map(len, self.opcodes)))
        at = rng.randrange(ends[-1])
        number = bisect_right(ends, at)
        return number, at - (ends[number] - len(self.opcodes[number]))

    def draw_step_of(self, rng: random.Random, op: Op) -> tuple[int, int] | None:
        """A random step that executes `op`; None when no input does."""
        places = [(n, s) for n, ops in enumerate(self.opcodes) for s, each in enumerate(ops) if each is op]
        return rng.choice(places) if places else None

    def draw_field(self, rng: random.Random, number: int) -> str:
        """A field of the machine: a word of memory or of a record as often as one of the others."""
        kind = rng.choice(("pc", "memory", "record", *ROOTS))
        if kind == "memory":
            return f"memory.{rng.randrange(MEMORY_WORDS)}"
        if kind == "record":
            key = self.draw_key(rng, number)
            return f"record.{key >> ROW_BITS}.{key & (1 << ROW_BITS) - 1}.{rng.randrange(RECORD_WORDS)}"
        return kind

    def draw_key(self, rng: random.Random, number: int) -> int:
        """A record that exists after an input, or now and then one that does not."""
        replay = self.truth.get_replay(0, self.to)
        keys = {key for applied in replay.applied[: number + 1] for key in applied.outcome.changes}
        if not keys or rng.random() < 0.1:
            return rng.randrange(1, 12) << ROW_BITS | rng.randrange(1 << ROW_BITS)
        return rng.choice(sorted(keys))

    def draw_machine_edit(self, rng: random.Random, at: tuple[int, int] | None = None) -> MachineEdit:
        """A lie at a random step (or the one given) and field."""
        number, step = at or self.draw_step(rng)
        return MachineEdit(number, Edit(step, self.draw_field(rng, number), draw_delta(rng)))

    def draw_state_edit(self, rng: random.Random) -> StateEdit:
        """A lie about one word of one record after a random input."""
        number = rng.randrange(len(self.inputs))
        key = self.draw_key(rng, number)
        row = key & (1 << ROW_BITS) - 1
        return StateEdit(number, key >> ROW_BITS, row, rng.randrange(RECORD_WORDS), draw_delta(rng))


def draw_delta(rng: random.Random) -> int:
    """By how much something is false: by a little, by a lot, by a bit."""
    choices = (1, -1, rng.randrange(1, 10**6), -rng.randrange(1, 10**6), 1 << rng.randrange(40))
    return rng.choice(choices)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a lie ended. Exactly one of `opcode` (a step was proven), `is_padding` and `is_late` holds."""

    opcode: Op | None = None
    step: int = 0
    is_padding: bool = False
    is_late: bool = False
    refused: tuple[str, ...] = ()  # what L1 said to the liar's commitments


class SlippedThroughError(AssertionError):
    """A lie was not rejected, or an honest claim was lost."""


def fight(town: Town, liar: Liar, *, liar_first: bool) -> Verdict:
    """One assertion of the liar against one honest player, from the assertion to the confirmation.

    `liar_first`: the honest player opens the match, which puts the liar on turn; else the liar opens it.
    """
    arena = Arena(PARAMETERS, town.machine, town.sealed, now=1_000)
    arena.now += PARAMETERS.min_period
    root = liar.get_end_root(town.to)
    if root is None:
        raise ValueError("the liar does not know the range")
    arena.play(LIAR, acts.Stake())
    accumulator = town.sealed[town.to].accumulator
    error = arena.play(LIAR, acts.AssertState(GENESIS_ASSERTION, root, town.to, accumulator))
    if error:
        raise SlippedThroughError(f"the lie could not even be claimed: {error}")
    for _ in range(LOOKS):
        landed = arena.look_and_act(HONEST, town.truth)
        # Stubborn: whoever is on turn at the end, the disputed step gets executed.
        for act in compute_liar_plan(arena.facts, liar, LIAR, stubborn=True):
            if not (liar_first and isinstance(act, acts.OpenMatch)):
                arena.play(LIAR, act)
        if arena.state.stakers[LIAR].out:
            break
        # When nobody moves any more, only the clock is left.
        arena.now += 1 if landed else PARAMETERS.challenge_period
    _confirm(arena, town)
    return _judge(arena, town)


def _confirm(arena: Arena, town: Town) -> None:
    if not arena.state.stakers[LIAR].out or arena.state.stakers[HONEST].out:
        raise SlippedThroughError("the liar kept its bond, or the honest player lost it")
    arena.now += PARAMETERS.challenge_period + PARAMETERS.grace
    arena.look_and_act(HONEST, town.truth)
    node = compute_assertion_id(GENESIS_ASSERTION, town.true_end)
    if arena.state.rounds[GENESIS_ASSERTION].confirmed != node:
        raise SlippedThroughError("the truth was not confirmed")
    arena.check_ledger()


def _judge(arena: Arena, town: Town) -> Verdict:
    """What killed the liar, from the log of the game."""
    refused = tuple(
        error
        for _, sender, act, error in arena.log
        if sender == LIAR and error and isinstance(act, acts.CommitTrace | acts.CommitSecondTrace)
    )
    for _, _, act, error in arena.log:
        if error:
            continue
        match act:
            case acts.Prove(fork, proof):
                match_state = next(iter(arena.state.matches.values()))
                child = next(i for i, (a, b) in enumerate(zip(*fork.lists, strict=True)) if a != b)
                return Verdict(town.get_opcode(proof), match_state.start + child, refused=refused)
            case acts.ProvePadding():
                return Verdict(is_padding=True, refused=refused)
            case acts.Timeout() | acts.TimeoutReveal():
                return Verdict(is_late=True, refused=refused)
            case _:
                pass
    raise SlippedThroughError("nothing killed the liar")


def _check_by_contract(twin: MachineRules, image: Image) -> MachineRules:
    """The twin's machine, each step of which the contract executes as well."""
    contract = StepContract(image)

    def step(before: bytes, proof: bytes) -> bytes:
        after = twin.step(before, proof)
        if contract.step(before, proof) != after:
            raise SlippedThroughError("Step.sol and its twin differ")
        return after

    return MachineRules(twin.start, step)


def _split(inputs: Sequence[bytes]) -> Iterator[tuple[bytes, ...]]:
    yield tuple(inputs[:1])
    for first in range(1, len(inputs), BATCH_SIZE):
        yield tuple(inputs[first : first + BATCH_SIZE])
