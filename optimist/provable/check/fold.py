"""Constant expressions, folded from the syntax; no module is ever run. Integers are unbounded here, as in
Python.
"""

import ast
import operator
from collections.abc import Callable
from typing import Final

from optimist.provable.check.refusal import Refused, locate
from optimist.provable.check.symbols import ConstantSymbol, EnumSymbol, KindSymbol, Symbol, WordSymbol
from optimist.provable.check.tree import HASH
from optimist.provable.intrinsics import keccak_text
from optimist.provable.widths import HASH_BYTES

Value = int | bool | bytes
Resolver = Callable[[ast.Name], Symbol | None]

LARGEST_BITS: Final = 4096  # of an intermediate constant; far beyond any use, small enough to fold at once

_OPERATORS: Final[dict[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_GROWING: Final = (ast.Pow, ast.LShift)
_CALLS: Final[dict[str, Callable[..., int]]] = {"min": min, "max": max, "abs": abs}


def fold(file: str, node: ast.expr, resolve: Resolver) -> Value | None:
    """The value of a constant expression; None when `node` is not one.

    Raises Refused for a constant expression that has no value, such as a division by zero.
    """
    return _Folder(file, resolve).fold(node)


class _Folder:
    def __init__(self, file: str, resolve: Resolver) -> None:
        self.file = file
        self.resolve = resolve

    def fold(self, node: ast.expr) -> Value | None:
        match node:
            case ast.Constant(value=bool() | int() as value):
                return value
            case ast.Name():
                symbol = self.resolve(node)
                return symbol.value if isinstance(symbol, ConstantSymbol) else None
            case ast.Attribute(value=ast.Name() as owner, attr=member):
                symbol = self.resolve(owner)
                return self._member(symbol, member, node) if isinstance(symbol, EnumSymbol) else None
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self._integer(operand)
                return None if number is None else -number
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self._integer(left), self._integer(right)
                return None if a is None or b is None else self._binary(node, op, a, b)
            case ast.Call(func=ast.Name() as function, args=arguments, keywords=[]):
                return self._call(node, self.resolve(function), arguments)
            case _:
                return None

    def _integer(self, node: ast.expr) -> int | None:
        value = self.fold(node)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def _member(self, symbol: EnumSymbol, member: str, node: ast.expr) -> int:
        if member not in symbol.members:
            names = ", ".join(symbol.members)
            raise Refused(
                locate(self.file, node), f"{symbol.name} has no member {member}", f"write one of {names}"
            )
        return symbol.members[member]

    def _binary(self, node: ast.BinOp, op: ast.operator, a: int, b: int) -> int | None:
        operate = _OPERATORS.get(type(op))
        if operate is None:
            return None
        where = locate(self.file, node)
        if isinstance(op, ast.FloorDiv | ast.Mod) and b == 0:
            raise Refused(where, "a constant is divided by zero", "write a divisor that is not 0")
        if isinstance(op, ast.LShift | ast.RShift | ast.Pow) and b < 0:
            raise Refused(where, f"a constant is shifted or raised by {b}", "write a count of 0 or more")
        if isinstance(op, _GROWING) and (abs(a) > 1 or isinstance(op, ast.LShift)):
            bits = a.bit_length() * b if isinstance(op, ast.Pow) else a.bit_length() + b
            if bits > LARGEST_BITS:
                raise Refused(where, f"a constant of {bits} bits is too large", "write a smaller exponent")
        return operate(a, b)

    def _call(self, node: ast.Call, symbol: Symbol | None, arguments: list[ast.expr]) -> Value | None:
        if symbol == KindSymbol(HASH):
            return self._hash(node, arguments)
        if not isinstance(symbol, WordSymbol):
            return None
        if symbol.name == "keccak_text":
            return self._text(node, arguments)
        values = [self._integer(argument) for argument in arguments]
        known = [value for value in values if value is not None]
        wanted = len(values) == 1 if symbol.name == "abs" else len(values) > 1
        if symbol.name not in _CALLS or len(known) != len(values) or not wanted:
            return None
        return _CALLS[symbol.name](*known)

    def _hash(self, node: ast.Call, arguments: list[ast.expr]) -> bytes:
        value = self._integer(arguments[0]) if len(arguments) == 1 else None
        if value is None or not 0 <= value < 1 << 8 * HASH_BYTES:
            raise Refused(
                locate(self.file, node),
                "b32(...) takes one constant of at most 256 bits",
                "write b32(0x...); hashes of values come from keccak_of and eip712_digest",
            )
        return value.to_bytes(HASH_BYTES, "big")

    def _text(self, node: ast.Call, arguments: list[ast.expr]) -> bytes:
        match arguments:
            case [ast.Constant(value=str() as text)] if text.isascii():
                return keccak_text(text)
            case _:
                raise Refused(
                    locate(self.file, node),
                    "keccak_text takes one literal text of ASCII characters",
                    'write keccak_text("Order(uint40 account)")',
                )
