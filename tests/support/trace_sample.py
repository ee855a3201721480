"""States of real traces, sampled fairly: spread over programs and their instructions, repeatable by a seed.

First all histories are run and every execution of every instruction has the same chance to be kept (a
reservoir for each instruction). Then each opcode, and each cause of rejection, takes its quota evenly from
the instructions that have it: a hot loop gives no more than a line that is executed now and then. Last the
histories are run again, and the machine is stopped where something was chosen.
"""

import random
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from optimist.vm.fast import STEP_LIMIT, advance
from optimist.vm.image import Image
from optimist.vm.isa import REJECT_DIVISION, Op
from optimist.vm.rare import CONTINUE
from optimist.vm.walker import Walker
from tests.support.compiled_programs import History
from tests.support.machine_cases import DIVISIONS, ORDINARY, Cell

LEAST_KEPT: Final = 16  # executions of one instruction that are remembered, of which some are then chosen


class Place(NamedTuple):
    """One step of one execution."""

    history: int
    input: int
    step: int


class Site(NamedTuple):
    """One instruction of one image, and why it stopped the machine (or ORDINARY)."""

    image: int
    pc: int
    cell: Cell


@dataclass(slots=True)
class Reservoir:
    """At most `size` executions of a site, each of the `seen` ones with the same chance."""

    size: int
    seen: int = 0
    places: list[Place] = field(default_factory=list)


class Survey:
    """What histories execute: some places of each site."""

    def __init__(self, histories: Sequence[History], seed: int, wanted: int) -> None:
        self.sites: dict[Site, Reservoir] = {}
        self._rng = random.Random(seed)
        self._wanted = wanted
        self._ordinary: dict[int, list[Reservoir | None]] = {}  # image -> pc -> its ordinary executions
        for number, history in enumerate(histories):
            ordinary = self._ordinary.setdefault(id(history.image), [None] * len(history.image.program))
            sizes = _find_sizes(history.image, self._wanted)
            for index, walker in enumerate(history.walk()):
                self._survey(number, index, walker, ordinary, sizes)

    def _survey(
        self, number: int, index: int, walker: Walker, ordinary: list[Reservoir | None], sizes: list[int]
    ) -> None:
        """Run one input to its end."""
        core, program, choose = walker.core, walker.image.instructions, self._rng.random
        while core.result == CONTINUE:
            pc, step = core.pc, core.steps
            advance(core, program, 1)
            reservoir = ordinary[pc]
            if reservoir is None or core.result >= 0:
                op = Op(program[pc][0])
                site = Site(id(walker.image), pc, (op, find_cause(op, core.result)))
                reservoir = self.sites.setdefault(site, Reservoir(sizes[op]))
                if site.cell[1] == ORDINARY:
                    ordinary[pc] = reservoir
            reservoir.seen += 1
            if len(reservoir.places) < reservoir.size:
                reservoir.places.append(Place(number, index, step))
            elif (slot := int(choose() * reservoir.seen)) < reservoir.size:
                reservoir.places[slot] = Place(number, index, step)

    def choose(self, cells: Container[Cell], histories: Iterable[History], wanted: int) -> list[Place]:
        """That many places, or all there are, evenly from the sites of these cells in these histories."""
        images = {id(history.image) for history in histories}
        found = [
            reservoir.places
            for site, reservoir in self.sites.items()
            if site.cell in cells and site.image in images
        ]
        shares = share_evenly(wanted, [len(places) for places in found])
        chosen = [self._rng.sample(places, share) for places, share in zip(found, shares, strict=True)]
        mixed = [place for places in chosen for place in places]
        self._rng.shuffle(mixed)  # so that the first ones are as good a sample as any
        return mixed


def _find_sizes(image: Image, wanted: int) -> list[int]:
    """Of how many executions of an instruction to keep track, by its opcode: the rarer, the more."""
    count = [0] * len(Op)
    for op, *_ in image.instructions[: len(image.program)]:
        count[op] += 1
    return [max(LEAST_KEPT, 4 * wanted // max(1, number)) for number in count]


def find_cause(op: Op, result: int) -> str:
    """What made an instruction reject, by the machine's own code; ORDINARY when it was meant to end so.

    Raises ValueError where a compiled program rejects as none can.
    """
    if result < 0 or op == Op.REJ:
        return ORDINARY
    if op in DIVISIONS and result == REJECT_DIVISION:
        return "division by zero"
    if op in (Op.CHKU, Op.CHKS):
        return "width"
    raise ValueError(f"{op.name} of a compiled program rejected with code {result}")


def share_evenly(wanted: int, limits: Sequence[int]) -> list[int]:
    """Shares, none above its limit, whose sum is `wanted` or the sum of all limits, as even as can be."""
    shares = [0] * len(limits)
    left = wanted
    ascending = sorted(range(len(limits)), key=limits.__getitem__)
    for done, index in enumerate(ascending):
        shares[index] = min(limits[index], left // (len(limits) - done))
        left -= shares[index]
    return shares


def visit(histories: Sequence[History], chosen: Iterable[Place]) -> Iterator[tuple[Place, Walker]]:
    """Each chosen place with its machine, in order. The machine may be moved by one step, not more."""
    steps: defaultdict[int, defaultdict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place in sorted(chosen):
        steps[place.history][place.input].append(place.step)
    for number, inputs in steps.items():
        for index, walker in enumerate(histories[number].walk()):
            for step in inputs[index]:
                walker.skip(step - walker.core.steps)
                yield Place(number, index, step), walker
            if not walker.has_stopped:
                advance(walker.core, walker.image.instructions, STEP_LIMIT)
