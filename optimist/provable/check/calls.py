"""Calls: of functions of the law, copied in or not, and of the language's own words."""

import ast
from typing import cast

from optimist.provable.check import expressions, functions, intrinsics, records
from optimist.provable.check import interval as iv
from optimist.provable.check.checker import Checker
from optimist.provable.check.flow import Place
from optimist.provable.check.interval import Interval
from optimist.provable.check.symbols import (
    FunctionSymbol,
    KindSymbol,
    RecordSymbol,
    WidthSymbol,
    WordSymbol,
)
from optimist.provable.check.tree import (
    Argument,
    Assign,
    BuildRecord,
    Call,
    Constant,
    Expression,
    InlineCall,
    Kind,
    LoadRecord,
    Opaque,
    Read,
    RecordKind,
    Scalar,
    Statement,
    Variable,
    as_interval,
)
from optimist.provable.widths import Range


def check_call(c: Checker, node: ast.Call) -> Expression:
    """A call used as a value: it must have exactly one result."""
    match find_callee(c, node):
        case WidthSymbol(width=width):
            return _check_proven(c, node, width)
        case WordSymbol(name=name):
            return intrinsics.check_intrinsic(c, node, name)
        case FunctionSymbol() as symbol:
            call, results = check_function_call(c, node, symbol)
            if len(results) != 1:
                count = len(results) or "no"
                advice = "write a, b = f(x)" if results else "write the call as a statement"
                c.refuse(node, f"{symbol.name} has {count} results, one is needed", advice)
            return call
        case RecordSymbol(kind=kind):
            return c.refuse(node, f"a new {kind} needs a name", f"write x = {kind}(...)")
        case _:
            return c.refuse(
                node,
                f"{ast.unparse(node.func)} cannot be called",
                "write a function of the law or a word of the language",
            )


def find_callee(
    c: Checker, node: ast.Call
) -> WidthSymbol | WordSymbol | FunctionSymbol | RecordSymbol | KindSymbol | None:
    """What a call calls; None when it is nothing that can be called."""
    if not isinstance(node.func, ast.Name):
        return None
    symbol = c.resolve(node.func)
    callable_symbols = WidthSymbol | WordSymbol | FunctionSymbol | RecordSymbol | KindSymbol
    if symbol is None and node.func.id not in c.names:
        c.refuse(
            node, f"{node.func.id} is not defined", "write a function of the law or a word of the language"
        )
    return symbol if isinstance(symbol, callable_symbols) else None


def _check_proven(c: Checker, node: ast.Call, width: Range) -> Expression:
    if len(node.args) != 1 or node.keywords:
        c.refuse(node, "a width takes one value", f"write {width}(x)")
    value = expressions.check_integer(c, node.args[0])
    c.prove(node.args[0], value, width, f"the proof {ast.unparse(node.func)}(...)")
    return value


def check_peeked_field(c: Checker, node: ast.Attribute, call: ast.Call) -> Expression:
    """A field of a record without a name: `peek(Account, row).owner`."""
    if find_callee(c, call) != WordSymbol("peek"):
        c.refuse(node, "only peek gives a record without a name", "write x = load(...), then x.field")
    kind, row = records.check_stored_record(c, call)
    field = expressions.find_field(c, node, kind)
    if field.length:
        c.refuse(node, f"{field.name} is a vector", "write p = peek(...), then p.v[i]")
    return expressions.peeked_word(c, node, kind, row, field)


# ---------------------------------------------------------------------------------------------- own functions


def check_function_call(
    c: Checker, node: ast.Call, symbol: FunctionSymbol
) -> tuple[Call | InlineCall, list[Scalar]]:
    """A call of a function of the law, and the kinds of its results."""
    placed = _place_arguments(c, node, symbol)
    if symbol.is_inline:
        return _check_inline(c, node, symbol, placed)
    function = c.get_function(symbol, c.locate(node))
    arguments = [
        Argument(position, _check_argument(c, value, function.parameters[position]))
        for position, value in placed
    ]
    for argument in arguments:
        value = argument.value
        record = value.record if isinstance(value, LoadRecord | BuildRecord) else value
        if isinstance(record, Variable) and argument.position in function.mutated:
            note_write(c, node, record)
            c.flow.forget_record(record)
    first = function.results[0] if function.results else None
    kind: Opaque | None = first if isinstance(first, Opaque) else None
    interval = None if first is None else as_interval(first)
    return Call(interval, kind, c.locate(node), function, arguments), function.results


def result_intervals(call: Call | InlineCall) -> list[Interval | None]:
    """The interval of each result; None for b32."""
    if isinstance(call, Call):
        return [as_interval(kind) for kind in call.function.results]
    return [as_interval(variable.declared or cast("Scalar", variable.kind)) for variable in call.results]


def note_write(c: Checker, node: ast.AST, record: Variable) -> None:
    """A record is written to here. Raises Refused when it is shared."""
    if record.read_only:
        c.refuse(
            node,
            f"{record.name} comes from peek, which shares the stored record",
            "write load(...) instead, which makes a private copy",
        )
    if record.is_parameter:
        c.function.mutated.add(c.function.parameters.index(record))


def _place_arguments(c: Checker, node: ast.Call, symbol: FunctionSymbol) -> list[tuple[int, ast.expr]]:
    """(position of the parameter, argument) in the order in which Python evaluates the arguments."""
    names = [parameter.arg for parameter in symbol.node.args.args]
    placed: list[tuple[int, ast.expr]] = list(enumerate(node.args))
    for keyword in node.keywords:
        if keyword.arg not in names:
            c.refuse(
                node, f"{symbol.name} has no parameter {keyword.arg}", f"write one of {', '.join(names)}"
            )
        placed.append((names.index(keyword.arg), keyword.value))
    if sorted(position for position, _ in placed) != list(range(len(names))):
        c.refuse(
            node,
            f"{symbol.name} takes {len(names)} arguments, each once: {', '.join(names) or 'none'}",
            "write exactly those",
        )
    return placed


def _check_argument(
    c: Checker, node: ast.expr, parameter: Variable
) -> Expression | Variable | LoadRecord | BuildRecord:
    if isinstance(parameter.kind, RecordKind):
        return _check_record_argument(c, node, parameter.kind, parameter.name)
    value = expressions.check_expression(c, node)
    declared = cast("Scalar", parameter.declared if parameter.kind is None else parameter.kind)
    c.prove(node, value, declared, f"parameter {parameter.name}")
    return value


def _check_record_argument(
    c: Checker, node: ast.expr, kind: RecordKind, name: str
) -> Variable | LoadRecord | BuildRecord:
    found = records.check_record(c, node)
    if found is not None and records.variable_of(found).kind == kind:
        return found
    return c.refuse(
        node,
        f"parameter {name} takes a record {kind}",
        f"write a variable that holds a {kind}, or peek({kind}, row)",
    )


# --------------------------------------------------------------------------------------------- inlined copies


def _check_inline(
    c: Checker, node: ast.Call, symbol: FunctionSymbol, placed: list[tuple[int, ast.expr]]
) -> tuple[InlineCall, list[Scalar]]:
    if symbol in c.inlining:
        c.refuse(node, f"{symbol.name} calls itself", "write a loop: the law has no recursion")
    inner = Checker(c.linker, c.linker.modules[symbol.module], c.function, c.get_function, c.notes)
    inner.is_inlined = True
    inner.inlining = (*c.inlining, symbol)
    inner.results = functions.check_results(inner, symbol.node)
    setup: list[Statement] = []
    reassigned = functions.assigned_names(symbol.node)
    bound: dict[str, Variable | Constant] = {}
    for position, argument_node in placed:
        parameter = symbol.node.args.args[position]
        declared = functions.check_parameter_kind(inner, parameter)
        value = _inline_argument(c, argument_node, parameter.arg, declared)
        changed = parameter.arg in reassigned
        bound[parameter.arg] = _bind(c, value, Variable(parameter.arg, None), declared, changed, setup)
    inner.names.update(bound)
    inner.peeked = functions.peeked_names(symbol.node)
    inner.flow = c.flow
    for variable in bound.values():
        if isinstance(variable, Variable):
            inner.flow.assigned[variable] = None
            inner.borrowed.append(variable)
    body = functions.check_body(inner, symbol.node)
    c.flow = functions.join_exits(inner)
    return _finish_inline(c, node, inner, setup, body), inner.results


def _inline_argument(
    c: Checker, node: ast.expr, name: str, declared: Kind
) -> Expression | Variable | LoadRecord | BuildRecord:
    if isinstance(declared, RecordKind):
        return _check_record_argument(c, node, declared, name)
    value = expressions.check_expression(c, node)
    c.prove(node, value, declared, f"parameter {name}")
    return value


def _bind(
    c: Checker,
    value: Expression | Variable | LoadRecord | BuildRecord,
    variable: Variable,
    declared: Kind,
    changed: bool,
    setup: list[Statement],
) -> Variable | Constant:
    """What a parameter's name stands for in the copy: the argument itself where nothing can change it."""
    if isinstance(value, LoadRecord | BuildRecord):
        setup.append(value)
        return value.record
    if isinstance(value, Variable):
        return value
    if not changed:
        if isinstance(value, Constant):
            return value
        if isinstance(value, Read):
            return value.variable
    variable.kind = value.kind
    variable.declared = declared if isinstance(declared, Range) else None
    setup.append(Assign(value.location, variable, value))
    functions.remember(c.flow, Place(variable), value)
    return variable


def _finish_inline(
    c: Checker, node: ast.Call, inner: Checker, setup: list[Statement], body: list[Statement]
) -> InlineCall:
    results = [Variable(f"(result {i})", _opaque(kind)) for i, kind in enumerate(inner.results)]
    intervals: list[Interval | None] = [as_interval(kind) for kind in inner.results]
    if inner.results and not c.flow.reachable:
        c.refuse(node, "this call rejects always", "write reject(Code.X), or a condition before the call")
    for i, kind in enumerate(inner.results):
        if isinstance(kind, Range):
            intervals[i] = iv.hull(found[i] for found in inner.result_intervals)
    for variable, interval in zip(results, intervals, strict=True):
        if interval is not None and variable.kind is None:
            variable.declared = Range(interval.low, interval.high)
    first = inner.results[0] if inner.results else None
    interval = intervals[0] if intervals else None
    return InlineCall(interval, _opaque(first), c.locate(node), setup, body, results)


def _opaque(kind: Scalar | None) -> Opaque | None:
    return kind if isinstance(kind, Opaque) else None
