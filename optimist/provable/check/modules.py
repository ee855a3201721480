"""Modules of a law: what their names stand for, resolved on demand and folded, never run."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from optimist.provable.check import declarations
from optimist.provable.check.fold import Value, fold
from optimist.provable.check.refusal import Location, Refused, locate
from optimist.provable.check.symbols import BUILTINS, FOREIGN, RESERVED, Definition, Symbol, WordSymbol
from optimist.provable.check.tree import RecordKind

MAX_DEPTH: Final = 80  # levels of syntax, from the module down


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed source file. `file` is how messages call it."""

    name: str
    file: str
    definitions: dict[str, Definition]

    def locate(self, node: ast.AST) -> Location:
        """Where `node` stands."""
        return locate(self.file, node)


class Linker:
    """All modules of one law, and the meaning of every name at their top."""

    def __init__(self, sources: Mapping[str, str], files: Mapping[str, str]) -> None:
        """`sources`: module name -> text; `files`: module name -> path for messages. Raises Refused."""
        self.modules: Final[dict[str, Module]] = {}
        for name, text in sources.items():
            self.modules[name] = _parse(name, files[name], text, sources)
        self._symbols: dict[tuple[str, str], Symbol] = {}
        self._pending: list[tuple[str, str]] = []
        self._tables: dict[int, RecordKind] = {}
        self._refuse_import_cycles()
        for module in self.modules.values():
            for name in module.definitions:
                self.resolve(module, name)

    def resolve(self, module: Module, name: str, used_at: ast.AST | None = None) -> Symbol | None:
        """What `name` means at the top of `module`; None when nothing.

        `used_at`: a place that Python evaluates while it runs the module, so the definition must stand
        above it.
        """
        definition = module.definitions.get(name)
        if definition is None:
            return WordSymbol(name) if name in BUILTINS else None
        if used_at is not None and definition.location.line >= getattr(used_at, "lineno", 0):
            raise Refused(
                module.locate(used_at), f"{name} is used above its definition", f"write {name} further up"
            )
        key = (module.name, name)
        if key not in self._symbols:
            if key in self._pending:
                raise Refused(definition.location, f"{name} is defined by itself", "write its value out")
            self._pending.append(key)
            self._symbols[key] = self._define(module, name, definition)
            self._pending.pop()
        return self._symbols[key]

    def fold(self, module: Module, node: ast.expr, *, at_top: bool = False) -> Value | None:
        """The value of a constant expression of `module`; None when it is not constant."""
        return fold(module.file, node, lambda name: self.resolve(module, name.id, name if at_top else None))

    def claim_table(self, kind: RecordKind) -> None:
        """Raises Refused when two record classes share a table: widths would no longer hold for what is
        stored.
        """
        table = kind.layout.table
        if table is None:
            return
        other = self._tables.setdefault(table, kind)
        if other != kind:
            raise Refused(
                kind.location,
                f"table {table} belongs to {other} ({other.location}) already",
                "write a table of its own for each record",
            )

    def _define(self, module: Module, name: str, definition: Definition) -> Symbol:
        if definition.imported is None:
            return declarations.define(self, module, name, definition.node)
        source, original = definition.imported
        if source in FOREIGN:
            symbol = FOREIGN[source].get(original)
        else:
            other = self.modules[source]
            symbol = self.resolve(other, original) if original in other.definitions else None
        if symbol is None:
            raise Refused(
                definition.location,
                f"{source} has no {original} for the law",
                "write a name that it defines (see optimist/provable/README.md for the language's own)",
            )
        return symbol

    def _refuse_import_cycles(self) -> None:
        done: dict[str, bool] = {}  # False while its imports are being followed

        def visit(module: Module) -> None:
            done[module.name] = False
            for definition in module.definitions.values():
                source = definition.imported[0] if definition.imported else None
                if source not in self.modules:
                    continue
                if done.get(source) is False:
                    raise Refused(
                        definition.location,
                        f"{module.name} and {source} import each other",
                        "write what both need in a third module",
                    )
                if source not in done:
                    visit(self.modules[source])
            done[module.name] = True

        for module in self.modules.values():
            if module.name not in done:
                visit(module)


def _parse(name: str, file: str, text: str, sources: Mapping[str, str]) -> Module:
    try:
        tree = ast.parse(text, file)
    except SyntaxError as error:
        where = Location(file, error.lineno or 1, error.offset or 1)
        raise Refused(where, f"this is not Python: {error.msg}", "write what Python can parse") from None
    _refuse_depth(file, tree)
    definitions: dict[str, Definition] = {}
    for statement in tree.body:
        for new, definition in _definitions(file, statement, sources):
            _refuse_name(new, definition, definitions)
            definitions[new] = definition
    return Module(name, file, definitions)


def _refuse_depth(file: str, tree: ast.Module) -> None:
    """The checker and the emitter walk the syntax recursively: what is nested too deeply is refused first."""
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    deepest = next((node for node in level if hasattr(node, "lineno")), None)
    if deepest is not None:
        raise Refused(
            locate(file, deepest), f"this is nested more than {MAX_DEPTH} deep", "write it in several steps"
        )


def _definitions(file: str, node: ast.stmt, sources: Mapping[str, str]) -> list[tuple[str, Definition]]:
    where = locate(file, node)
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            return []
        case ast.ImportFrom(module=str() as source, names=names, level=0):
            return [
                (alias.asname or alias.name, Definition(node, where, (source, alias.name)))
                for alias in _checked_import(where, source, names, sources)
            ]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [(name, Definition(node, where))]
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return [(name, Definition(node, where))]
        case _:
            raise Refused(
                where,
                f"{type(node).__name__} is not allowed at the top of a module",
                "write only imports (from m import a), constants (NAME: Final = 1), IntEnum classes, widths, "
                "records and functions",
            )


def _checked_import(
    where: Location, source: str, names: list[ast.alias], sources: Mapping[str, str]
) -> list[ast.alias]:
    if source not in FOREIGN and source not in sources:
        raise Refused(
            where,
            f"{source} is no module of this law",
            f"write imports from other modules of the law, or from {', '.join(FOREIGN)}",
        )
    if any(alias.name == "*" for alias in names):
        raise Refused(where, "import * hides where names come from", f"write from {source} import a, b")
    if source in FOREIGN and any(alias.asname not in (None, alias.name) for alias in names):
        raise Refused(where, "the words of the language keep their names", "write the import without `as`")
    return names


def _refuse_name(name: str, definition: Definition, definitions: dict[str, Definition]) -> None:
    if name in definitions:
        first = definitions[name].location
        raise Refused(
            definition.location, f"{name} is defined twice (first in line {first.line})", "write another name"
        )
    foreign = definition.imported is not None and definition.imported[0] in FOREIGN
    if name in RESERVED and not foreign:
        raise Refused(definition.location, f"{name} is a word of the language", "write another name")
    if not name.isascii() or name.startswith("__"):
        raise Refused(definition.location, f"{name} is no plain name", "write letters, digits and _")
