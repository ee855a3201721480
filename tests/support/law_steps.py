"""Steps of the real law on real workloads, for comparing the faces of the machine."""

from collections import Counter
from collections.abc import Iterator

from optimist.prove.law import load_law
from optimist.vm.image import Image
from optimist.vm.isa import PROGRAM_WORDS, Instruction, Op
from optimist.vm.records import ABSENT, build_state_tree, compute_record_leaf
from optimist.vm.walker import Walker
from tests.support.workload import generate_workload

PRESET = "minimal"


def get_image() -> Image:
    """The law as the machine runs it."""
    return load_law(PRESET).image


def get_next_op(walker: Walker) -> Op:
    """The opcode that a machine is going to execute; ILL for everything that is none."""
    if walker.core.pc >= PROGRAM_WORDS:
        return Op.ILL
    op = Instruction.decode(walker.image.program_tree.get(walker.core.pc)).op
    return op if isinstance(op, Op) else Op.ILL


def walk_workload(seed: int) -> Iterator[Walker]:
    """A machine before each input of a workload. It has to be run to its end before the next is asked for."""
    image = get_image()
    records: dict[int, bytes] = {}
    tree = build_state_tree(records)
    for data in generate_workload(seed, preset=PRESET).inputs:
        walker = Walker(image, tree, records, data)
        yield walker
        if not walker.has_stopped:
            raise RuntimeError("the machine was left before it stopped")
        changes = {} if walker.is_rejected else walker.core.writes
        for key, record in changes.items():
            if record == ABSENT:
                records.pop(key, None)
            else:
                records[key] = record
        tree.update((key, compute_record_leaf(record)) for key, record in changes.items())


def find_steps(seed: int, wanted: int, seen: Counter[Op]) -> Iterator[Walker]:
    """Machines before steps of a workload: of each opcode only until `seen` counts `wanted` of it.

    The caller moves the machine by one step each time, and counts it in `seen`.
    """
    for walker in walk_workload(seed):
        while not walker.has_stopped:
            if seen[get_next_op(walker)] < wanted:
                yield walker
            else:
                walker.advance()
