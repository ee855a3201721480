"""Statements: assignments, branches, returns, rejections. Loops have a file of their own."""

import ast
from typing import Final, cast

from optimist.provable.check import calls, conditions, expressions, functions, intrinsics, loops, records
from optimist.provable.check import interval as iv
from optimist.provable.check.checker import Checker, show_kind
from optimist.provable.check.declarations import field_kind, resolve_annotation
from optimist.provable.check.flow import Flow, Place, join
from optimist.provable.check.refusal import Refused
from optimist.provable.check.symbols import FunctionSymbol, KindSymbol, RecordSymbol, WidthSymbol
from optimist.provable.check.tree import (
    Assign,
    Break,
    Constant,
    Continue,
    Evaluate,
    Expression,
    If,
    Kind,
    Leave,
    LoadRecord,
    Note,
    RecordKind,
    Reject,
    Require,
    Return,
    Scalar,
    SetElement,
    SetField,
    Statement,
    StoreRecord,
    Unpack,
    Variable,
    is_discardable,
)
from optimist.provable.widths import Range

_ADVICE: Final[dict[type[ast.stmt], str]] = {
    ast.While: "write for i in range(n) with a bound, and break",
    ast.Assert: "write require(condition, Code.X)",
    ast.Raise: "write reject(Code.X)",
    ast.Try: "write conditions before what could fail: a rejection ends the input",
    ast.With: "write the calls themselves",
    ast.Delete: "write store(row, zero(Record)) to delete a record",
    ast.Global: "write a record in the state, or pass a value",
    ast.Nonlocal: "write a parameter and a result",
    ast.Import: "write from m import a at the top of the module",
    ast.ImportFrom: "write the import at the top of the module",
    ast.FunctionDef: "write the function at the top of the module",
    ast.ClassDef: "write the class at the top of the module",
    ast.Match: "write if, elif, else",
}


def check_block(c: Checker, nodes: list[ast.stmt]) -> list[Statement]:
    """The statements of a block, without those that cannot be reached. Raises Refused."""
    found: list[Statement] = []
    for position, node in enumerate(nodes):
        if position and _ends_block(c, nodes[position - 1]):
            c.refuse(node, "this is never reached", "write it before the statement above, or nowhere")
        if not c.flow.reachable:
            c.note(node, "never reached: the widths decide a condition above")
            break
        found.extend(_check_statement(c, node))
    return found


def _ends_block(c: Checker, node: ast.stmt) -> bool:
    if isinstance(node, ast.Return | ast.Break | ast.Continue):
        return True
    return isinstance(node, ast.Expr) and intrinsics.is_word(c, node.value, "reject")


def _check_statement(c: Checker, node: ast.stmt) -> list[Statement]:
    match node:
        case ast.If():
            return _check_if(c, node)
        case ast.For():
            return loops.check_loop(c, node)
        case ast.AnnAssign():
            return _check_annotated(c, node)
        case ast.Expr(value=ast.Call() as call):
            return _check_call_statement(c, call)
        case ast.Pass() | ast.Expr(value=ast.Constant(value=str())):
            return []
        case _:
            return [_check_simple(c, node)]


def _check_simple(c: Checker, node: ast.stmt) -> Statement:
    match node:
        case ast.Assign(targets=[ast.Tuple() as target], value=value):
            return _check_unpack(c, node, target, value)
        case ast.Assign(targets=[target], value=value):
            return _check_assignment(c, node, target, value)
        case ast.AugAssign():
            return _check_augmented(c, node)
        case ast.Return():
            return _check_return(c, node)
        case ast.Break() | ast.Continue():
            return _check_jump(c, node)
        case ast.Expr():
            return c.refuse(node, "this value is dropped", "write an assignment, or nothing")
        case ast.Assign():
            return c.refuse(node, "one statement assigns one target", "write a line for each")
        case _:
            advice = _ADVICE.get(type(node), "write a statement of the README's list")
            return c.refuse(node, f"{type(node).__name__} is not in the provable subset", advice)


# ------------------------------------------------------------------------------------------------- assignment


def _check_annotated(c: Checker, node: ast.AnnAssign) -> list[Statement]:
    if not isinstance(node.target, ast.Name):
        c.refuse(node, "only a local name is annotated", "write the annotation at the class of the record")
    if node.target.id in c.names:
        c.refuse(
            node, f"{node.target.id} has its kind already", "write the annotation once, at the first one"
        )
    match resolve_annotation(c.linker, c.module, node.annotation):
        case WidthSymbol(width=width):
            kind: Kind = width
        case KindSymbol(kind=opaque):
            kind = opaque
        case RecordSymbol(kind=record):
            kind = record
        case _:
            c.refuse(node, "a vector lives in a record", "write a record with this field")
    c.new_variable(node.target, node.target.id, kind)
    return [] if node.value is None else [_check_assignment(c, node, node.target, node.value)]


def _check_assignment(c: Checker, node: ast.stmt, target: ast.expr, value: ast.expr) -> Statement:
    match target:
        case ast.Name(id="_"):
            return Evaluate(c.locate(node), expressions.check_expression(c, value))
        case ast.Name():
            if records.makes_record(c, value):
                return _check_record_assignment(c, target, cast("ast.Call", value))
            return _assign(c, node, target, expressions.check_expression(c, _scalar_source(c, value)))
        case ast.Attribute():
            record, kind, offset = _find_written_field(c, target)
            checked = expressions.check_expression(c, value)
            return _set_word(c, node, record, kind, offset, checked, target.attr)
        case ast.Subscript():
            checked = expressions.check_integer(c, value)
            return _set_element(c, node, target, checked, None)
        case _:
            return c.refuse(node, "this cannot be assigned to", "write a name, r.f or r.v[i] on the left")


def _scalar_source(c: Checker, node: ast.expr) -> ast.expr:
    record = c.record_variable(node)
    if record is not None:
        kind = cast("RecordKind", record.kind)
        c.refuse(
            node,
            f"{record.name} would have two names: Python shares the record, the machine copies it",
            f"write load({kind}, row), or {kind}(...) with the fields",
        )
    return node


def _assign(c: Checker, node: ast.stmt, target: ast.Name, value: Expression) -> Statement:
    variable = _scalar_target(c, target, value.kind)
    if variable.declared is not None:
        c.prove(node, value, variable.declared, variable.name)
    functions.remember(c.flow, Place(variable), value)
    return Assign(c.locate(node), variable, value)


def _scalar_target(c: Checker, target: ast.Name, kind: Kind | None) -> Variable:
    found = c.names.get(target.id)
    if found is None:
        return c.new_variable(target, target.id, kind)
    if not isinstance(found, Variable):
        c.refuse_hiding(target, target.id)
        c.refuse(target, f"{target.id} is not assigned to here", "write another name")
    if found.kind != kind:
        c.refuse(
            target,
            f"{target.id} holds {show_kind(found.kind)}, this is {show_kind(kind)}",
            "write another name: one kind a name",
        )
    loops.refuse_loop_variable(c, target, found)
    return found


def _check_unpack(c: Checker, node: ast.Assign, target: ast.Tuple, value: ast.expr) -> Statement:
    symbol = calls.find_callee(c, value) if isinstance(value, ast.Call) else None
    if not isinstance(symbol, FunctionSymbol) or not isinstance(value, ast.Call):
        c.refuse(node, "only the results of a call are unpacked", "write one assignment for each name")
    call, results = calls.check_function_call(c, value, symbol)
    if len(results) != len(target.elts) or len(results) < 2:
        c.refuse(node, f"{symbol.name} has {len(results)} results", "write as many names on the left")
    intervals = calls.result_intervals(call)
    variables: list[Variable | None] = []
    for element, kind, interval in zip(target.elts, results, intervals, strict=True):
        if not isinstance(element, ast.Name):
            c.refuse(element, "results are unpacked to names", "write a name, then r.f = name")
        variables.append(_unpack_one(c, element, kind, interval))
    names = [variable for variable in variables if variable is not None]
    if len(set(names)) != len(names):
        c.refuse(node, "one name takes two results", "write a name for each, or _")
    return Unpack(c.locate(node), call, variables)


def _unpack_one(c: Checker, element: ast.Name, kind: Scalar, interval: iv.Interval | None) -> Variable | None:
    if element.id == "_":
        return None
    opaque = None if isinstance(kind, Range) else kind
    variable = _scalar_target(c, element, opaque)
    value = Expression(interval, opaque, c.locate(element))
    if variable.declared is not None:
        c.prove(element, value, variable.declared, variable.name)
    functions.remember(c.flow, Place(variable), value)
    return variable


def _check_augmented(c: Checker, node: ast.AugAssign) -> Statement:
    match node.target:
        case ast.Name() as target:
            before: Expression = expressions.check_integer(c, target)
            value = expressions.binary(c, node, node.op, before, expressions.check_integer(c, node.value))
            return _assign(c, node, target, value)
        case ast.Attribute() as target:
            record, kind, offset = _find_written_field(c, target)
            before = expressions.check_integer(c, target)
            value = expressions.binary(c, node, node.op, before, expressions.check_integer(c, node.value))
            return _set_word(c, node, record, kind, offset, value, target.attr)
        case ast.Subscript() as target:
            record, field = expressions.check_vector(c, target)
            index = expressions.check_index(c, target, field)
            first, again = expressions.keep_unless_stable(index)
            before = expressions.read_element(c, target, record, field, first)
            value = expressions.binary(c, node, node.op, before, expressions.check_integer(c, node.value))
            return _set_element(c, node, target, value, again)


def _find_written_field(c: Checker, target: ast.Attribute) -> tuple[Variable, Scalar, int]:
    record = c.record_variable(target.value)
    if record is None:
        c.refuse(target, f"{ast.unparse(target.value)} is no record", "write the field of a record variable")
    field = expressions.find_field(c, target, cast("RecordKind", record.kind))
    if field.length:
        c.refuse(target, f"{field.name} is a vector", f"write its elements one by one: .{field.name}[i]")
    calls.note_write(c, target, record)
    return record, field_kind(field), field.offset


def _set_word(
    c: Checker, node: ast.AST, record: Variable, kind: Scalar, offset: int, value: Expression, name: str
) -> Statement:
    c.prove(node, value, kind, f"field {name}")
    c.flow.forget_word(record, offset)
    functions.remember(c.flow, Place(record, offset), value)
    return SetField(c.locate(node), record, offset, value)


def _set_element(
    c: Checker, node: ast.AST, target: ast.Subscript, value: Expression, index: Expression | None
) -> Statement:
    record, field = expressions.check_vector(c, target)
    calls.note_write(c, target, record)
    if index is None:
        index = expressions.check_index(c, target, field)
    if isinstance(index, Constant):
        return _set_word(c, node, record, field_kind(field), field.offset + index.word, value, field.name)
    c.prove(node, value, field_kind(field), f"elements of {field.name}")
    for offset in range(field.offset, field.offset + field.length):
        c.flow.forget_word(record, offset)
    return SetElement(c.locate(node), record, field.offset, value, index)


# ---------------------------------------------------------------------------------------------------- records


def _check_record_assignment(c: Checker, target: ast.Name, value: ast.Call) -> Statement:
    made = records.check_made(c, value)
    made.record = _record_target(c, target, cast("RecordKind", made.record.kind))
    made.location = c.locate(target)
    return made


def _record_target(c: Checker, target: ast.Name, kind: RecordKind) -> Variable:
    found = c.names.get(target.id)
    if found is None:
        variable = c.new_variable(target, target.id, kind)
    else:
        variable = _scalar_target(c, target, kind)
        if variable.is_parameter or c.is_borrowed(variable):
            c.refuse(target, f"{target.id} is the caller's record", "write another name")
    c.flow.forget_record(variable)
    c.flow.assigned[variable] = None
    return variable


# -------------------------------------------------------------------------------------------- flow of control


def _check_if(c: Checker, node: ast.If) -> list[Statement]:
    branches = conditions.check_condition(c, node.test)
    bodies: list[list[Statement]] = []
    ends: list[Flow] = []
    for flow, nodes in ((branches.holds, node.body), (branches.fails, node.orelse)):
        if not flow.reachable:
            if nodes:
                c.note(nodes[0], "never reached: the widths decide the condition")
            continue
        c.flow = flow
        bodies.append(check_block(c, nodes))
        ends.append(c.flow)
    c.flow = join(ends)
    where = c.locate(node)
    if len(bodies) == 2:
        return [If(where, branches.condition, bodies[0], bodies[1])]
    dropped: list[Statement] = []
    if not is_discardable(branches.condition):
        dropped.append(Evaluate(where, branches.condition))
    # Neither branch: what is known contradicts itself, so this is never reached, and nothing behind it is.
    return dropped + (bodies[0] if bodies else [])


def _check_return(c: Checker, node: ast.Return) -> Statement:
    if node.value is None:
        nodes: list[ast.expr] = []
    elif isinstance(node.value, ast.Tuple):
        nodes = node.value.elts
    else:
        nodes = [node.value]
    if len(nodes) != len(c.results):
        c.refuse(node, f"{len(c.results)} results are declared, {len(nodes)} are returned", "write as many")
    values = []
    for value_node, kind in zip(nodes, c.results, strict=True):
        value = expressions.check_expression(c, value_node)
        c.prove(value_node, value, kind, "the result")
        values.append(value)
    c.result_intervals.append([value.interval or iv.BOOLEAN for value in values])
    c.exits.append(c.flow.copy())
    c.flow.reachable = False
    return (Leave if c.is_inlined else Return)(c.locate(node), values)


def _check_jump(c: Checker, node: ast.Break | ast.Continue) -> Statement:
    if not c.loops:
        c.refuse(node, "there is no loop around this", "write it inside of a for loop")
    is_break = isinstance(node, ast.Break)
    (c.loops[-1].breaks if is_break else c.loops[-1].continues).append(c.flow.copy())
    c.flow.reachable = False
    return (Break if is_break else Continue)(c.locate(node))


# ---------------------------------------------------------------------------------------- calls by themselves


def _check_call_statement(c: Checker, node: ast.Call) -> list[Statement]:
    symbol = calls.find_callee(c, node)
    if isinstance(symbol, FunctionSymbol):
        call, results = calls.check_function_call(c, node, symbol)
        if results:
            c.refuse(node, f"the result of {symbol.name} is dropped", "write _ = ... if that is meant")
        return [Evaluate(c.locate(node), call)]
    if intrinsics.is_word(c, node, "require"):
        return _check_require(c, node)
    if intrinsics.is_word(c, node, "reject"):
        _require_arguments(c, node, 1)
        code = intrinsics.check_code(c, node.args[0])
        c.flow.reachable = False
        return [Reject(c.locate(node), code)]
    if intrinsics.is_word(c, node, "store"):
        return [_check_store(c, node)]
    if intrinsics.is_word(c, node, "note"):
        return [_check_note(c, node)]
    return c.refuse(node, "this value is dropped", "write an assignment, or nothing")


def _require_arguments(c: Checker, node: ast.Call, count: int) -> None:
    if len(node.args) != count or node.keywords:
        c.refuse(node, f"{ast.unparse(node.func)} takes {count} arguments", "write exactly those, in order")


def _check_require(c: Checker, node: ast.Call) -> list[Statement]:
    _require_arguments(c, node, 2)
    branches = conditions.check_condition(c, node.args[0])
    code = intrinsics.check_code(c, node.args[1])
    where = c.locate(node)
    c.flow = branches.holds
    if branches.fails.reachable and branches.holds.reachable:
        return [Require(where, branches.condition, code)]
    found: list[Statement] = []
    if not is_discardable(branches.condition):
        found.append(Evaluate(where, branches.condition))
    if not branches.holds.reachable:
        found.append(Reject(where, code))
    else:
        c.note(node, "this condition always holds: the widths prove it")
    return found


def _check_store(c: Checker, node: ast.Call) -> Statement:
    _require_arguments(c, node, 2)
    row = records.check_row(c, node.args[0])
    found = records.check_record(c, node.args[1])
    if found is None:
        c.refuse(node.args[1], "store writes a record", "write a variable that holds one")
    record = records.variable_of(found)
    if cast("RecordKind", record.kind).layout.table is None:
        c.refuse(node, f"{record.kind} has no table, so it is never stored", "write @record(table=n)")
    return StoreRecord(c.locate(node), row, record, None if isinstance(found, Variable) else found)


def _check_note(c: Checker, node: ast.Call) -> Statement:
    """A note leaves what is known as it was: a law is compiled as if its notes were not there."""
    _require_arguments(c, node, 1)
    before = c.flow.copy()
    found = records.check_record(c, node.args[0])
    c.flow = before
    if found is None:
        c.refuse(node.args[0], "note takes a record", "write note(Filled(...)), or a variable that holds one")
    if isinstance(found, Variable):
        return Note(c.locate(node), found, None)
    parts = [found.row] if isinstance(found, LoadRecord) else [value for _, value in found.fields]
    for part in parts:
        if not is_discardable(part):
            raise Refused(
                part.location,
                "this may reject, or runs a function: a note must leave no trace on the machine",
                "write x = ... on a line before, if the law needs it, and the name in the note",
            )
    return Note(c.locate(node), found.record, found)
