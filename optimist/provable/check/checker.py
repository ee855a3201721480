"""The state of checking one function: its names, its flow, where its returns go. Rules live in the
sibling files.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from optimist.provable.check.flow import Flow, Place
from optimist.provable.check.fold import Value, fold
from optimist.provable.check.interval import Interval, show_integer
from optimist.provable.check.modules import Linker, Module
from optimist.provable.check.refusal import Location, Refused
from optimist.provable.check.symbols import RESERVED, FunctionSymbol, Symbol, signed_word
from optimist.provable.check.tree import (
    BOOL,
    HASH,
    CheckedFunction,
    Constant,
    Expression,
    Kind,
    Read,
    RecordKind,
    Scalar,
    Variable,
    as_interval,
)
from optimist.provable.widths import Range


@dataclass(slots=True)
class LoopExits:
    """Flows that leave a loop's body early."""

    breaks: list[Flow] = field(default_factory=list)
    continues: list[Flow] = field(default_factory=list)


class Expired:
    """What the name of a loop's variable stands for after the loop."""


Binding = Variable | Constant | Expired


class Checker:
    """Checks the body of one function, or of one copy of an inlined function (`is_inlined`)."""

    def __init__(
        self,
        linker: Linker,
        module: Module,
        function: CheckedFunction,
        get_function: Callable[[FunctionSymbol, Location], CheckedFunction],
        notes: list[str],
    ) -> None:
        self.linker = linker
        self.module = module
        self.function = function  # the one that is compiled: for an inlined copy, whoever it is copied into
        self.get_function = get_function
        self.notes = notes
        self.is_inlined = False
        self.inlining: tuple[FunctionSymbol, ...] = ()
        self.names: dict[str, Binding] = {}
        self.peeked: frozenset[str] = frozenset()
        self.results: list[Scalar] = []
        self.result_intervals: list[list[Interval]] = []
        self.exits: list[Flow] = []  # flows at `return`
        self.loops: list[LoopExits] = []
        self.loop_variables: list[Variable] = []
        self.borrowed: list[Variable] = []  # of an inlined copy: the caller's records
        self.flow = Flow()

    # ----------------------------------------------------------------------------------------------- refusing

    def locate(self, node: ast.AST) -> Location:
        """Where `node` stands."""
        return self.module.locate(node)

    def refuse(self, node: ast.AST, problem: str, advice: str) -> NoReturn:
        """Raise Refused at `node`."""
        raise Refused(self.locate(node), problem, advice)

    def prove(self, node: ast.AST, value: Expression, width: Scalar, what: str) -> None:
        """Raises Refused unless `value` is of the declared kind and provably inside of its width."""
        if isinstance(width, Range) != (value.kind is None) or (
            value.kind is not None and value.kind != width
        ):
            self.refuse(
                node, f"{what} is {width}, this is {show_kind(value.kind)}", f"write a value of {width}"
            )
        if isinstance(width, Range) and not require_interval(value).within(width.low, width.high):
            interval = require_interval(value)
            self.refuse(
                node,
                f"this value lies in {interval}, which is not proven to fit {show_width(width)} of {what}",
                f"write fit({width}, ..., Code.X) to check it, or narrow it by a condition before",
            )

    # -------------------------------------------------------------------------------------------------- names

    def resolve(self, name: ast.Name) -> Symbol | None:
        """The top-level meaning of a name; None for a local one."""
        return None if name.id in self.names else self.linker.resolve(self.module, name.id)

    def fold(self, node: ast.expr) -> Value | None:
        """The value of a constant expression; None when it is not constant."""
        return fold(self.module.file, node, self.resolve)

    def constant(self, node: ast.AST, value: Value) -> Constant:
        """A folded value as an expression. Raises Refused when it does not fit the machine's word."""
        kind = HASH if isinstance(value, bytes) else BOOL if isinstance(value, bool) else None
        interval = None if isinstance(value, bytes) else Interval(int(value), int(value))
        if interval is not None and not interval.fits_word:
            self.refuse(
                node,
                f"the constant {show_integer(int(value))} does not fit the machine's word",
                "write a value within +-(2**255 - 1)",
            )
        return Constant(interval, kind, self.locate(node), signed_word(value))

    def new_variable(self, node: ast.AST, name: str, kind: Kind | None) -> Variable:
        """A new local name. Raises Refused when it hides something."""
        self.refuse_hiding(node, name)
        declared = kind if isinstance(kind, Range) else None
        variable = Variable(name, None if isinstance(kind, Range) else kind, declared)
        if isinstance(kind, RecordKind):
            variable.read_only = name in self.peeked
        self.names[name] = variable
        return variable

    def refuse_hiding(self, node: ast.AST, name: str) -> None:
        """Raises Refused when a local name would hide a word of the language or a definition of the
        module.
        """
        if name in RESERVED or name in self.module.definitions:
            owner = "the language" if name in RESERVED else "this module"
            self.refuse(node, f"{name} hides a name of {owner}", "write another name")
        if isinstance(self.names.get(name), Expired):
            self.refuse(node, f"{name} is the variable of a loop above", "write another name")
        if not name.isascii():
            self.refuse(node, f"{name} is no plain name", "write letters, digits and _")

    def is_borrowed(self, variable: Variable) -> bool:
        """Whether a record of an inlined copy is the caller's."""
        return any(variable is other for other in self.borrowed)

    def record_variable(self, node: ast.AST) -> Variable | None:
        """The record variable that `node` names, checked to be assigned; None when it names none."""
        if not isinstance(node, ast.Name):
            return None
        found = self.names.get(node.id)
        if not isinstance(found, Variable) or not isinstance(found.kind, RecordKind):
            return None
        self.require_assigned(node, found)
        return found

    def require_assigned(self, node: ast.AST, variable: Variable) -> None:
        """Raises Refused when a path leads here on which the variable has no value."""
        if variable not in self.flow.assigned:
            self.refuse(
                node,
                f"{variable.name} is not assigned on every path that leads here",
                f"write an assignment of {variable.name} before the branch or loop",
            )

    # --------------------------------------------------------------------------------------------------- flow

    def interval_of(self, place: Place, declared: Interval | None) -> Interval:
        """What is known of an integer place. `declared` is what its declaration promises."""
        known = self.flow.known.get(place, declared)
        if known is None:  # an integer without annotation is known wherever it is assigned
            raise AssertionError(f"nothing is known of {place.variable.name}")
        return known

    def read(self, node: ast.AST, variable: Variable) -> Expression:
        """The value of a scalar variable."""
        self.require_assigned(node, variable)
        if variable.kind is not None:
            if isinstance(variable.kind, RecordKind):
                self.refuse(
                    node,
                    f"{variable.name} is a record, not a value",
                    f"write a field of it: {variable.name}.{variable.kind.layout.fields[0].name}",
                )
            return Read(as_interval(variable.kind), variable.kind, self.locate(node), variable)
        if variable in self.flow.stale:
            self.refuse(
                node,
                f"{variable.name} changes in a loop and has no width",
                f"write its width where it is first assigned: {variable.name}: i64 = ...",
            )
        declared = as_interval(variable.declared) if variable.declared else None
        return Read(self.interval_of(Place(variable), declared), None, self.locate(node), variable)

    def note(self, node: ast.AST, text: str) -> None:
        """Remember something that is no error but worth a look."""
        self.notes.append(f"{self.locate(node)}: {text}")


def require_interval(value: Expression) -> Interval:
    """The interval of an integer or bool."""
    if value.interval is None:
        raise AssertionError("a b32 has no interval")
    return value.interval


def show_kind(kind: Kind | None) -> str:
    """How messages call a kind."""
    return "an integer" if kind is None else str(kind)


def show_width(width: Range) -> str:
    """A width with its bounds, without saying them twice."""
    name = str(width)
    return name if name.startswith("Range") else f"{name} ({Interval(width.low, width.high)})"
