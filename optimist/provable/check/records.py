"""Records as values: named ones, and those made on the spot by load, peek, zero or their class."""

import ast

from optimist.provable.check import calls, expressions, intrinsics
from optimist.provable.check.checker import Checker
from optimist.provable.check.declarations import field_kind
from optimist.provable.check.symbols import RecordSymbol
from optimist.provable.check.tree import BuildRecord, Expression, LoadRecord, RecordKind, Variable
from optimist.provable.record import ROW_LIMIT
from optimist.provable.widths import Range


def check_record(c: Checker, node: ast.expr) -> Variable | LoadRecord | BuildRecord | None:
    """A record used at once: a variable, or what makes a record without a name; None for anything else."""
    named = c.record_variable(node)
    if named is not None:
        return named
    if intrinsics.is_word(c, node, "load"):
        c.refuse(node, "a copy without a name is lost", "write peek(...) here, or x = load(...) before")
    if not isinstance(node, ast.Call) or not makes_record(c, node):
        return None
    return check_made(c, node)


def variable_of(found: Variable | LoadRecord | BuildRecord) -> Variable:
    """The variable that holds a record."""
    return found if isinstance(found, Variable) else found.record


def makes_record(c: Checker, node: ast.expr) -> bool:
    """Whether an expression is a call that makes a record."""
    if not isinstance(node, ast.Call):
        return False
    is_construction = isinstance(calls.find_callee(c, node), RecordSymbol)
    return is_construction or intrinsics.is_word(c, node, "load", "peek", "zero")


def check_made(c: Checker, node: ast.Call) -> LoadRecord | BuildRecord:
    """A call that makes a record, held by a variable without a name. Raises Refused."""
    where = c.locate(node)
    symbol = calls.find_callee(c, node)
    if isinstance(symbol, RecordSymbol):
        return BuildRecord(where, Variable("(new)", symbol.kind), _check_fields(c, node, symbol.kind))
    if intrinsics.is_word(c, node, "zero"):
        kind = check_record_class(c, node)
        if len(node.args) != 1:
            c.refuse(node, "zero takes a record class alone", f"write zero({kind})")
        return BuildRecord(where, Variable("(new)", kind), [])
    kind, row = check_stored_record(c, node)
    is_peek = intrinsics.is_word(c, node, "peek")
    return LoadRecord(where, Variable("(stored)", kind, read_only=is_peek), row)


def check_row(c: Checker, node: ast.expr) -> Expression:
    """The row of a record, proven to exist. Raises Refused."""
    row = expressions.check_integer(c, node)
    c.prove(node, row, Range(0, ROW_LIMIT - 1), "a row")
    return row


def check_record_class(c: Checker, node: ast.Call) -> RecordKind:
    """The class named by the first argument of load, peek or zero. Raises Refused."""
    symbol = c.resolve(node.args[0]) if node.args and isinstance(node.args[0], ast.Name) else None
    if not isinstance(symbol, RecordSymbol) or node.keywords:
        c.refuse(node, f"{ast.unparse(node.func)} takes a record class first", "write load(Account, row)")
    return symbol.kind


def check_stored_record(c: Checker, node: ast.Call) -> tuple[RecordKind, Expression]:
    """Class and row of load or peek. Raises Refused."""
    kind = check_record_class(c, node)
    if len(node.args) != 2:
        c.refuse(node, "a class and a row are needed", f"write {ast.unparse(node.func)}({kind}, row)")
    if kind.layout.table is None:
        c.refuse(node, f"{kind} has no table, so it is never stored", "write @record(table=n) at its class")
    return kind, check_row(c, node.args[1])


def _check_fields(c: Checker, node: ast.Call, kind: RecordKind) -> list[tuple[int, Expression]]:
    fields = {field.name: field for field in kind.layout.fields}
    if any(field.length for field in kind.layout.fields):
        c.refuse(node, f"{kind} has a vector", f"write x = zero({kind}), then set its fields")
    given = [keyword.arg for keyword in node.keywords]
    if node.args or sorted(map(str, given)) != sorted(fields):
        c.refuse(node, f"{kind} takes each field once, by keyword", f"write {', '.join(fields)}")
    values = []
    for keyword in node.keywords:
        field = fields[str(keyword.arg)]
        value = expressions.check_expression(c, keyword.value)
        c.prove(keyword.value, value, field_kind(field), f"field {field.name}")
        values.append((field.offset, value))
    return values
