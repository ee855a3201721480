"""Loops: `for i in range(...)`, with a number of rounds that the interval of its bounds limits."""

import ast
from typing import Final

from optimist.provable.check import expressions, functions, intrinsics, statements
from optimist.provable.check.checker import Checker, Expired, LoopExits, require_interval
from optimist.provable.check.flow import SCALAR, Flow, Place, join, place_of
from optimist.provable.check.interval import Interval, show_integer
from optimist.provable.check.symbols import FunctionSymbol
from optimist.provable.check.tree import (
    Evaluate,
    Expression,
    Loop,
    RecordKind,
    Statement,
    Variable,
    is_discardable,
)

MAX_ROUNDS: Final = (
    1 << 16
)  # of one loop; the bound on steps of the whole image is far below what this allows


def check_loop(c: Checker, node: ast.For) -> list[Statement]:
    """`for i in range(...)`: a loop, or nothing where the bounds allow no round. Raises Refused."""
    start, stop = _check_bounds(c, node)
    first, last = require_interval(start), require_interval(stop)
    rounds = last.high - first.low
    if rounds > MAX_ROUNDS:
        c.refuse(
            node.iter,
            f"this loop may run {show_integer(rounds)} rounds, at most {MAX_ROUNDS} are allowed",
            "write a bound: for i in range(min(n, LIMIT)), or require(n <= LIMIT, Code.X) before",
        )
    if rounds <= 0:
        c.note(node, "never reached: this loop has no rounds")
        return [Evaluate(part.location, part) for part in (start, stop) if not is_discardable(part)]
    return [_check_rounds(c, node, start, stop, rounds)]


def refuse_loop_variable(c: Checker, node: ast.AST, variable: Variable) -> None:
    """Raises Refused when a loop's own variable is assigned."""
    if any(variable is other for other in c.loop_variables):
        c.refuse(node, f"{variable.name} is the variable of this loop", "write another name")


def _check_bounds(c: Checker, node: ast.For) -> tuple[Expression, Expression]:
    if node.orelse or not isinstance(node.target, ast.Name):
        c.refuse(node, "a loop has one variable and no else", "write for i in range(n)")
    if not intrinsics.is_word(c, node.iter, "range"):
        c.refuse(node.iter, "loops run over range alone", "write for i in range(n)")
    match node.iter:
        case ast.Call(args=[stop_node], keywords=[]):
            return c.constant(node.iter, 0), expressions.check_integer(c, stop_node)
        case ast.Call(args=[start_node, stop_node], keywords=[]):
            start = expressions.check_integer(c, start_node)
            return start, expressions.check_integer(c, stop_node)
        case _:
            return c.refuse(node.iter, "range takes one or two bounds", "write range(n) or range(a, b)")


def _check_rounds(c: Checker, node: ast.For, start: Expression, stop: Expression, rounds: int) -> Loop:
    first, last = require_interval(start), require_interval(stop)
    certain = first.high < last.low
    before = c.flow.copy()
    name = node.target.id if isinstance(node.target, ast.Name) else ""
    reassigned = functions.assigned_names(ast.Module(node.body, []))
    _forget_changes(c, node, reassigned)
    variable = _new_loop_variable(c, node, name)
    c.flow.assigned[variable] = None
    c.flow.learn(Place(variable), Interval(first.low, last.high - 1))
    stop_place = place_of(stop)
    if stop_place and stop_place.offset == SCALAR and stop_place.variable.name not in reassigned:
        c.flow.learn_difference(stop_place, Place(variable), 1)
    c.loops.append(LoopExits())
    c.loop_variables.append(variable)
    body = statements.check_block(c, node.body)
    c.loop_variables.pop()
    exits = c.loops.pop()
    flows: list[Flow] = [c.flow, *exits.continues, *exits.breaks]
    c.flow = join(flows if certain else [before, *flows])
    c.flow.forget(Place(variable))
    c.flow.assigned.pop(variable, None)
    c.names[name] = Expired()
    changed = frozenset(
        found for other, found in c.names.items() if other in reassigned and isinstance(found, Variable)
    )
    return Loop(c.locate(node), variable, start, stop, body, rounds, certain, changed)


def _new_loop_variable(c: Checker, node: ast.For, name: str) -> Variable:
    if isinstance(c.names.get(name), Expired):
        del c.names[name]  # a second loop may use the name again
    if name in c.names:
        c.refuse(node.target, f"{name} is used already", "write another name for the loop's variable")
    return c.new_variable(node.target, name, None)


def _forget_changes(c: Checker, node: ast.For, reassigned: frozenset[str]) -> None:
    """A round starts with what the rounds before it may have left."""
    for name, variable in c.names.items():
        if name not in reassigned or not isinstance(variable, Variable):
            continue
        if isinstance(variable.kind, RecordKind):
            c.flow.forget_record(variable)
            continue
        c.flow.forget(Place(variable))
        if variable.kind is None and variable.declared is None and variable in c.flow.assigned:
            c.flow.stale[variable] = None
    if _may_write_records(c, node):
        c.flow.forget_fields()


def _may_write_records(c: Checker, node: ast.For) -> bool:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Attribute | ast.Subscript) and isinstance(inner.ctx, ast.Store):
            return True
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
            symbol = None if inner.func.id in c.names else c.linker.resolve(c.module, inner.func.id)
            if isinstance(symbol, FunctionSymbol):
                return True
    return False
