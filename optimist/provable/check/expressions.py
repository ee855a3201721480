"""Expressions: every one gets a kind and an interval, and none may leave the machine's word."""

import ast
from collections.abc import Callable
from typing import Final, cast

from optimist.provable.check import calls, conditions
from optimist.provable.check import interval as iv
from optimist.provable.check.checker import Checker, Expired, require_interval, show_kind
from optimist.provable.check.declarations import field_kind
from optimist.provable.check.flow import SCALAR, Place, join, place_of
from optimist.provable.check.interval import Interval
from optimist.provable.check.tree import (
    BOOL,
    HASH,
    Binary,
    Conditional,
    Constant,
    Expression,
    Keep,
    Opaque,
    Read,
    ReadElement,
    ReadField,
    ReadPeeked,
    RecordKind,
    Scalar,
    Variable,
    as_interval,
    contains_call,
    is_discardable,
)
from optimist.provable.record import Field
from optimist.provable.widths import Range
from optimist.vm.isa import Op

_Measure = Callable[[Interval, Interval], Interval | None]

_OPERATORS: Final[dict[type[ast.operator], tuple[Op, _Measure]]] = {
    ast.Add: (Op.ADD, iv.add),
    ast.Sub: (Op.SUB, iv.subtract),
    ast.Mult: (Op.MUL, iv.multiply),
    ast.FloorDiv: (Op.DIV, iv.divide_floor),
    ast.Mod: (Op.MOD, iv.modulo),
    ast.BitAnd: (Op.AND, iv.bit_and),
    ast.BitOr: (Op.OR, iv.bit_or),
    ast.BitXor: (Op.XOR, iv.bit_xor),
    ast.LShift: (Op.SHL, iv.shift_left),
    ast.RShift: (Op.SHR, iv.shift_right),
}

_ADVICE: Final[dict[type[ast.expr], str]] = {
    ast.Lambda: "write a function",
    ast.List: "write a record with a Vec field",
    ast.Tuple: "write several results only in return and unpack them at once: a, b = f(x)",
    ast.Dict: "write a record",
    ast.Set: "write a record",
    ast.ListComp: "write a for loop over range",
    ast.GeneratorExp: "write a for loop over range",
    ast.JoinedStr: "write nothing: the law has no texts",
    ast.NamedExpr: "write an assignment on a line of its own",
    ast.Starred: "write each argument",
    ast.Await: "write plain calls",
}


def check_expression(c: Checker, node: ast.expr) -> Expression:
    """The typed form of an expression. Raises Refused."""
    folded = c.fold(node)
    if folded is not None:
        return c.constant(node, folded)
    match node:
        case ast.Name():
            return _check_name(c, node)
        case ast.Attribute():
            return _check_attribute(c, node)
        case ast.Subscript():
            return check_element(c, node)
        case ast.Call():
            return calls.check_call(c, node)
        case ast.Constant(value=value):
            problem = f"the law has no {type(value).__name__}"
            return c.refuse(node, problem, "write an integer, True, False or b32(0x...)")
        case _:
            return _check_operation(c, node)


def _check_operation(c: Checker, node: ast.expr) -> Expression:
    match node:
        case ast.BinOp(left=left_node, op=op, right=right_node):
            left = check_integer(c, left_node)
            return binary(c, node, op, left, check_integer(c, right_node))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            zero = c.constant(node, 0)
            return binary(c, node, ast.Sub(), zero, check_integer(c, operand))
        case ast.UnaryOp(op=ast.Not()) | ast.BoolOp() | ast.Compare():
            return conditions.check_condition_value(c, node)
        case ast.IfExp():
            return _check_conditional(c, node)
        case _:
            advice = _ADVICE.get(type(node), "write an expression of the README's list")
            return c.refuse(node, f"{type(node).__name__} is not in the provable subset", advice)


def check_integer(c: Checker, node: ast.expr) -> Expression:
    """An expression that must be an integer. Raises Refused."""
    value = check_expression(c, node)
    if value.kind is not None:
        advice = "write 1 if ... else 0" if value.kind is BOOL else "write an integer"
        c.refuse(node, f"an integer is needed, this is {show_kind(value.kind)}", advice)
    return value


def binary(c: Checker, node: ast.AST, op: ast.operator, left: Expression, right: Expression) -> Expression:
    """`left op right` of two integers."""
    if isinstance(op, ast.Div):
        c.refuse(node, "`/` makes a float", "write // (rounds down) or ceil_div(a, b) (rounds up)")
    if type(op) not in _OPERATORS:
        c.refuse(node, f"{type(op).__name__} works on constants only", "write + - * // % & | ^ << >>")
    code, measure = _OPERATORS[type(op)]
    if code in (Op.SHL, Op.SHR):
        require_shift(c, node, code, require_interval(right))
    fused = _fuse_shift(c, node, code, left, right)
    if fused is not None:
        return fused
    return measured(c, node, code, measure, left, right)


def measured(
    c: Checker, node: ast.AST, op: Op, measure: _Measure, left: Expression, right: Expression
) -> Expression:
    """A binary operation with its interval, narrowed by what is known of the difference of its operands."""
    interval = measure(require_interval(left), require_interval(right))
    if interval is None:
        c.refuse(node, "this divides by zero always", "write a divisor that can be something else")
    if op is Op.SUB:
        interval = _narrow_difference(c, interval, left, right)
    return settle(c, Binary(interval, None, c.locate(node), op, left, right), node)


def settle(c: Checker, value: Expression, node: ast.AST) -> Expression:
    """Refuse a value that may leave the word; replace one that can only be a single number by that number."""
    interval = require_interval(value)
    if not interval.fits_word:
        c.refuse(
            node,
            f"{ast.unparse(node)} lies in {interval}, which leaves the machine's word of +-(2**255 - 1)",
            "write narrower operands (fit, require) or divide before multiplying",
        )
    if interval.low == interval.high and is_discardable(value):
        return Constant(interval, None, value.location, interval.low)
    return value


def keep(value: Expression) -> tuple[Keep, Read]:
    """`value`, remembered in a hidden variable, and a second look at that variable."""
    hidden = Variable("(kept)", value.kind)
    kept = Keep(value.interval, value.kind, value.location, hidden, value)
    return kept, Read(value.interval, value.kind, value.location, hidden)


def keep_unless_stable(value: Expression) -> tuple[Expression, Expression]:
    """The value for a first and for a second use."""
    return (value, value) if isinstance(value, Constant | Read) else keep(value)


def require_shift(c: Checker, node: ast.AST, op: Op, count: Interval) -> None:
    """Raises Refused for counts that Python or the machine would not shift by."""
    if op is Op.SHL and not count.within(0, iv.SHIFT_MAX):
        c.refuse(node, f"<< by {count}", f"write a count proven to lie in 0..{iv.SHIFT_MAX}")
    if count.low < 0:
        c.refuse(node, f">> by {count}", "write a count proven not to be negative")


def _fuse_shift(c: Checker, node: ast.AST, op: Op, left: Expression, right: Expression) -> Expression | None:
    """`(a * b) >> constant` is one step of the machine; it wraps the product first, so that must fit (and
    does).
    """
    match left, right:
        case Binary(op=Op.MUL) as product, Constant(word=shift) if op is Op.SHR and shift <= iv.SHIFT_MAX:
            interval = iv.shift_right(require_interval(left), require_interval(right))
            fused = Binary(interval, None, c.locate(node), Op.MULSHR, product.left, product.right, shift)
            return settle(c, fused, node)
        case _:
            return None


def _narrow_difference(c: Checker, interval: Interval, left: Expression, right: Expression) -> Interval:
    a, b = place_of(left), place_of(right)
    if a is None or b is None or (a.offset != SCALAR and contains_call(right)):
        return interval
    low = c.flow.least.get((a, b), interval.low)
    high = -c.flow.least.get((b, a), -interval.high)
    return iv.intersect(interval, Interval(low, max(low, high))) or interval


# ------------------------------------------------------------------------------------------- names and fields


def _check_name(c: Checker, node: ast.Name) -> Expression:
    found = c.names.get(node.id)
    match found:
        case Variable():
            return c.read(node, found)
        case Constant():
            return Constant(found.interval, found.kind, c.locate(node), found.word)
        case Expired():
            return c.refuse(
                node,
                f"{node.id} is the variable of a loop that has ended",
                "write a variable of your own that the loop sets",
            )
        case None:
            if c.resolve(node) is None:
                c.refuse(node, f"{node.id} is not defined", "write a name that is assigned or imported above")
            return c.refuse(node, f"{node.id} is no value", "write a call, a constant or a variable")


def find_field(c: Checker, node: ast.Attribute, record: RecordKind) -> Field:
    """The field that an attribute names. Raises Refused."""
    for field in record.layout.fields:
        if field.name == node.attr:
            return field
    names = ", ".join(field.name for field in record.layout.fields)
    return c.refuse(node, f"{record} has no field {node.attr}", f"write one of {names}")


def _check_attribute(c: Checker, node: ast.Attribute) -> Expression:
    record = c.record_variable(node.value)
    if record is not None:
        kind = cast("RecordKind", record.kind)
        field = find_field(c, node, kind)
        if field.length:
            c.refuse(node, f"{field.name} is a vector", f"write an element of it: .{field.name}[0]")
        return read_word(c, node, record, field_kind(field), field.offset)
    if isinstance(node.value, ast.Call):
        return calls.check_peeked_field(c, node, node.value)
    return c.refuse(node, f"{ast.unparse(node.value)} is no record", "write the field of a record variable")


def read_word(c: Checker, node: ast.expr, record: Variable, kind: Scalar, offset: int) -> Expression:
    """One word of a record, with what is known of it."""
    if not isinstance(kind, Range):
        return ReadField(as_interval(kind), kind, c.locate(node), record, offset)
    interval = c.interval_of(Place(record, offset), Interval(kind.low, kind.high))
    return ReadField(interval, None, c.locate(node), record, offset)


def check_vector(c: Checker, node: ast.Subscript) -> tuple[Variable, Field]:
    """The record and the field behind `r.v[...]`. Raises Refused."""
    if isinstance(node.value, ast.Attribute):
        record = c.record_variable(node.value.value)
        if record is not None:
            field = find_field(c, node.value, cast("RecordKind", record.kind))
            if field.length:
                return record, field
    return c.refuse(node, f"{ast.unparse(node.value)} is no vector", "write r.v[i] with a Vec field v")


def check_index(c: Checker, node: ast.Subscript, field: Field) -> Expression:
    """The index of an element, proven to exist. Raises Refused."""
    index = check_integer(c, node.slice)
    if not require_interval(index).within(0, field.length - 1):
        c.refuse(
            node.slice,
            f"the index lies in {index.interval}, {field.name} has {field.length} elements",
            f"write fit(Range(0, {field.length - 1}), i, Code.X), or narrow the index by a condition before",
        )
    return index


def check_element(c: Checker, node: ast.Subscript) -> Expression:
    """An element of a vector: `r.v[i]`."""
    record, field = check_vector(c, node)
    index = check_index(c, node, field)
    return read_element(c, node, record, field, index)


def read_element(c: Checker, node: ast.expr, record: Variable, field: Field, index: Expression) -> Expression:
    """Element `index` of a vector; one with a constant index is a field like any other."""
    width = cast("Range", field.kind)
    if isinstance(index, Constant):
        return read_word(c, node, record, width, field.offset + index.word)
    interval = Interval(width.low, width.high)
    return ReadElement(interval, None, c.locate(node), record, field.offset, index)


def peeked_word(c: Checker, node: ast.expr, record: RecordKind, row: Expression, field: Field) -> Expression:
    """A field of a record that is looked at without a name."""
    kind = field_kind(field)
    opaque: Opaque | None = None if isinstance(kind, Range) else kind
    return ReadPeeked(as_interval(kind), opaque, c.locate(node), record, row, field.offset)


# ------------------------------------------------------------------------------------------------ conditional


def _check_conditional(c: Checker, node: ast.IfExp) -> Expression:
    branches = conditions.check_condition(c, node.test)
    values: list[Expression] = []
    ends = []
    for flow, part in ((branches.holds, node.body), (branches.fails, node.orelse)):
        if flow.reachable:
            c.flow = flow
            values.append(check_expression(c, part))
            ends.append(c.flow)
    c.flow = join(ends)
    if len(values) == 1:
        if not is_discardable(branches.condition):
            c.refuse(node.test, "this condition has one outcome only", "write the call before, by itself")
        return values[0]
    then, otherwise = values
    if then.kind != otherwise.kind:
        c.refuse(
            node,
            f"one side is {show_kind(then.kind)}, the other {show_kind(otherwise.kind)}",
            "write both of one kind",
        )
    interval = None if then.kind is HASH else iv.hull((require_interval(then), require_interval(otherwise)))
    return Conditional(interval, then.kind, c.locate(node), branches.condition, then, otherwise)
