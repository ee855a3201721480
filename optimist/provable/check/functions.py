"""Functions: parameters, results, and what a body needs to know before it is read."""

import ast

from optimist.provable.check import statements
from optimist.provable.check.checker import Checker
from optimist.provable.check.declarations import resolve_annotation
from optimist.provable.check.flow import Flow, Place, join, may_alias, place_of
from optimist.provable.check.interval import Interval
from optimist.provable.check.symbols import KindSymbol, RecordSymbol, VectorSymbol, WidthSymbol
from optimist.provable.check.tree import (
    Binary,
    Constant,
    Expression,
    Kind,
    Scalar,
    Statement,
    contains_call,
)
from optimist.provable.widths import Range
from optimist.vm.isa import Op


def check_function(c: Checker, node: ast.FunctionDef) -> None:
    """Check a function that is compiled once: fills in `c.function`."""
    c.results = check_results(c, node)
    c.function.results = c.results
    c.peeked = peeked_names(node)
    for parameter in _parameters(c, node):
        kind = check_parameter_kind(c, parameter)
        variable = c.new_variable(parameter, parameter.arg, kind)
        variable.is_parameter = True
        c.flow.assigned[variable] = None
        if isinstance(kind, Range):
            c.flow.learn(Place(variable), Interval(kind.low, kind.high))
        c.function.parameters.append(variable)
    c.function.body = check_body(c, node)
    c.function.ends_open = c.flow.reachable


def check_body(c: Checker, node: ast.FunctionDef) -> list[Statement]:
    """The statements of a function; `c.flow` is left at its end."""
    body = statements.check_block(c, node.body)
    if c.results and c.flow.reachable:
        c.refuse(
            node,
            f"{node.name} can reach its end without a result",
            "write a return or reject(...) on every path",
        )
    return body


def join_exits(c: Checker) -> Flow:
    """What is known after an inlined body: its returns and its end meet."""
    return join([*c.exits, c.flow])


def check_parameter_kind(c: Checker, parameter: ast.arg) -> Kind:
    """The declared kind of a parameter. Raises Refused."""
    if parameter.annotation is None:
        c.refuse(parameter, f"parameter {parameter.arg} has no kind", f"write {parameter.arg}: u64")
    symbol = resolve_annotation(c.linker, c.module, parameter.annotation)
    match symbol:
        case RecordSymbol(kind=record):
            return record
        case WidthSymbol(width=width):
            return width
        case KindSymbol(kind=kind):
            return kind
        case _:
            return c.refuse(parameter, "a vector is no parameter", "write the record that holds it")


def check_results(c: Checker, node: ast.FunctionDef) -> list[Scalar]:
    """The declared kinds of the results. Raises Refused."""
    match node.returns:
        case ast.Constant(value=None):
            return []
        case None:
            return c.refuse(node, f"{node.name} does not say what it returns", "write -> None, or -> u64")
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=elements)):
            return [_check_result(c, element) for element in elements]
        case annotation:
            return [_check_result(c, annotation)]


def _check_result(c: Checker, node: ast.expr) -> Scalar:
    match resolve_annotation(c.linker, c.module, node):
        case WidthSymbol(width=width):
            return width
        case KindSymbol(kind=kind):
            return kind
        case VectorSymbol() | RecordSymbol():
            return c.refuse(
                node,
                "a function returns no record: Python would share it, the machine would copy it",
                "write a record parameter that the function fills",
            )
        case _:
            return c.refuse(node, "this is no kind of result", "write a width, bool or b32")


def _parameters(c: Checker, node: ast.FunctionDef) -> list[ast.arg]:
    arguments = node.args
    plain = not (
        arguments.posonlyargs
        or arguments.kwonlyargs
        or arguments.vararg
        or arguments.kwarg
        or arguments.defaults
    )
    if not plain or getattr(node, "type_params", None):
        c.refuse(node, f"{node.name} has more than plain parameters", "write def f(a: u64, b: i64) -> i64")
    return arguments.args


def assigned_names(node: ast.AST) -> frozenset[str]:
    """Every name that is assigned inside of `node`. For membership only."""
    return frozenset(
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    )


def peeked_names(node: ast.AST) -> frozenset[str]:
    """Every name that some assignment binds to a peeked record. For membership only."""
    found = []
    for inner in ast.walk(node):
        match inner:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="peek"))):
                found.append(name)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(func=ast.Name(id="peek"))):
                found.append(name)
            case _:
                pass
    return frozenset(found)


def remember(flow: Flow, place: Place, value: Expression) -> None:
    """The place takes this value: what was known of it is replaced by what is known of the value."""
    facts = _differences(place, value)
    flow.forget(place)
    flow.assigned[place.variable] = None
    flow.stale.pop(place.variable, None)
    if value.kind is None and value.interval is not None:
        flow.learn(place, value.interval)
    for a, b, least in facts:
        flow.learn_difference(a, b, least)


def _differences(place: Place, value: Expression) -> list[tuple[Place, Place, int]]:
    """(a, b, k) with a - b >= k that hold once `place` has the value of `value`."""
    if contains_call(value):
        return []  # a field that was read may have been changed since
    source = _other(place, value)
    if source is not None and value.kind is None:
        return [(place, source, 0), (source, place, 0)]
    if not isinstance(value, Binary):
        return []
    left, right = _other(place, value.left), _other(place, value.right)
    operands = [operand for operand in (left, right) if operand is not None]
    if value.op is Op.MIN:
        return [(operand, place, 0) for operand in operands]
    if value.op is Op.MAX:
        return [(place, operand, 0) for operand in operands]
    if value.op in (Op.ADD, Op.SUB) and left is not None and isinstance(value.right, Constant):
        by = value.right.word if value.op is Op.ADD else -value.right.word
        return [(place, left, by), (left, place, -by)]
    return []


def _other(place: Place, value: Expression) -> Place | None:
    """The place that `value` reads, unless writing to `place` may change it."""
    found = place_of(value)
    if found is None or (found.offset == place.offset and may_alias(found.variable, place.variable)):
        return None
    return found
