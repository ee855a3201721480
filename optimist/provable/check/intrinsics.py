"""The language's own words as values: what each demands of its arguments, and the interval of its result."""

import ast
from collections.abc import Callable
from functools import partial
from typing import Final

from optimist.provable.check import calls, expressions, records
from optimist.provable.check import interval as iv
from optimist.provable.check.checker import Checker, require_interval, show_kind
from optimist.provable.check.declarations import resolve_range
from optimist.provable.check.flow import place_of
from optimist.provable.check.interval import Interval
from optimist.provable.check.symbols import EnumSymbol, WidthSymbol, WordSymbol
from optimist.provable.check.tree import (
    HASH,
    Binary,
    BitLength,
    Check,
    Digest,
    Expression,
    HashRecord,
    InputBytes,
    InputLength,
    Recover,
    Variable,
)
from optimist.provable.intrinsics import NUMBER_BYTES
from optimist.provable.widths import HASH_BYTES, WIDTHS
from optimist.vm.isa import FIRST_LAW_CODE, Op

LAST_CODE: Final = 0xFFFF
LENGTH: Final = Interval(0, (1 << 32) - 1)  # of an input; the Inbox allows far less
ADDRESS: Final = Interval(0, (1 << 160) - 1)

_STATEMENTS: Final = {
    "require": "write it on a line of its own",
    "reject": "write it on a line of its own",
    "store": "write it on a line of its own",
    "note": "write it on a line of its own",
    "load": "write x = load(...) on a line of its own",
    "peek": "write x = peek(...), or peek(...).field",
    "zero": "write x = zero(...) on a line of its own",
    "range": "write for i in range(n)",
    "int": "write 1 if ... else 0",
    "bool": "write x != 0",
}


def check_intrinsic(c: Checker, node: ast.Call, name: str) -> Expression:
    """A call of a word of the language, used as a value. Raises Refused."""
    if name in _STATEMENTS:
        c.refuse(node, f"{name} gives no value here", _STATEMENTS[name])
    if name not in _VALUES:
        c.refuse(node, f"{name} is not for calls in functions", "write one of the README's words")
    if node.keywords:
        c.refuse(node, f"{name} takes no keywords", "write its arguments in order")
    wanted, check = _VALUES[name]
    if not wanted[0] <= len(node.args) <= wanted[1]:
        count = str(wanted[0]) if wanted[0] == wanted[1] else f"{wanted[0]} or more"
        c.refuse(node, f"{name} takes {count} arguments, not {len(node.args)}", "write exactly those")
    return check(c, node)


# ------------------------------------------------------------------------------------------------- arithmetic


def _check_extreme(c: Checker, node: ast.Call, op: Op) -> Expression:
    measure = iv.minimum if op is Op.MIN else iv.maximum
    values = [expressions.check_integer(c, argument) for argument in node.args]
    result = values[0]
    for value in values[1:]:
        result = expressions.measured(c, node, op, measure, result, value)
    return result


def _check_abs(c: Checker, node: ast.Call) -> Expression:
    value = expressions.check_integer(c, node.args[0])
    known = require_interval(value)
    if known.low >= 0:
        return value
    negated = expressions.binary(c, node, ast.Sub(), c.constant(node, 0), value)
    if known.high <= 0:
        return negated
    # Both operands of MAX read the value: it is computed once and kept.
    keep, read = (value, value) if place_of(value) else expressions.keep(value)
    negated = Binary(iv.negate(known), None, c.locate(node), Op.SUB, c.constant(node, 0), keep)
    return expressions.settle(
        c, Binary(iv.absolute(known), None, c.locate(node), Op.MAX, negated, read), node
    )


def _check_ceil_div(c: Checker, node: ast.Call) -> Expression:
    left, right = (expressions.check_integer(c, argument) for argument in node.args)
    return expressions.measured(c, node, Op.CDIV, iv.divide_ceil, left, right)


def _check_bit_length(c: Checker, node: ast.Call) -> Expression:
    value = expressions.check_integer(c, node.args[0])
    interval = iv.bit_length(require_interval(value))
    return expressions.settle(c, BitLength(interval, None, c.locate(node), value), node)


def _check_mul_shift_right(c: Checker, node: ast.Call) -> Expression:
    left = expressions.check_integer(c, node.args[0])
    right = expressions.check_integer(c, node.args[1])
    shift = c.fold(node.args[2])
    if not isinstance(shift, int) or not 0 <= shift <= iv.SHIFT_MAX:
        c.refuse(node.args[2], "the shift is not constant", f"write a constant in 0..{iv.SHIFT_MAX}")
    product = iv.multiply(require_interval(left), require_interval(right))
    if not product.fits_word:
        c.refuse(node, f"the product lies in {product}", "write narrower operands: it must fit the word")
    interval = iv.shift_right(product, Interval(shift, shift))
    value = Binary(interval, None, c.locate(node), Op.MULSHR, left, right, shift)
    return expressions.settle(c, value, node)


def check_code(c: Checker, node: ast.expr) -> int:
    """The constant code of a rejection. Raises Refused."""
    code = c.fold(node)
    match node:
        case ast.Attribute(value=ast.Name() as owner):
            is_member = isinstance(c.resolve(owner), EnumSymbol)
        case _:
            is_member = False
    if not is_member or not isinstance(code, int) or not FIRST_LAW_CODE <= code <= LAST_CODE:
        c.refuse(
            node,
            "this is no code to reject with",
            f"write a member of an IntEnum with a value in {FIRST_LAW_CODE}..{LAST_CODE}",
        )
    return code


def _check_fit(c: Checker, node: ast.Call) -> Expression:
    width_node, value_node, code_node = node.args
    symbol = c.resolve(width_node) if isinstance(width_node, ast.Name) else None
    if isinstance(symbol, WidthSymbol):
        width = symbol.width
    else:
        width = resolve_range(c.linker, c.module, width_node, at_top=False)
    value = expressions.check_integer(c, value_node)
    code = check_code(c, code_node)
    known = require_interval(value)
    inside = iv.intersect(known, Interval(width.low, width.high))
    if inside is None:
        c.refuse(node, f"the value lies in {known} and never fits", "write reject(Code.X), or another width")
    if inside == known:
        return value
    return Check(inside, None, c.locate(node), width, value, code)


# ------------------------------------------------------------------------------------------------------ input


def _check_input(c: Checker, node: ast.Call, signed: bool) -> Expression:
    offset = _check_offset(c, node.args[0])
    count = c.fold(node.args[1])
    if not isinstance(count, int) or not 0 < count <= NUMBER_BYTES:
        c.refuse(
            node.args[1],
            "the number of bytes is not constant",
            f"write a constant in 1..{NUMBER_BYTES} (32 bytes: input_b32)",
        )
    bits = 8 * count
    interval = Interval(-(1 << bits - 1), (1 << bits - 1) - 1) if signed else Interval(0, (1 << bits) - 1)
    return InputBytes(interval, None, c.locate(node), offset, count, signed)


def _check_offset(c: Checker, node: ast.expr) -> Expression:
    offset = expressions.check_integer(c, node)
    if require_interval(offset).low < 0:
        c.refuse(node, f"the offset lies in {offset.interval}", "write an offset proven not to be negative")
    return offset


def _check_input_b32(c: Checker, node: ast.Call) -> Expression:
    offset = _check_offset(c, node.args[0])
    return InputBytes(None, HASH, c.locate(node), offset, HASH_BYTES, signed=False)


def _check_input_length(c: Checker, node: ast.Call) -> Expression:
    return InputLength(LENGTH, None, c.locate(node))


# ----------------------------------------------------------------------------------------------- cryptography


def _check_hash(c: Checker, node: ast.expr) -> Expression:
    value = expressions.check_expression(c, node)
    if value.kind is not HASH:
        c.refuse(node, f"a b32 is needed, this is {show_kind(value.kind)}", "write a b32")
    return value


def _check_keccak_of(c: Checker, node: ast.Call) -> Expression:
    found = records.check_record(c, node.args[0])
    if found is None:
        c.refuse(node, "keccak_of hashes a record", "write keccak_of(x) with a record x")
    source = None if isinstance(found, Variable) else found
    return HashRecord(None, HASH, c.locate(node), records.variable_of(found), source)


def _check_digest(c: Checker, node: ast.Call) -> Expression:
    domain, struct_hash = (_check_hash(c, argument) for argument in node.args)
    return Digest(None, HASH, c.locate(node), domain, struct_hash)


def _check_recover(c: Checker, node: ast.Call) -> Expression:
    digest = _check_hash(c, node.args[0])
    v = expressions.check_integer(c, node.args[1])
    c.prove(node.args[1], v, WIDTHS["u8"], "v")
    r, s = (_check_hash(c, argument) for argument in node.args[2:])
    return Recover(ADDRESS, None, c.locate(node), (digest, v, r, s))


_Check = Callable[[Checker, ast.Call], Expression]

_MANY: Final = 255  # as many arguments as one call of Python ever has

_VALUES: Final[dict[str, tuple[tuple[int, int], _Check]]] = {
    "min": ((2, _MANY), partial(_check_extreme, op=Op.MIN)),
    "max": ((2, _MANY), partial(_check_extreme, op=Op.MAX)),
    "abs": ((1, 1), _check_abs),
    "ceil_div": ((2, 2), _check_ceil_div),
    "bit_length": ((1, 1), _check_bit_length),
    "mul_shift_right": ((3, 3), _check_mul_shift_right),
    "fit": ((3, 3), _check_fit),
    "input_uint": ((2, 2), partial(_check_input, signed=False)),
    "input_int": ((2, 2), partial(_check_input, signed=True)),
    "input_b32": ((1, 1), _check_input_b32),
    "input_length": ((0, 0), _check_input_length),
    "keccak_of": ((1, 1), _check_keccak_of),
    "eip712_digest": ((2, 2), _check_digest),
    "recover_signer": ((4, 4), _check_recover),
}


def is_word(c: Checker, node: ast.expr, *names: str) -> bool:
    """Whether an expression is a call of one of these words of the language."""
    if not isinstance(node, ast.Call):
        return False
    symbol = calls.find_callee(c, node)
    return isinstance(symbol, WordSymbol) and symbol.name in names
