"""Code for expressions. `into` asks for the value in one place; only the last instruction ever writes
there.
"""

from collections.abc import Sequence
from typing import cast

from optimist.provable.check.tree import (
    Argument,
    Binary,
    BitLength,
    BuildRecord,
    Call,
    Check,
    Compare,
    Conditional,
    Constant,
    Digest,
    Expression,
    HashRecord,
    InlineCall,
    InputBytes,
    InputLength,
    Junction,
    Keep,
    LoadRecord,
    Not,
    Read,
    ReadElement,
    ReadField,
    ReadPeeked,
    RecordKind,
    Recover,
    Variable,
    contains_call,
    source_contains_call,
)
from optimist.provable.emit import conditions, control
from optimist.provable.emit.code import Label
from optimist.provable.emit.emitter import ONE, ZERO, Emitter, LeaveTarget, block_size
from optimist.provable.emit.frame import RETURN_ADDRESS, AddressOf, BlockWord, Operand, Pool, Word
from optimist.provable.widths import Range
from optimist.vm.isa import CHECK_CODE_SHIFT, HASH_INDIRECT, SIGNATURE_WORDS, Op

Target = Word | BlockWord


def emit_value(e: Emitter, node: Expression, into: Target | None = None) -> Operand:
    """Code for an expression; the operand where its value is."""
    match node:
        case Constant(word=word):
            return _settle(e, node, Pool(word), into)
        case Read(variable=variable):
            return _settle(e, node, e.word_home(variable), into)
        case ReadField():
            return _emit_field(e, node, into)
        case Call():
            return _settle(e, node, emit_call(e, node)[0], into)
        case InlineCall():
            return emit_inline(e, node, [into] if into else [])[0]
        case Check():
            return _emit_check(e, node, into)
        case Keep(variable=variable, value=value):
            kept = e.temporary()
            e.homes[variable] = kept
            emit_value(e, value, kept)
            return _settle(e, node, kept, into)
        case ReadPeeked(record=kind, row=row, offset=offset):
            block = e.temporary_block(block_size(kind))
            table = cast("int", kind.layout.table)
            e.write(Op.LDR, node.location, block, emit_value(e, row), immediate=table)
            return _settle(e, node, block.at(offset), into)
        case _:
            target = into or e.temporary()
            _emit_operation(e, node, target)
            return target


def _settle(e: Emitter, node: Expression, found: Operand, into: Target | None) -> Operand:
    if into is None:
        return found
    e.move(node.location, into, found)
    return into


def emit_operands(e: Emitter, nodes: Sequence[Expression]) -> list[Operand]:
    """Values in order; what the evaluation of a later one may change is copied first."""
    operands: list[Operand] = []
    for position, node in enumerate(nodes):
        operand = emit_value(e, node)
        if e.is_unstable(operand) and any(contains_call(later) for later in nodes[position + 1 :]):
            operand = _settle(e, node, operand, e.temporary())
        operands.append(operand)
    return operands


def _emit_operation(e: Emitter, node: Expression, target: Target) -> None:
    where = node.location
    match node:
        case Binary(op=op, left=left, right=right, shift=shift):
            a, b = emit_operands(e, (left, right))
            e.write(op, where, target, a, b, shift)
        case Compare(op=op, left=left, right=right, swapped=swapped):
            a, b = emit_operands(e, (left, right))
            e.write(op, where, target, *((b, a) if swapped else (a, b)))
        case BitLength(value=value):
            e.write(Op.BITLEN, where, target, emit_value(e, value))
        case Not(value=value):
            e.write(Op.EQ, where, target, emit_value(e, value), ZERO)
        case Junction():
            _emit_junction(e, node, target)
        case Conditional():
            _emit_conditional(e, node, target)
        case ReadElement(record=record, offset=offset, index=index):
            _emit_element(e, node, record, offset, emit_value(e, index), target)
        case _:
            _emit_machine_word(e, node, target)


def _emit_machine_word(e: Emitter, node: Expression, target: Target) -> None:
    where = node.location
    match node:
        case InputBytes():
            _emit_input(e, node, target)
        case InputLength():
            e.write(Op.INLEN, where, target)
        case HashRecord(record=record, source=source):
            if source is not None:
                make_record(e, source)
            words = cast("RecordKind", record.kind).layout.words
            home = e.home(record)
            indirect = HASH_INDIRECT if isinstance(home, Word) else 0
            e.write(Op.KEC, where, target, home, immediate=words | indirect)
        case Digest(domain=domain, struct_hash=struct_hash):
            a, b = emit_operands(e, (domain, struct_hash))
            e.write(Op.D712, where, target, a, b)
        case Recover(parts=parts):
            block = e.temporary_block(SIGNATURE_WORDS)
            for offset, part in enumerate(parts):
                emit_value(e, part, block.at(offset))
            e.write(Op.ECR, where, target, block)
        case _:
            raise AssertionError(f"no code for {type(node).__name__}")


# ---------------------------------------------------------------------------------------------------- records


def _emit_field(e: Emitter, node: ReadField, into: Target | None) -> Operand:
    home = e.home(node.record)
    if isinstance(home, BlockWord):
        return _settle(e, node, home.at(node.offset), into)
    target = into or e.temporary()
    e.write(Op.LDX, node.location, target, home, immediate=node.offset)
    return target


def _emit_element(
    e: Emitter, node: Expression, record: Variable, offset: int, index: Operand, target: Target
) -> None:
    pointer, immediate = element_pointer(e, node, record, offset, index)
    e.write(Op.LDX, node.location, target, pointer, immediate=immediate)


def element_pointer(
    e: Emitter, node: Expression, record: Variable, offset: int, index: Operand
) -> tuple[Operand, int | BlockWord]:
    """Operand a and immediate of LDX or STX for element `index` of the vector at `offset`."""
    home = e.home(record)
    if isinstance(home, BlockWord):
        return index, home.at(offset)
    pointer = e.temporary()
    e.write(Op.ADD, node.location, pointer, home, index)
    return pointer, offset


# ----------------------------------------------------------------------------------------------------- checks


def _emit_check(e: Emitter, node: Check, into: Target | None) -> Operand:
    width, where = node.width, node.location
    value = emit_value(e, node.value)
    opcode = _checking_opcode(width)
    if opcode is not None:
        target = into or e.temporary()
        op, bits = opcode
        e.write(op, where, target, value, immediate=bits | node.code << CHECK_CODE_SHIFT)
        return target
    known = node.value.interval
    label = e.rejection(node.code, where)
    if known is None or known.low < width.low:
        e.write(Op.BLT, where, None, value, Pool(width.low), label)
    if known is None or known.high > width.high:
        e.write(Op.BLT, where, None, Pool(width.high), value, label)
    return _settle(e, node, value, into)


def _checking_opcode(width: Range) -> tuple[Op, int] | None:
    bits = width.high.bit_length()
    if width.high != (1 << bits) - 1 or bits == 0:
        return None
    if width.low == 0:
        return Op.CHKU, bits
    return (Op.CHKS, bits + 1) if width.low == -width.high and bits < 255 else None


def _emit_input(e: Emitter, node: InputBytes, target: Target) -> None:
    offset = emit_value(e, node.offset)
    if not node.signed:
        e.write(Op.IN, node.location, target, offset, immediate=node.count)
        return
    # two's complement: flip the sign bit, then subtract it
    sign = Pool(1 << (8 * node.count - 1))
    word = e.temporary()
    e.write(Op.IN, node.location, word, offset, immediate=node.count)
    e.write(Op.XOR, node.location, word, word, sign)
    e.write(Op.SUB, node.location, target, word, sign)


# ------------------------------------------------------------------------------------------------- conditions


def _emit_junction(e: Emitter, node: Junction, target: Target) -> None:
    fails, end = Label(), Label()
    conditions.emit_branch(e, node, fails, when=False)
    e.write(Op.MOV, node.location, target, ONE)
    e.write(Op.JMP, node.location, immediate=end)
    e.writer.place(fails)
    e.write(Op.MOV, node.location, target, ZERO)
    e.writer.place(end)


def _emit_conditional(e: Emitter, node: Conditional, target: Target) -> None:
    otherwise, end = Label(), Label()
    conditions.emit_branch(e, node.condition, otherwise, when=False)
    emit_value(e, node.then, target)
    e.write(Op.JMP, node.location, immediate=end)
    e.writer.place(otherwise)
    emit_value(e, node.otherwise, target)
    e.writer.place(end)


# ------------------------------------------------------------------------------------------------------ calls


def emit_call(e: Emitter, node: Call) -> list[Word]:
    """Code for a call; the words of the callee's frame that hold its results until the next call."""
    code = e.get_code(node.function)
    where = node.location
    results = len(node.function.results)
    parameters = [Word(code.frame, 1 + results + argument.position) for argument in node.arguments]
    # Frames of two callees may overlap: an argument that calls must not find another one in place already.
    if any(_argument_calls(argument) for argument in node.arguments):
        held = [_emit_argument(e, node, argument, None) for argument in node.arguments]
        for parameter, operand in zip(parameters, held, strict=True):
            e.move(where, parameter, operand)
    else:
        for parameter, argument in zip(parameters, node.arguments, strict=True):
            _emit_argument(e, node, argument, parameter)
    e.write(Op.CALL, where, Word(code.frame, RETURN_ADDRESS), immediate=code)
    return [Word(code.frame, 1 + index) for index in range(results)]


def _argument_calls(argument: Argument) -> bool:
    match argument.value:
        case LoadRecord() | BuildRecord() as source:
            return source_contains_call(source)
        case Expression() as value:
            return contains_call(value)
        case _:
            return False


def make_record(e: Emitter, source: LoadRecord | BuildRecord) -> None:
    """Code for a record without a name, which lives until the end of the statement."""
    block = e.temporary_block(block_size(cast("RecordKind", source.record.kind)))
    e.homes[source.record] = block
    if isinstance(source, LoadRecord):
        control.emit_load(e, source)
    else:
        control.emit_build(e, source, is_new=True)


def _emit_argument(e: Emitter, node: Call, argument: Argument, into: Word | None) -> Operand:
    """The argument in its parameter's place, or where no other code changes it."""
    value = argument.value
    if isinstance(value, Expression):
        return emit_value(e, value, into or e.temporary())
    if isinstance(value, LoadRecord | BuildRecord):
        make_record(e, value)
        value = value.record
    home = e.home(value)
    return _settle(e, node, home if isinstance(home, Word) else AddressOf(home), into)


def emit_inline(e: Emitter, node: InlineCall, into: Sequence[Target]) -> list[Operand]:
    """Code for an inlined copy; where its results are."""
    results: list[Operand] = [*into] if into else [e.temporary() for _ in node.results]
    end = Label()
    with e.inlining():
        control.emit_block(e, node.setup)
        e.leaves.append(LeaveTarget(results, end))
        control.emit_block(e, node.body)
        e.leaves.pop()
    e.writer.place(end)
    return results
