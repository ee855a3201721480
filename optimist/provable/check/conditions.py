"""Conditions: what is compared, and what is known where they hold and where they do not."""

import ast
from collections.abc import Sequence
from typing import Final, NamedTuple

from optimist.provable.check import expressions
from optimist.provable.check.checker import Checker, require_interval, show_kind
from optimist.provable.check.flow import SCALAR, Flow, Place, join, place_of
from optimist.provable.check.interval import BOOLEAN, Interval
from optimist.provable.check.tree import (
    BOOL,
    Compare,
    Constant,
    Expression,
    Junction,
    Keep,
    Not,
    contains_call,
    is_discardable,
)
from optimist.vm.isa import Op


class Branches(NamedTuple):
    """A condition, and the flows where it holds and where it does not (either may be unreachable)."""

    condition: Expression
    holds: Flow
    fails: Flow


class _Relation(NamedTuple):
    op: Op
    swapped: bool


_RELATIONS: Final[dict[type[ast.cmpop], _Relation]] = {
    ast.Lt: _Relation(Op.LT, swapped=False),
    ast.LtE: _Relation(Op.LE, swapped=False),
    ast.Gt: _Relation(Op.LT, swapped=True),
    ast.GtE: _Relation(Op.LE, swapped=True),
    ast.Eq: _Relation(Op.EQ, swapped=False),
    ast.NotEq: _Relation(Op.NE, swapped=False),
}
# The relation that holds where another one fails; for LT and LE with the operands exchanged.
_OPPOSITE: Final = {Op.LT: Op.LE, Op.LE: Op.LT, Op.EQ: Op.NE, Op.NE: Op.EQ}


def check_condition(c: Checker, node: ast.expr) -> Branches:
    """Check a condition, starting from `c.flow`. The caller decides which flow to go on with."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = check_condition(c, operand)
            negated = Not(BOOLEAN, BOOL, c.locate(node), inner.condition)
            return Branches(negated, inner.fails, inner.holds)
        case ast.BoolOp(op=op, values=values):
            return _check_junction(c, node, isinstance(op, ast.And), values)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            return _check_comparison(c, node, left, ops, comparators)
        case _:
            value = expressions.check_expression(c, node)
            if value.kind is not BOOL:
                c.refuse(
                    node,
                    f"a condition is a bool, this is {show_kind(value.kind)}",
                    "write a comparison, such as x != 0",
                )
            holds, fails = c.flow.copy(), c.flow.copy()
            if isinstance(value, Constant):
                holds.reachable = value.word == 1
                fails.reachable = value.word == 0
            return Branches(value, holds, fails)


def check_condition_value(c: Checker, node: ast.expr) -> Expression:
    """A condition used as a value; `c.flow` goes on with what is known either way."""
    branches = check_condition(c, node)
    c.flow = join((branches.holds, branches.fails))
    decided = not branches.holds.reachable or not branches.fails.reachable
    if decided and is_discardable(branches.condition):
        return c.constant(node, branches.holds.reachable)
    return branches.condition


def _check_junction(c: Checker, node: ast.expr, is_and: bool, values: list[ast.expr]) -> Branches:
    parts: list[Expression] = []
    stops: list[Flow] = []
    for value in values:
        branches = check_condition(c, value)
        parts.append(branches.condition)
        c.flow, stop = (branches.holds, branches.fails) if is_and else (branches.fails, branches.holds)
        stops.append(stop)
        if not stop.reachable and is_discardable(branches.condition):
            parts.pop()  # the widths decide it
        if not c.flow.reachable:  # Python would never look at the rest
            break
    junction: Expression = Junction(BOOLEAN, BOOL, c.locate(node), is_and, parts)
    if not parts:
        junction = c.constant(node, is_and)
    through, stopped = c.flow, join(stops)
    return Branches(junction, through, stopped) if is_and else Branches(junction, stopped, through)


def _check_comparison(
    c: Checker, node: ast.expr, first: ast.expr, ops: Sequence[ast.cmpop], rest: Sequence[ast.expr]
) -> Branches:
    """A chain `a < b < c` is `a < b and b < c` with b evaluated once."""
    parts: list[Expression] = []
    fails: list[Flow] = []
    left = expressions.check_expression(c, first)
    for position, (op, right_node) in enumerate(zip(ops, rest, strict=True)):
        right = expressions.check_expression(c, right_node)
        is_last = position == len(ops) - 1
        carried = right
        if not is_last and not isinstance(right, Constant) and place_of(right) is None:
            right, carried = expressions.keep(right)
        compare = _compare(c, node, op, left, right)
        parts.append(compare)
        holds, fail = _split(c.flow, compare)
        fails.append(fail)
        if not fail.reachable and is_discardable(compare):
            parts.pop()  # the widths decide it
        c.flow = holds
        if not holds.reachable:
            break
        left = carried
    value: Expression = Junction(BOOLEAN, BOOL, c.locate(node), True, parts)
    if len(parts) < 2:
        value = parts[0] if parts else c.constant(node, True)
    return Branches(value, c.flow, join(fails))


def _compare(c: Checker, node: ast.expr, op: ast.cmpop, left: Expression, right: Expression) -> Compare:
    relation = _RELATIONS.get(type(op))
    if relation is None:
        c.refuse(node, "`in` and `is` compare containers and objects", "write ==, !=, <, <=, > or >=")
    if left.kind != right.kind:
        c.refuse(
            node,
            f"{show_kind(left.kind)} is compared with {show_kind(right.kind)}",
            "write both sides of one kind",
        )
    if left.kind is not None and relation.op not in (Op.EQ, Op.NE):
        c.refuse(node, f"{show_kind(left.kind)} has no order", "write == or !=")
    return Compare(BOOLEAN, BOOL, c.locate(node), relation.op, left, right, relation.swapped)


def _split(flow: Flow, compare: Compare) -> tuple[Flow, Flow]:
    holds, fails = flow.copy(), flow.copy()
    if compare.left.kind is None:
        lesser, greater = (compare.right, compare.left) if compare.swapped else (compare.left, compare.right)
        # A field on the left may have been changed by a call on the right: then nothing is learned of it.
        blind = compare.left if contains_call(compare.right) else None
        _assume(holds, compare.op, lesser, greater, blind)
        if compare.op in (Op.LT, Op.LE):
            lesser, greater = greater, lesser
        _assume(fails, _OPPOSITE[compare.op], lesser, greater, blind)
    return holds, fails


def _assume(flow: Flow, op: Op, a: Expression, b: Expression, blind: Expression | None) -> None:
    """Narrow what is known by `a op b`."""
    ia, ib = require_interval(a), require_interval(b)
    pa, pb = _visible(a, blind), _visible(b, blind)
    if op is Op.EQ:
        _narrow(flow, pa, ia, ib)
        _narrow(flow, pb, ib, ia)
        _learn(flow, pa, pb, 0)
        _learn(flow, pb, pa, 0)
    elif op is Op.NE:
        _exclude(flow, pa, ia, ib)
        _exclude(flow, pb, ib, ia)
    else:
        gap = 1 if op is Op.LT else 0
        _narrow(flow, pa, ia, Interval(min(ia.low, ib.high - gap), ib.high - gap))
        _narrow(flow, pb, ib, Interval(ia.low + gap, max(ib.high, ia.low + gap)))
        _learn(flow, pb, pa, gap)


def _visible(value: Expression, blind: Expression | None) -> Place | None:
    place = place_of(value.value) if isinstance(value, Keep) else place_of(value)
    return None if place is not None and value is blind and place.offset != SCALAR else place


def _narrow(flow: Flow, place: Place | None, current: Interval, bounds: Interval) -> None:
    if place is not None:
        flow.narrow(place, current, bounds)
    elif max(current.low, bounds.low) > min(current.high, bounds.high):
        flow.reachable = False


def _exclude(flow: Flow, place: Place | None, current: Interval, other: Interval) -> None:
    if other.low != other.high:
        return
    value = other.low
    if current == other:
        flow.reachable = False
    elif place is not None and value == current.low:
        flow.narrow(place, current, Interval(value + 1, current.high))
    elif place is not None and value == current.high:
        flow.narrow(place, current, Interval(current.low, value - 1))


def _learn(flow: Flow, a: Place | None, b: Place | None, least: int) -> None:
    if a is not None and b is not None:
        flow.learn_difference(a, b, least)
