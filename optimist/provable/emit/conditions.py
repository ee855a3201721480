"""Code for conditions: branches where one side falls through."""

from typing import Final

from optimist.provable.check.tree import Compare, Constant, Expression, Junction, Not
from optimist.provable.emit import values
from optimist.provable.emit.code import Label
from optimist.provable.emit.emitter import ZERO, Emitter
from optimist.vm.isa import Op

# (branch where the comparison holds, branch where it fails, operands of the latter exchanged)
_BRANCHES: Final = {
    Op.LT: (Op.BLT, Op.BLE, True),
    Op.LE: (Op.BLE, Op.BLT, True),
    Op.EQ: (Op.BEQ, Op.BNE, False),
    Op.NE: (Op.BNE, Op.BEQ, False),
}


def emit_branch(e: Emitter, node: Expression, target: Label, *, when: bool) -> None:
    """Jump to `target` if the condition is `when`, else fall through."""
    where = node.location
    match node:
        case Compare(op=op, left=left, right=right, swapped=swapped):
            a, b = values.emit_operands(e, (left, right))
            holds, fails, exchanged = _BRANCHES[op]
            if swapped != (exchanged and not when):
                a, b = b, a
            e.write(holds if when else fails, where, None, a, b, target)
        case Not(value=value):
            emit_branch(e, value, target, when=not when)
        case Junction(is_and=is_and, parts=parts):
            skip = Label()
            # `and` fails at its first false part, `or` holds at its first true one
            for part in parts[:-1]:
                if is_and == when:
                    emit_branch(e, part, skip, when=not when)
                else:
                    emit_branch(e, part, target, when=when)
            emit_branch(e, parts[-1], target, when=when)
            e.writer.place(skip)
        case Constant(word=word):
            if bool(word) == when:
                e.write(Op.JMP, where, immediate=target)
        case _:
            operand = values.emit_value(e, node)
            e.write(Op.BNE if when else Op.BEQ, where, None, operand, ZERO, target)
