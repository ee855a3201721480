"""Runs a checked tree directly, and asserts that every value lies in the interval that was proven for it.

A third face of the language beside native Python and the machine: it shares the checker with the one and
nothing with the other. Words are signed integers, a b32 too.
"""

from collections.abc import Mapping
from typing import cast

from optimist.base.keccak import keccak
from optimist.base.signature import recover
from optimist.provable.check import tree
from optimist.provable.check.tree import Expression, RecordKind, Statement, Variable
from optimist.vm.isa import RECORD_WORDS, Op

WORD = 32


class Rejection(Exception):
    """The input was rejected."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class _Leave(Exception):
    def __init__(self, values: list[int]) -> None:
        super().__init__()
        self.values = values


class _Return(_Leave):
    pass


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


def interpret(
    entry: tree.CheckedFunction, records: Mapping[int, bytes], data: bytes
) -> tuple[int, dict[int, bytes], list[bytes]]:
    """(code, writes, words of each note) of one input; code 0 when accepted.

    Raises AssertionError for a value out of its interval.
    """
    run = Interpreter(records, data)
    try:
        run.call(entry, [])
    except Rejection as rejection:
        return rejection.code, {}, []
    return 0, run.writes, run.notes


class Interpreter:
    """One input. `variables` holds the frame of the function that is running."""

    def __init__(self, records: Mapping[int, bytes], data: bytes) -> None:
        self.before = records
        self.data = data
        self.writes: dict[int, bytes] = {}
        self.notes: list[bytes] = []
        self.variables: dict[Variable, int] = {}
        self.records: dict[Variable, list[int]] = {}

    def call(self, function: tree.CheckedFunction, arguments: list[int | list[int]]) -> list[int]:
        outer = self.variables, self.records
        self.variables, self.records = {}, {}
        for variable, argument in zip(function.parameters, arguments, strict=True):
            if isinstance(argument, list):
                self.records[variable] = argument
            else:
                self.variables[variable] = argument
        results: list[int] = []
        try:
            self.block(function.body)
            assert function.ends_open
        except _Return as result:
            results = result.values
        self.variables, self.records = outer
        return results

    # --------------------------------------------------------------------------------------------- statements

    def block(self, statements: list[Statement]) -> None:
        for statement in statements:
            self.statement(statement)

    def statement(self, node: Statement) -> None:
        match node:
            case tree.Assign(variable=variable, value=value):
                self.variables[variable] = self.value(value)
            case tree.Unpack(call=call, variables=variables):
                results = self.results(call)
                for target, result in zip(variables, results, strict=True):
                    if target is not None:
                        self.variables[target] = result
            case tree.LoadRecord() | tree.BuildRecord():
                self.make(node)
            case tree.StoreRecord(row=row, record=record, source=source):
                where = self.value(row)
                if source is not None:
                    self.make(source)
                self.store(cast("RecordKind", record.kind), where, self.records[record])
            case tree.Note(record=record, source=source):
                if source is not None:
                    self.make(source)
                words = cast("RecordKind", record.kind).layout.words
                self.notes.append(_pack(self.records[record][:words]))
            case tree.SetField(record=record, offset=offset, value=value):
                self.records[record][offset] = self.value(value)
            case tree.SetElement(record=record, offset=offset, value=value, index=index):
                written = self.value(value)
                self.records[record][offset + self.value(index)] = written
            case tree.Evaluate(value=tree.Call() | tree.InlineCall() as call):
                self.results(call)
            case tree.Evaluate(value=value):
                self.value(value)
            case _:
                self.control(node)

    def control(self, node: Statement) -> None:
        match node:
            case tree.If(condition=condition, then=then, otherwise=otherwise):
                self.block(then if self.value(condition) else otherwise)
            case tree.Loop():
                self.loop(node)
            case tree.Break():
                raise _Break
            case tree.Continue():
                raise _Continue
            case tree.Return(values=values):
                raise _Return([self.value(value) for value in values])
            case tree.Leave(values=values):
                raise _Leave([self.value(value) for value in values])
            case tree.Require(condition=condition, code=code):
                if not self.value(condition):
                    raise Rejection(code)
            case tree.Reject(code=code):
                raise Rejection(code)
            case _:
                raise AssertionError(node)

    def loop(self, node: tree.Loop) -> None:
        start, stop = self.value(node.start), self.value(node.stop)
        assert stop - start <= node.rounds
        assert stop > start or not node.certain
        for i in range(start, stop):
            self.variables[node.variable] = i
            try:
                self.block(node.body)
            except _Break:
                break
            except _Continue:
                continue

    # ------------------------------------------------------------------------------------------------ records

    def make(self, node: tree.LoadRecord | tree.BuildRecord) -> None:
        layout = cast("RecordKind", node.record.kind).layout
        if isinstance(node, tree.LoadRecord):
            self.records[node.record] = self.load(layout.table or 0, self.value(node.row))
            return
        fields = [(offset, self.value(value)) for offset, value in node.fields]
        words = [0] * (2 * RECORD_WORDS)
        for offset, word in fields:
            words[offset] = word
        self.records[node.record] = words

    def load(self, table: int, row: int) -> list[int]:
        key = table << 40 | row
        data = self.writes.get(key, self.before.get(key, bytes(RECORD_WORDS * WORD)))
        starts = range(0, RECORD_WORDS * WORD, WORD)
        return [int.from_bytes(data[i : i + WORD], "big", signed=True) for i in starts]

    def store(self, kind: RecordKind, row: int, words: list[int]) -> None:
        self.writes[cast("int", kind.layout.table) << 40 | row] = _pack(words[:RECORD_WORDS])

    # -------------------------------------------------------------------------------------------- expressions

    def results(self, node: tree.Call | tree.InlineCall) -> list[int]:
        if isinstance(node, tree.InlineCall):
            self.block(node.setup)
            try:
                self.block(node.body)
            except _Leave as leave:
                if isinstance(leave, _Return):
                    raise
                return leave.values
            return []
        placed: dict[int, int | list[int]] = {}
        for argument in node.arguments:
            placed[argument.position] = self.argument(argument.value)
        return self.call(node.function, [placed[position] for position in range(len(placed))])

    def argument(self, value: Expression | Variable | tree.LoadRecord | tree.BuildRecord) -> int | list[int]:
        if isinstance(value, Expression):
            return self.value(value)
        if isinstance(value, Variable):
            return self.records[value]
        self.make(value)
        return self.records[value.record]

    def value(self, node: Expression) -> int:
        found = int(self.compute(node))
        if node.interval is not None:
            assert node.interval.low <= found <= node.interval.high, (
                f"{node.location}: {found} is not in {node.interval}"
            )
        assert abs(found) < 1 << 255 or node.kind is tree.HASH
        return found

    def compute(self, node: Expression) -> int:
        match node:
            case tree.Constant(word=word):
                return word
            case tree.Read(variable=variable):
                return self.variables[variable]
            case tree.ReadField(record=record, offset=offset):
                return self.records[record][offset]
            case tree.ReadElement(record=record, offset=offset, index=index):
                return self.records[record][offset + self.value(index)]
            case tree.ReadPeeked(record=kind, row=row, offset=offset):
                return self.load(kind.layout.table or 0, self.value(row))[offset]
            case tree.Call() | tree.InlineCall():
                return self.results(node)[0]
            case tree.Keep() | tree.Check() | tree.Not() | tree.Junction() | tree.Conditional():
                return self.choose(node)
            case _:
                return self.arithmetic(node)

    def choose(self, node: Expression) -> int:
        match node:
            case tree.Keep(variable=variable, value=value):
                self.variables[variable] = self.value(value)
                return self.variables[variable]
            case tree.Check(width=width, value=value, code=code):
                checked = self.value(value)
                if checked not in width:
                    raise Rejection(code)
                return checked
            case tree.Not(value=value):
                return 1 - self.value(value)
            case tree.Junction(is_and=is_and, parts=parts):
                combine = all if is_and else any
                return int(combine(self.value(part) for part in parts))
            case tree.Conditional(condition=condition, then=then, otherwise=otherwise):
                return self.value(then) if self.value(condition) else self.value(otherwise)
            case _:
                raise AssertionError(node)

    def arithmetic(self, node: Expression) -> int:
        match node:
            case tree.Binary(op=op, left=left, right=right, shift=shift):
                return _operate(op, self.value(left), self.value(right), shift)
            case tree.Compare(op=op, left=left, right=right, swapped=swapped):
                a, b = self.value(left), self.value(right)
                a, b = (b, a) if swapped else (a, b)
                return int({Op.LT: a < b, Op.LE: a <= b, Op.EQ: a == b, Op.NE: a != b}[op])
            case tree.BitLength(value=value):
                return self.value(value).bit_length()
            case tree.InputLength():
                return len(self.data)
            case tree.InputBytes(offset=offset, count=count, signed=signed):
                start = self.value(offset)
                data = self.data[start : start + count].ljust(count, b"\0")
                return int.from_bytes(data, "big", signed=signed or count == WORD)
            case tree.HashRecord(record=record, source=source):
                if source is not None:
                    self.make(source)
                words = cast("RecordKind", record.kind).layout.words
                return _hash(_pack(self.records[record][:words]))
            case tree.Digest(domain=domain, struct_hash=struct_hash):
                return _hash(b"\x19\x01" + _pack([self.value(domain), self.value(struct_hash)]))
            case tree.Recover(parts=parts):
                h, v, r, s = (self.value(part) for part in parts)
                return recover(_pack([h]), v, *(int.from_bytes(_pack([x]), "big") for x in (r, s)))
            case _:
                raise AssertionError(node)


def _operate(op: Op, a: int, b: int, shift: int) -> int:
    if op in (Op.DIV, Op.CDIV, Op.MOD) and b == 0:
        raise Rejection(1)
    match op:
        case Op.ADD:
            return a + b
        case Op.SUB:
            return a - b
        case Op.MUL:
            return a * b
        case Op.DIV:
            return a // b
        case Op.CDIV:
            return -(-a // b)
        case Op.MOD:
            return a % b
        case Op.MULSHR:
            return a * b >> shift
        case _:
            return _operate_bits(op, a, b)


def _operate_bits(op: Op, a: int, b: int) -> int:
    match op:
        case Op.AND:
            return a & b
        case Op.OR:
            return a | b
        case Op.XOR:
            return a ^ b
        case Op.SHL:
            return a << b
        case Op.SHR:
            return a >> b
        case Op.MIN:
            return min(a, b)
        case Op.MAX:
            return max(a, b)
        case _:
            raise AssertionError(op)


def _pack(words: list[int]) -> bytes:
    return b"".join(word.to_bytes(WORD, "big", signed=True) for word in words)


def _hash(data: bytes) -> int:
    return int.from_bytes(keccak(data), "big", signed=True)
