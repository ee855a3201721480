"""The worst number of steps, over all inputs and states.

All branches but those of loops lead forward, so a path is a walk through increasing lines; a loop of n
rounds adds n - 1 times the longest way from its start back to it. A branch counts as if both sides were
always possible.
"""

from typing import Final, NamedTuple

from optimist.provable.emit.code import FunctionCode, Label, Line, LoopRange
from optimist.vm.isa import Op

NEVER: Final = -(1 << 62)  # steps of a path that does not exist
_ENDS: Final = (Op.RET, Op.REJ, Op.HALT)


class Steps(NamedTuple):
    """The longest of all paths, and the longest that passes through the function in question."""

    longest: int
    through: int

    def then(self, other: "Steps") -> "Steps":
        """One path, followed by another one."""
        through = max(self.through + other.longest, self.longest + other.through)
        return Steps(self.longest + other.longest, max(through, NEVER))

    def or_else(self, other: "Steps") -> "Steps":
        """The longer of two paths."""
        return Steps(max(self.longest, other.longest), max(self.through, other.through))

    def repeated(self, times: int) -> "Steps":
        """One path, `times` times over."""
        if times == 0:
            return NOTHING
        through = NEVER if self.through < 0 else self.longest * (times - 1) + self.through
        return Steps(self.longest * times, through)


NOTHING: Final = Steps(0, NEVER)
NOWHERE: Final = Steps(NEVER, NEVER)


def compute_worst_steps(entry: FunctionCode, through: FunctionCode | None = None) -> int:
    """Steps of the longest run from the entry, of those that call `through` if one is given (negative:
    none do).
    """
    steps = _Bound(through).of(entry)
    return steps.longest if through is None else steps.through


class _Bound:
    def __init__(self, through: FunctionCode | None) -> None:
        self.target = through
        self.known: dict[FunctionCode, Steps] = {}

    def of(self, code: FunctionCode) -> Steps:
        """From the first line of a function to its end, or to the end of the run."""
        if code not in self.known:
            _, end = self._walk(code, 0, len(code.lines), None)
            self.known[code] = Steps(end.longest, end.longest) if code is self.target else end
        return self.known[code]

    def _walk(
        self, code: FunctionCode, first: int, last: int, around: LoopRange | None
    ) -> tuple[Steps, Steps]:
        """(one round, the end) of lines first..last-1: up to the jump back of `around`, and up to any end."""
        loops = {loop.start.position: loop for loop in code.loops if loop is not around}
        before: dict[int, Steps] = {first: NOTHING}
        one_round = end = NOWHERE
        for position in range(first, last):
            reached = before.get(position)
            if reached is None:
                continue
            loop = loops.get(position)
            if loop is not None:
                inner, _ = self._walk(code, position, loop.back + 1, loop)
                reached = reached.then(inner.repeated(loop.rounds - 1))
            line = code.lines[position]
            after = reached.then(self._cost(line))
            if line.op in _ENDS:
                end = end.or_else(after)
                continue
            for following in _next_lines(line, position):
                if following > position:
                    before[following] = before.get(following, NOWHERE).or_else(after)
                elif around is not None and position == around.back:
                    one_round = after
        return one_round, end

    def _cost(self, line: Line) -> Steps:
        step = Steps(1, NEVER)
        return step.then(self.of(line.immediate)) if isinstance(line.immediate, FunctionCode) else step


def _next_lines(line: Line, position: int) -> list[int]:
    target = line.immediate
    if not isinstance(target, Label):
        return [position + 1]
    return [target.position] if line.op is Op.JMP else [position + 1, target.position]
