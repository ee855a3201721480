"""Code for statements."""

from typing import cast

from optimist.provable.check.tree import (
    Assign,
    Break,
    BuildRecord,
    Call,
    Constant,
    Continue,
    Evaluate,
    Expression,
    If,
    InlineCall,
    Leave,
    LoadRecord,
    Loop,
    Note,
    Read,
    RecordKind,
    Reject,
    Require,
    Return,
    SetElement,
    SetField,
    Statement,
    StoreRecord,
    Unpack,
    source_contains_call,
)
from optimist.provable.emit import conditions, values
from optimist.provable.emit.code import Label, LoopRange
from optimist.provable.emit.emitter import ONE, ZERO, Emitter, LoopLabels
from optimist.provable.emit.frame import RETURN_ADDRESS, BlockWord, Operand, Word
from optimist.vm.isa import RECORD_WORDS, STORE_INDIRECT, Op


def emit_function(e: Emitter) -> None:
    """Code for the whole function."""
    emit_block(e, e.function.body)
    if e.function.ends_open:
        _emit_end(e, Return(e.function.location, []))
    e.write_rejections()


def emit_block(e: Emitter, statements: list[Statement]) -> None:
    """Code for statements in order."""
    for statement in statements:
        with e.scratch():
            _emit_statement(e, statement)


def _emit_statement(e: Emitter, node: Statement) -> None:
    match node:
        case Assign(variable=variable, value=value):
            values.emit_value(e, value, e.word_home(variable))
        case Unpack():
            _emit_unpack(e, node)
        case Evaluate(value=value):
            _emit_evaluation(e, value)
        case If():
            _emit_if(e, node)
        case Loop():
            _emit_loop(e, node)
        case Require(condition=condition, code=code):
            label = e.rejection(code, node.location)
            conditions.emit_branch(e, condition, label, when=False)
        case Reject(code=code):
            e.write(Op.REJ, node.location, immediate=code)
        case Return():
            _emit_end(e, node)
        case Leave():
            _emit_leave(e, node)
        case Break():
            e.write(Op.JMP, node.location, immediate=e.loops[-1].end)
        case Continue():
            e.write(Op.JMP, node.location, immediate=e.loops[-1].next_round)
        case Note():
            pass  # only the native law writes receipts
        case _:
            _emit_record_statement(e, node)


def _emit_record_statement(e: Emitter, node: Statement) -> None:
    match node:
        case LoadRecord():
            emit_load(e, node)
        case BuildRecord():
            emit_build(e, node, is_new=node.record not in e.homes)
        case StoreRecord(row=row, record=record, source=source):
            operand = values.emit_value(e, row)
            if source is not None:
                if e.is_unstable(operand) and source_contains_call(source):
                    e.move(node.location, kept := e.temporary(), operand)
                    operand = kept
                values.make_record(e, source)
            home = e.home(record)
            table = _kind(record.kind).layout.table or 0
            indirect = STORE_INDIRECT if isinstance(home, Word) else 0
            e.write(Op.STR, node.location, home, operand, immediate=table | indirect)
        case SetField(record=record, offset=offset, value=value):
            home = e.home(record)
            if isinstance(home, BlockWord):
                values.emit_value(e, value, home.at(offset))
            else:
                e.write(Op.STX, node.location, values.emit_value(e, value), home, immediate=offset)
        case SetElement(record=record, offset=offset, value=value, index=index):
            written, position = values.emit_operands(e, (value, index))
            pointer, immediate = values.element_pointer(e, value, record, offset, position)
            e.write(Op.STX, node.location, written, pointer, immediate=immediate)
        case _:
            raise AssertionError(f"no code for {type(node).__name__}")


def emit_load(e: Emitter, node: LoadRecord) -> None:
    """Code for reading a stored record into its variable's block."""
    row = values.emit_value(e, node.row)
    table = _kind(node.record.kind).layout.table or 0
    e.write(Op.LDR, node.location, e.home(node.record), row, immediate=table)


def _kind(kind: object) -> RecordKind:
    return cast("RecordKind", kind)


def emit_build(e: Emitter, node: BuildRecord, *, is_new: bool) -> None:
    """Code for a new record; `is_new`: nothing in its fields can read what its block held before."""
    kind = _kind(node.record.kind)
    home = cast("BlockWord", e.home(node.record))  # parameters are never built
    if is_new:
        for offset, value in node.fields:
            values.emit_value(e, value, home.at(offset))
    else:  # fields may be made of what the record held before
        operands = [values.emit_value(e, value, e.temporary()) for _, value in node.fields]
        for (offset, value), operand in zip(node.fields, operands, strict=True):
            e.move(value.location, home.at(offset), operand)
    given = [offset for offset, _ in node.fields]
    # A stored record is hashed with its padding; what else lay in this block must not remain there.
    words = RECORD_WORDS if kind.layout.table is not None else kind.layout.words
    for offset in range(words):
        if offset not in given:
            e.write(Op.MOV, node.location, home.at(offset), ZERO)


def _emit_evaluation(e: Emitter, value: Expression) -> None:
    if isinstance(value, Call):
        values.emit_call(e, value)
    elif isinstance(value, InlineCall):
        values.emit_inline(e, value, [])
    else:
        values.emit_value(e, value)


def _emit_unpack(e: Emitter, node: Unpack) -> None:
    found: list[Operand] = (
        [*values.emit_call(e, node.call)]
        if isinstance(node.call, Call)
        else values.emit_inline(e, node.call, [])
    )
    for variable, operand in zip(node.variables, found, strict=True):
        if variable is not None:
            e.move(node.location, e.word_home(variable), operand)


def _emit_if(e: Emitter, node: If) -> None:
    otherwise, end = Label(), Label()
    with e.scratch():
        conditions.emit_branch(e, node.condition, otherwise, when=False)
    emit_block(e, node.then)
    if node.otherwise:
        e.write(Op.JMP, node.location, immediate=end)
    e.writer.place(otherwise)
    emit_block(e, node.otherwise)
    e.writer.place(end)


def _emit_loop(e: Emitter, node: Loop) -> None:
    """Two steps a round: count, and branch back. The test before the first round is left out where one is
    certain.
    """
    where = node.location
    counter = e.temporary()
    e.homes[node.variable] = counter
    with e.scratch():
        values.emit_value(e, node.start, counter)
    stop = _emit_stop(e, node)
    body, next_round, end = Label(), Label(), Label()
    if not node.certain:
        e.write(Op.BLE, where, None, stop, counter, end)
    e.writer.place(body)
    e.loops.append(LoopLabels(next_round, end))
    emit_block(e, node.body)
    e.loops.pop()
    e.writer.place(next_round)
    e.write(Op.ADD, where, counter, counter, ONE)
    e.write(Op.BLT, where, None, counter, stop, body)
    if e.writer.is_open:
        e.code.loops.append(LoopRange(body, len(e.code.lines) - 1, node.rounds))
    e.writer.place(end)


def _emit_stop(e: Emitter, node: Loop) -> Operand:
    """The end of the range is read once, before the first round: the body may change what it was read
    from.
    """
    stop = node.stop
    if isinstance(stop, Constant):
        return values.emit_value(e, stop)
    if isinstance(stop, Read) and stop.variable not in node.changed:
        return values.emit_value(e, stop)
    return values.emit_value(e, stop, e.temporary())


def _emit_end(e: Emitter, node: Return) -> None:
    for value, target in zip(node.values, e.results, strict=True):
        values.emit_value(e, value, target)
    if e.is_entry:
        e.write(Op.HALT, node.location)
    else:
        e.write(Op.RET, node.location, None, Word(e.frame, RETURN_ADDRESS))


def _emit_leave(e: Emitter, node: Leave) -> None:
    leave = e.leaves[-1]
    targets = [target for target in leave.results if isinstance(target, Word | BlockWord)]
    for value, target in zip(node.values, targets, strict=True):
        values.emit_value(e, value, target)
    e.write(Op.JMP, node.location, immediate=leave.end)
