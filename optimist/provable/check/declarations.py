"""Top-level definitions: constants, named integers, widths, records, and the annotations that name kinds."""

import ast
from typing import TYPE_CHECKING, Final

from optimist.provable.check.refusal import Refused
from optimist.provable.check.symbols import (
    ConstantSymbol,
    EnumSymbol,
    FunctionSymbol,
    KindSymbol,
    RecordSymbol,
    Symbol,
    VectorSymbol,
    WidthSymbol,
    WordSymbol,
)
from optimist.provable.check.tree import BOOL, HASH, Opaque, RecordKind
from optimist.provable.record import TABLE_LIMIT, Field, Layout
from optimist.provable.widths import WORD_MAX, Range, b32
from optimist.vm.isa import HASH_WORDS, RECORD_WORDS

if TYPE_CHECKING:
    from optimist.provable.check.modules import Linker, Module

WRITE_WIDTH: Final = "write u64, i64, Annotated[int, Range(low, high)], bool, b32 or a record class"


def define(linker: "Linker", module: "Module", name: str, node: ast.stmt) -> Symbol:
    """The symbol behind one top-level definition. Raises Refused."""
    match node:
        case ast.AnnAssign(annotation=annotation, value=ast.expr() as value):
            _require_final(linker, module, name, annotation)
            return ConstantSymbol(_constant(linker, module, value))
        case ast.Assign(value=value):
            symbol = resolve_annotation(linker, module, value)
            if isinstance(symbol, WidthSymbol | VectorSymbol | KindSymbol):
                return symbol
            raise Refused(
                module.locate(node), f"{name} is no width", f"write {name}: Final = ... for a constant"
            )
        case ast.ClassDef():
            return _define_class(linker, module, node)
        case ast.FunctionDef():
            return _define_function(linker, module, node)
        case _:
            raise Refused(module.locate(node), f"{name} has no value", f"write {name}: Final = ...")


def resolve_annotation(linker: "Linker", module: "Module", node: ast.expr) -> Symbol:
    """The width, vector, kind or record that an annotation names. Raises Refused for anything else."""
    match node:
        case ast.Name(id="bool"):
            return KindSymbol(BOOL)
        case ast.Name():
            symbol = linker.resolve(module, node.id, node)
            if isinstance(symbol, WidthSymbol | VectorSymbol | KindSymbol | RecordSymbol):
                return symbol
        case ast.Subscript(value=ast.Name() as head, slice=ast.Tuple(elts=[inner, detail])):
            if linker.resolve(module, head.id, head) == WordSymbol("Annotated"):
                return _annotated(linker, module, inner, detail)
        case _:
            pass
    raise Refused(module.locate(node), f"{ast.unparse(node)} is no kind of value", WRITE_WIDTH)


def _annotated(linker: "Linker", module: "Module", inner: ast.expr, detail: ast.expr) -> Symbol:
    match inner:
        case ast.Name(id="int"):
            return WidthSymbol(resolve_range(linker, module, detail))
        case ast.Subscript(value=ast.Name() as head, slice=element):
            if linker.resolve(module, head.id, head) == WordSymbol("Vec"):
                width = resolve_annotation(linker, module, element)
                length = linker.fold(module, detail, at_top=True)
                if isinstance(width, WidthSymbol) and type(length) is int and 0 < length <= HASH_WORDS:
                    return VectorSymbol(width.width, length)
        case _:
            pass
    raise Refused(
        module.locate(inner),
        "only integers and vectors are annotated",
        f"write Annotated[int, Range(low, high)] or Annotated[Vec[i64], n] with n in 1..{HASH_WORDS}",
    )


def resolve_range(linker: "Linker", module: "Module", node: ast.expr, *, at_top: bool = True) -> Range:
    """The width behind `Range(low, high)` with constant bounds. Raises Refused."""
    match node:
        case ast.Call(func=ast.Name() as function, args=[low_node, high_node], keywords=[]):
            low = linker.fold(module, low_node, at_top=at_top)
            high = linker.fold(module, high_node, at_top=at_top)
            named = linker.resolve(module, function.id) == WordSymbol("Range")
            if named and type(low) is int and type(high) is int and -WORD_MAX <= low <= high <= WORD_MAX:
                return Range(low, high)
        case _:
            pass
    raise Refused(
        module.locate(node),
        "this is no range of integers",
        "write Range(low, high) with constants low <= high, neither beyond +-(2**255 - 1)",
    )


def _require_final(linker: "Linker", module: "Module", name: str, annotation: ast.expr) -> None:
    head = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    if isinstance(head, ast.Name) and linker.resolve(module, head.id, head) == WordSymbol("Final"):
        return
    raise Refused(module.locate(annotation), f"{name} is no constant", f"write {name}: Final = ...")


def _constant(linker: "Linker", module: "Module", node: ast.expr) -> int | bool | bytes:
    value = linker.fold(module, node, at_top=True)
    if value is None:
        raise Refused(
            module.locate(node),
            f"{ast.unparse(node)} cannot be folded to a constant",
            "write integers, other constants, + - * // % ** << >> & | ^, min, max, abs, b32, keccak_text",
        )
    return value


def _define_class(linker: "Linker", module: "Module", node: ast.ClassDef) -> Symbol:
    match node:
        case ast.ClassDef(bases=[ast.Name() as base], decorator_list=[], keywords=[]):
            if linker.resolve(module, base.id, base) == WordSymbol("IntEnum"):
                return _define_enum(linker, module, node)
        case ast.ClassDef(bases=[], decorator_list=[ast.Call(func=ast.Name() as head) as call], keywords=[]):
            if linker.resolve(module, head.id, head) == WordSymbol("record"):
                return _define_record(linker, module, node, call)
        case _:
            pass
    raise Refused(
        module.locate(node),
        f"class {node.name} is neither a record nor an IntEnum",
        "write @record(table=n), @record() or class Name(IntEnum)",
    )


def _define_enum(linker: "Linker", module: "Module", node: ast.ClassDef) -> EnumSymbol:
    members: dict[str, int] = {}
    for statement in _without_docstring(node.body):
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value_node):
                value = linker.fold(module, value_node, at_top=True)
                if type(value) is int and name not in members and value not in members.values():
                    members[name] = value
                    continue
            case _:
                pass
        raise Refused(
            module.locate(statement),
            f"{node.name} holds named integers, each name and each value once",
            "write NAME = 17",
        )
    return EnumSymbol(node.name, members)


def _define_record(linker: "Linker", module: "Module", node: ast.ClassDef, call: ast.Call) -> RecordSymbol:
    table = _table(linker, module, call)
    fields: list[Field] = []
    offset = 0
    for statement in _without_docstring(node.body):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=None):
                field = _field(name, offset, resolve_annotation(linker, module, annotation))
            case _:
                field = None
        if field is None or any(field.name == other.name for other in fields):
            raise Refused(
                module.locate(statement),
                f"{node.name} holds fields, each name once and without a default: this is none",
                "write name: u64 (an integer width, bool, b32 or Annotated[Vec[i64], n])",
            )
        fields.append(field)
        offset += field.words
    limit = HASH_WORDS if table is None else RECORD_WORDS
    if not 0 < offset <= limit:
        raise Refused(
            module.locate(node),
            f"record {node.name} has {offset} words",
            f"write 1 to {limit} (a stored record has at most {RECORD_WORDS}, a struct {HASH_WORDS})",
        )
    kind = RecordKind(module.name, Layout(node.name, table, tuple(fields), offset), module.locate(node))
    linker.claim_table(kind)
    return RecordSymbol(kind)


def _table(linker: "Linker", module: "Module", call: ast.Call) -> int | None:
    match call:
        case ast.Call(args=[], keywords=[]):
            return None
        case ast.Call(args=[], keywords=[ast.keyword(arg="table", value=value_node)]):
            value = linker.fold(module, value_node, at_top=True)
            if type(value) is int and 0 < value < TABLE_LIMIT:
                return value
        case _:
            pass
    raise Refused(
        module.locate(call), "this names no table", "write @record(table=n) with n in 1..255, or @record()"
    )


def _field(name: str, offset: int, symbol: Symbol) -> Field | None:
    match symbol:
        case WidthSymbol(width=width):
            return Field(name, width, offset, 0)
        case VectorSymbol(element=element, length=length):
            return Field(name, element, offset, length)
        case KindSymbol(kind=kind):
            return Field(name, b32 if kind is HASH else bool, offset, 0)
        case _:
            return None


def field_kind(field: Field) -> Range | Opaque:
    """The kind of a field (of one element, for a vector) as the checker knows it."""
    if isinstance(field.kind, Range):
        return field.kind
    return BOOL if field.kind is bool else HASH


def _define_function(linker: "Linker", module: "Module", node: ast.FunctionDef) -> FunctionSymbol:
    found = {"inline": False, "handler": False}
    for decorator in node.decorator_list:
        symbol = linker.resolve(module, decorator.id, decorator) if isinstance(decorator, ast.Name) else None
        if not isinstance(symbol, WordSymbol) or symbol.name not in found or found[symbol.name]:
            raise Refused(module.locate(decorator), "unknown decorator", "write @inline or @handler, or none")
        found[symbol.name] = True
    if all(found.values()):
        raise Refused(
            module.locate(node), "an inlined function has no steps of its own", "write only one of both"
        )
    return FunctionSymbol(node.name, module.name, node, found["inline"], found["handler"])


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            return rest
        case _:
            return body


__all__ = ["define", "field_kind", "resolve_annotation", "resolve_range"]
