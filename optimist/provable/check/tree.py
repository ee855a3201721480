"""The checked program: expressions and statements whose names are resolved and whose integers carry
intervals.

Made by this package, read by `emit`. Evaluation order is the order of the fields. An expression never
assigns a variable of its author; `Keep` assigns a hidden one.
"""

from dataclasses import dataclass, field
from typing import Final

from optimist.provable.check.interval import BOOLEAN, Interval
from optimist.provable.check.refusal import Location
from optimist.provable.record import Layout
from optimist.provable.widths import Range
from optimist.vm.isa import Op

# ------------------------------------------------------------------------------------------------------ kinds


@dataclass(frozen=True, slots=True)
class Opaque:
    """bool and b32: kinds without arithmetic."""

    name: str

    def __str__(self) -> str:
        return self.name


BOOL: Final = Opaque("bool")
HASH: Final = Opaque("b32")


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A record class of the law. Two classes are the same kind only if they are the same class."""

    module: str
    layout: Layout
    location: Location

    def __str__(self) -> str:
        return self.layout.name


Scalar = Range | Opaque  # the declared kind of a parameter, result or field
Kind = Range | Opaque | RecordKind


@dataclass(eq=False, slots=True)
class Variable:
    """One name of one function (or one copy of an inlined one). Compared by identity.

    `declared` is the annotation's width, None without one. `read_only`: bound by `peek`.
    """

    name: str
    kind: Opaque | RecordKind | None  # None: an integer
    declared: Range | None = None
    is_parameter: bool = False
    read_only: bool = False


# ------------------------------------------------------------------------------------------------ expressions


@dataclass(eq=False, slots=True)
class Expression:
    """`interval` is None for b32, 0..1 for bool."""

    interval: Interval | None
    kind: Opaque | None  # None: an integer
    location: Location


@dataclass(eq=False, slots=True)
class Constant(Expression):
    """A number known now; `word` is what the machine's word holds (signed; a b32 read as two's
    complement).
    """

    word: int


@dataclass(eq=False, slots=True)
class Read(Expression):
    """The value of a variable."""

    variable: Variable


@dataclass(eq=False, slots=True)
class ReadField(Expression):
    """Word `offset` of a record variable."""

    record: Variable
    offset: int


@dataclass(eq=False, slots=True)
class ReadElement(Expression):
    """Word `offset + index` of a record variable."""

    record: Variable
    offset: int
    index: Expression


@dataclass(eq=False, slots=True)
class ReadPeeked(Expression):
    """One word of a stored record that has no name."""

    record: RecordKind
    row: Expression
    offset: int


@dataclass(eq=False, slots=True)
class Binary(Expression):
    """ADD to MAX of the machine. `op` MULSHR is `(left * right) >> shift`."""

    op: Op
    left: Expression
    right: Expression
    shift: int = 0


@dataclass(eq=False, slots=True)
class Compare(Expression):
    """LT, LE, EQ or NE. `left` is evaluated first; `swapped` compares right with left: `>` and `>=`."""

    op: Op
    left: Expression
    right: Expression
    swapped: bool = False


@dataclass(eq=False, slots=True)
class BitLength(Expression):
    """Bits of the absolute value."""

    value: Expression


@dataclass(eq=False, slots=True)
class Check(Expression):
    """`value`, or a rejection with `code` when it is outside of `width`."""

    width: Range
    value: Expression
    code: int


@dataclass(eq=False, slots=True)
class Keep(Expression):
    """`value`, which is also remembered in a hidden variable."""

    variable: Variable
    value: Expression


@dataclass(eq=False, slots=True)
class Not(Expression):
    """Negation of a bool."""

    value: Expression


@dataclass(eq=False, slots=True)
class Junction(Expression):
    """`and` (stops at the first false part) or `or` (stops at the first true one)."""

    is_and: bool
    parts: list[Expression]


@dataclass(eq=False, slots=True)
class Conditional(Expression):
    """`then if condition else otherwise`."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(eq=False, slots=True)
class InputBytes(Expression):
    """`count` bytes of the input at `offset`; 32 of them make a b32."""

    offset: Expression
    count: int
    signed: bool


@dataclass(eq=False, slots=True)
class InputLength(Expression):
    """Number of bytes of the input."""


@dataclass(eq=False, slots=True)
class HashRecord(Expression):
    """keccak256 of the words of a record, made by `source` if it has no name."""

    record: Variable
    source: "LoadRecord | BuildRecord | None"


@dataclass(eq=False, slots=True)
class Digest(Expression):
    """EIP-712 digest of a domain and a struct hash."""

    domain: Expression
    struct_hash: Expression


@dataclass(eq=False, slots=True)
class Recover(Expression):
    """Signer of (digest, v, r, s)."""

    parts: tuple[Expression, Expression, Expression, Expression]


@dataclass(eq=False, slots=True)
class Argument:
    """One argument of a call: a value, a record by reference, or a record made for this call alone.

    `position` is the parameter's.
    """

    position: int
    value: "Expression | Variable | LoadRecord | BuildRecord"


@dataclass(eq=False, slots=True)
class Call(Expression):
    """A call, arguments in the order in which they are evaluated. Interval and kind are those of result 0."""

    function: "CheckedFunction"
    arguments: list[Argument]


@dataclass(eq=False, slots=True)
class InlineCall(Expression):
    """A copy of a function's body; `Leave` in it fills `results` and goes to its end."""

    setup: "list[Statement]"
    body: "list[Statement]"
    results: list[Variable]


# ------------------------------------------------------------------------------------------------- statements


@dataclass(eq=False, slots=True)
class Statement:
    """Something done."""

    location: Location


@dataclass(eq=False, slots=True)
class Assign(Statement):
    """A scalar variable takes a value."""

    variable: Variable
    value: Expression


@dataclass(eq=False, slots=True)
class Unpack(Statement):
    """The results of a call go to variables; None drops one."""

    call: Call | InlineCall
    variables: list[Variable | None]


@dataclass(eq=False, slots=True)
class LoadRecord(Statement):
    """A record variable takes what is stored at `row`."""

    record: Variable
    row: Expression


@dataclass(eq=False, slots=True)
class BuildRecord(Statement):
    """A record variable takes new fields: (offset, value) in order of evaluation; all others are zero."""

    record: Variable
    fields: list[tuple[int, Expression]]


@dataclass(eq=False, slots=True)
class StoreRecord(Statement):
    """The record, made by `source` if it has no name, is written at `row` of its table."""

    row: Expression
    record: Variable
    source: LoadRecord | BuildRecord | None


@dataclass(eq=False, slots=True)
class Note(Statement):
    """The record, made by `source` if it has no name, goes into the receipt. The machine does nothing."""

    record: Variable
    source: LoadRecord | BuildRecord | None


@dataclass(eq=False, slots=True)
class SetField(Statement):
    """Word `offset` of a record takes a value."""

    record: Variable
    offset: int
    value: Expression


@dataclass(eq=False, slots=True)
class SetElement(Statement):
    """Word `offset + index` of a record takes a value, which is evaluated before the index."""

    record: Variable
    offset: int
    value: Expression
    index: Expression


@dataclass(eq=False, slots=True)
class If(Statement):
    """Either branch may be empty."""

    condition: Expression
    then: list[Statement]
    otherwise: list[Statement]


@dataclass(eq=False, slots=True)
class Loop(Statement):
    """`variable` runs from `start` to `stop` - 1, at most `rounds` times. `changed`: what the body
    assigns.
    """

    variable: Variable
    start: Expression
    stop: Expression
    body: list[Statement]
    rounds: int
    certain: bool  # at least one round is certain
    changed: frozenset[Variable]  # asked for membership only, never iterated


@dataclass(eq=False, slots=True)
class Break(Statement):
    """Leave the innermost loop."""


@dataclass(eq=False, slots=True)
class Continue(Statement):
    """Next round of the innermost loop."""


@dataclass(eq=False, slots=True)
class Return(Statement):
    """Leave the function, with its results."""

    values: list[Expression]


@dataclass(eq=False, slots=True)
class Leave(Statement):
    """Leave the innermost inlined body, with its results."""

    values: list[Expression]


@dataclass(eq=False, slots=True)
class Require(Statement):
    """Reject with `code` unless `condition`."""

    condition: Expression
    code: int


@dataclass(eq=False, slots=True)
class Reject(Statement):
    """Reject with `code`."""

    code: int


@dataclass(eq=False, slots=True)
class Evaluate(Statement):
    """An expression for its effects alone."""

    value: Expression


# -------------------------------------------------------------------------------------------------- functions


@dataclass(eq=False, slots=True)
class CheckedFunction:
    """A function that is compiled once. `mutated` holds the positions of the record parameters it writes
    to.
    """

    name: str
    module: str
    location: Location
    is_handler: bool
    parameters: list[Variable]
    results: list[Scalar]
    body: list[Statement] = field(default_factory=list)
    mutated: set[int] = field(default_factory=set)
    ends_open: bool = True  # the end of the body can be reached


def as_interval(width: Scalar) -> Interval | None:
    """The interval of a declared kind."""
    if isinstance(width, Range):
        return Interval(width.low, width.high)
    return BOOLEAN if width is BOOL else None


def is_discardable(expression: Expression) -> bool:
    """Whether an expression can neither reject nor change anything, so that it need not be evaluated."""
    match expression:
        case Constant() | Read() | ReadField() | InputLength() | HashRecord(source=None):
            return True
        case Binary(op=Op.DIV | Op.CDIV | Op.MOD, left=left, right=right):
            divisor = right.interval
            proven = divisor is not None and not divisor.low <= 0 <= divisor.high
            return proven and is_discardable(left) and is_discardable(right)
        case Binary(left=left, right=right) | Compare(left=left, right=right):
            return is_discardable(left) and is_discardable(right)
        case BitLength(value=value) | Not(value=value):
            return is_discardable(value)
        case ReadElement(index=inner) | ReadPeeked(row=inner) | InputBytes(offset=inner):
            return is_discardable(inner)
        case Junction(parts=parts):
            return all(is_discardable(part) for part in parts)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return all(is_discardable(part) for part in (condition, then, otherwise))
        case Digest(domain=domain, struct_hash=struct_hash):
            return is_discardable(domain) and is_discardable(struct_hash)
        case Recover(parts=quadruple):
            return all(is_discardable(part) for part in quadruple)
        case _:  # Check, Keep, Call, InlineCall
            return False


def contains_call(expression: Expression) -> bool:
    """Whether evaluating an expression runs code that may write records or reuse the frames of other
    functions.
    """
    match expression:
        case Call() | InlineCall():
            return True
        case Binary(left=left, right=right) | Compare(left=left, right=right):
            return contains_call(left) or contains_call(right)
        case BitLength(value=value) | Not(value=value) | Keep(value=value) | Check(value=value):
            return contains_call(value)
        case ReadElement(index=inner) | ReadPeeked(row=inner) | InputBytes(offset=inner):
            return contains_call(inner)
        case Junction(parts=parts):
            return any(contains_call(part) for part in parts)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return any(contains_call(part) for part in (condition, then, otherwise))
        case Digest(domain=domain, struct_hash=struct_hash):
            return contains_call(domain) or contains_call(struct_hash)
        case Recover(parts=quadruple):
            return any(contains_call(part) for part in quadruple)
        case HashRecord(source=source):
            return source is not None and source_contains_call(source)
        case _:
            return False


def source_contains_call(source: LoadRecord | BuildRecord) -> bool:
    """Whether making a record runs other code."""
    if isinstance(source, LoadRecord):
        return contains_call(source.row)
    return any(contains_call(value) for _, value in source.fields)
