"""Random laws: programs of the provable language written from a grammar, repeatable by their seed.

Most of what is written keeps the rules, some of it breaks them: a refusal is a fine outcome, a law that
is accepted must behave the same natively and on the machine.
"""

import random
from dataclasses import dataclass, field

from tests.support.random_law_text import (
    BOUNDS,
    CODES,
    HASH_FIELDS,
    HEADER,
    INT_FIELDS,
    STORED,
    VECTORS,
    WIDTHS,
)


@dataclass
class Scope:
    """Names that are certainly assigned here."""

    ints: dict[str, str | None] = field(default_factory=dict)  # name -> annotation
    bools: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    records: dict[str, tuple[str, bool]] = field(default_factory=dict)  # name -> (class, writable)
    fixed: set[str] = field(default_factory=set)  # ints that are not to be assigned: loop variables

    def copy(self) -> "Scope":
        return Scope(
            dict(self.ints), list(self.bools), list(self.hashes), dict(self.records), set(self.fixed)
        )


@dataclass(frozen=True)
class Signature:
    name: str
    parameters: tuple[str, ...]  # a width, "bool", or a record class
    mutates: tuple[bool, ...]
    results: tuple[str, ...]


class RandomLaw:
    """One random law. `source` is its text; its entry is `random_law.apply_input`."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.functions: list[Signature] = []
        self.changers: list[tuple[str, str, str]] = []  # (function, class, field)
        self.names = 0
        self.lines: list[str] = []
        self.scope = Scope()
        self.loops = 0
        self.results: tuple[str, ...] = ()
        codes = "\n".join(f"    C{i} = {16 + i}" for i in range(CODES))
        flag = self.rng.choice(("True", "False"))
        self.header = HEADER.format(word=self.rng.getrandbits(256), codes=codes, flag=flag)
        if self.chance(50):
            self.write_changer()
        for _ in range(self.rng.randrange(4)):
            self.write_function()
        self.write_entry()
        self.source = self.header + "\n".join(self.lines) + "\n"

    # ------------------------------------------------------------------------------------------------ helpers

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def fit(self, width: str, value: str) -> str:
        """A run-time check. A constant would mostly be refused: it never fits, or always does."""
        if not any(character.isalpha() for character in value):
            value = f"(input_uint({self.rng.randrange(9)}, 1) + {value.strip('-')} % 11)"
        if self.chance(65):  # rejections end a run early: clamp most of the time
            low, high = BOUNDS.get(width, (0, 0))
            if low < high:
                return f"min(max({value}, {low}), {high})"
        return f"fit({width}, {value}, {self.code()})"

    def code(self) -> str:
        return f"Code.C{self.rng.randrange(CODES)}"

    def width(self) -> str:
        return self.rng.choice(WIDTHS)

    # -------------------------------------------------------------------------------------------- expressions

    def literal(self) -> str:
        choices = (0, 1, 2, 3, 7, 255, 256, -1, -2, 1000, 2**40, -(2**63), 2**64 - 1, 2**96)
        return str(self.rng.choice(choices)) if self.chance(60) else str(self.rng.randrange(-20, 300))

    def atom(self) -> str:
        options = [self.literal, self.literal]
        if self.scope.ints:
            options += [lambda: self.rng.choice(list(self.scope.ints))] * 6
        if self.scope.records:
            options += [self.int_field, self.int_field, self.element]
        options += [lambda: "LIMIT", self.input_read]
        return self.rng.choice(options)()

    def input_read(self) -> str:
        offset = self.rng.choice([str(self.rng.randrange(70)), f"abs({self.index_source()})"])
        kind = self.rng.randrange(8)
        if kind == 0:
            return "input_length()"
        if kind < 3:
            return f"input_int({offset}, {self.rng.randrange(1, 9)})"
        return f"input_uint({offset}, {self.rng.choice((1, 1, 2, 4, 8, 31))})"

    def index_source(self) -> str:
        return self.rng.choice(list(self.scope.ints)) if self.scope.ints else "3"

    def record_of(self, wanted: dict[str, object] | None = None, writable: bool = False) -> str | None:
        names = [
            name
            for name, (kind, can_write) in self.scope.records.items()
            if (wanted is None or kind in wanted) and (can_write or not writable or self.chance(3))
        ]
        return self.rng.choice(names) if names else None

    def int_field(self) -> str:
        name = self.record_of()
        if name is None:
            return self.literal()
        return f"{name}.{self.rng.choice(list(INT_FIELDS[self.scope.records[name][0]]))}"

    def element(self) -> str:
        name = self.record_of(dict(VECTORS))
        if name is None:
            return self.literal()
        vector, length, _ = VECTORS[self.scope.records[name][0]]
        return f"{name}.{vector}[{self.index(length)}]"

    def index(self, length: int) -> str:
        choice = self.rng.randrange(4)
        if choice == 0:
            return str(self.rng.randrange(length))
        if choice == 1:
            return self.fit(f"Range(0, {length - 1})", self.int_expression(1))
        return f"({self.int_expression(1)}) % {length}"

    def int_expression(self, depth: int = 3) -> str:
        if depth == 0 or self.chance(20):
            return self.atom()
        left, right = self.int_expression(depth - 1), self.int_expression(depth - 1)
        kind = self.rng.randrange(26)
        if kind < 15:
            return self.operation(kind, left, right)
        if kind < 21:
            return self.function_of(kind, left, right)
        if kind == 21:
            return f"({left} if {self.condition(depth - 1)} else {right})"
        if kind < 24:
            return self.call(depth) or self.atom()
        if kind == 24:
            kind_name = self.rng.choice(STORED)
            row = self.fit("u40", left)
            return f"peek({kind_name}, {row}).{self.rng.choice(list(INT_FIELDS[kind_name]))}"
        return self.fit(self.width(), left)

    def operation(self, kind: int, left: str, right: str) -> str:
        if kind < 8:
            return f"({left} {self.rng.choice('+-*+-')} {right})"
        if kind < 11:
            divisor = right if self.chance(20) else f"({right} | 1)"
            return f"({left} {self.rng.choice(('//', '%', '//'))} {divisor})"
        if kind < 13:
            return f"({left} {self.rng.choice('&|^')} {right})"
        if kind == 13:
            return f"({left} >> {self.rng.choice((f'({right} & 31)', '5', '64', '255'))})"
        return f"({left} << {self.rng.choice((f'({right} & 7)', '3', '1'))})"

    def function_of(self, kind: int, left: str, right: str) -> str:
        if kind < 17:
            return f"{self.rng.choice(('min', 'max'))}({left}, {right})"
        if kind == 17:
            return f"abs({left})" if self.chance(50) else f"-{left}"
        if kind == 18:
            return f"ceil_div({left}, {right if self.chance(20) else f'({right} | 1)'})"
        if kind == 19:
            return f"bit_length({left})"
        return f"mul_shift_right({left}, {right}, {self.rng.randrange(70)})"

    def condition(self, depth: int = 2) -> str:
        if depth == 0 or self.chance(15):
            options = ["FLAG", *self.scope.bools]
            records = [name for name, (kind, _) in self.scope.records.items() if kind == "Account"]
            options += [f"{name}.flag" for name in records]
            if self.chance(70) or len(options) == 1:
                return f"{self.atom()} {self.comparison()} {self.atom()}"
            return self.rng.choice(options)
        kind = self.rng.randrange(10)
        if kind < 5:
            chain = f"{self.int_expression(depth - 1)} {self.comparison()} {self.int_expression(depth - 1)}"
            return chain + (f" {self.comparison()} {self.int_expression(1)}" if self.chance(20) else "")
        if kind < 8:
            word = self.rng.choice(("and", "or"))
            return f"({self.condition(depth - 1)} {word} {self.condition(depth - 1)})"
        if kind == 8:
            return f"not ({self.condition(depth - 1)})"
        return f"{self.hash_expression()} {self.rng.choice(('==', '!='))} {self.hash_expression()}"

    def comparison(self) -> str:
        return self.rng.choice(("<", "<=", ">", ">=", "==", "!="))

    def hash_expression(self) -> str:
        options = ["WORD", "HASHED", f"input_b32({self.rng.randrange(40)})", "b32(0)"]
        options += self.scope.hashes * 2
        name = self.record_of(dict(HASH_FIELDS))
        if name is not None:
            options += [f"{name}.tag", f"keccak_of({name})"]
        if self.chance(15):
            options.append(f"eip712_digest({self.rng.choice(options)}, {self.rng.choice(options)})")
        return self.rng.choice(options)

    def call(self, depth: int, results: int = 1) -> str | None:
        usable = [function for function in self.functions if len(function.results) == results]
        if not usable:
            return None
        function = self.rng.choice(usable)
        arguments = []
        for parameter, mutated in zip(function.parameters, function.mutates, strict=True):
            argument = self.argument(parameter, mutated, depth)
            if argument is None:
                return None
            arguments.append(argument)
        if arguments and self.chance(15):
            named = [f"p{i}={argument}" for i, argument in enumerate(arguments)]
            self.rng.shuffle(named)
            arguments = named
        return f"{function.name}({', '.join(arguments)})"

    def argument(self, parameter: str, mutated: bool, depth: int) -> str | None:
        if parameter == "bool":
            return self.condition(min(depth, 1))
        if parameter in INT_FIELDS:
            names = [
                name
                for name, (kind, writable) in self.scope.records.items()
                if kind == parameter and (writable or not mutated)
            ]
            if parameter in STORED and not mutated and self.chance(30):
                return f"peek({parameter}, {self.rng.randrange(3)})"
            return self.rng.choice(names) if names else None
        return self.fit(parameter, self.int_expression(max(0, depth - 1)))

    # --------------------------------------------------------------------------------------------- statements

    def block(self, indent: int, count: int, depth: int) -> None:
        for _ in range(count):
            self.statement(indent, depth)

    def write(self, indent: int, text: str) -> None:
        self.lines.append("    " * indent + text)

    def statement(self, indent: int, depth: int) -> None:
        options = [self.new_int] * 4 + [self.set_int] * 4 + [self.new_record] * 2 + [self.set_field] * 3
        options += [self.set_element, self.store_record, self.store_record, self.require_something]
        options += [self.change_story] * (3 if self.changers else 0)
        options += [self.require_something, self.new_bool, self.new_hash, self.call_statement, self.unpack]
        options += [self.note_something] * 2
        if depth > 0:
            options += [self.branch] * 3 + [self.loop] * 2
        self.rng.choice(options)(indent, depth)

    def new_int(self, indent: int, _: int) -> None:
        name = self.name("x")
        if self.chance(60):
            width = self.width()
            value = self.fit(width, self.int_expression())
            self.write(indent, f"{name}: {width} = {value}")
            self.scope.ints[name] = width
        else:
            self.write(indent, f"{name} = {self.int_expression(2)}")
            self.scope.ints[name] = None

    def set_int(self, indent: int, depth: int) -> None:
        names = [name for name in self.scope.ints if name not in self.scope.fixed]
        if not names:
            self.new_int(indent, depth)
            return
        name = self.rng.choice(names)
        width = self.scope.ints[name]
        value = self.int_expression(2)
        if width is None:
            self.write(indent, f"{name} = {value}")
        elif self.chance(30):
            self.write(indent, f"{name} = min(max({value}, 0), 11)")
        else:
            self.write(indent, f"{name} = {self.fit(width, value)}")

    def new_bool(self, indent: int, _: int) -> None:
        name = self.name("c")
        self.write(indent, f"{name} = {self.condition()}")
        self.scope.bools.append(name)

    def new_hash(self, indent: int, _: int) -> None:
        name = self.name("h")
        self.write(indent, f"{name} = {self.hash_expression()}")
        self.scope.hashes.append(name)

    def new_record(self, indent: int, _: int) -> None:
        kind = self.rng.choice(tuple(INT_FIELDS))
        writable = [name for name, (other, ok) in self.scope.records.items() if other == kind and ok]
        fresh = not writable or self.chance(70)
        name = self.name("r") if fresh else self.rng.choice(writable)
        if name.startswith("p"):
            return
        choice = self.rng.randrange(5)
        if kind == "Struct" and choice < 3:
            size = self.fit("i128", self.int_expression(1))
            fields = [f"tag={self.hash_expression()}", f"size={size}", f"account={self.rng.randrange(9)}"]
            self.rng.shuffle(fields)
            self.write(indent, f"{name} = Struct({', '.join(fields)})")
        elif kind in STORED and choice < 4:
            word = "peek" if choice == 0 and fresh else "load"
            row = self.rng.choice([str(self.rng.randrange(3)), self.fit("u40", self.atom())])
            self.write(indent, f"{name} = {word}({kind}, {row})")
            self.scope.records[name] = (kind, word == "load")
            return
        else:
            self.write(indent, f"{name} = zero({kind})")
        self.scope.records[name] = (kind, True)

    def set_field(self, indent: int, depth: int) -> None:
        name = self.record_of(writable=True)
        if name is None:
            self.new_record(indent, depth)
            return
        kind = self.scope.records[name][0]
        if kind in HASH_FIELDS and self.chance(15):
            self.write(indent, f"{name}.tag = {self.hash_expression()}")
        elif kind == "Account" and self.chance(15):
            self.write(indent, f"{name}.flag = {self.condition()}")
        else:
            field_name, width = self.rng.choice(list(INT_FIELDS[kind].items()))
            value = self.int_expression(2)
            self.write(indent, f"{name}.{field_name} = {self.fit(width, value)}")

    def set_element(self, indent: int, depth: int) -> None:
        name = self.record_of(dict(VECTORS), writable=True)
        if name is None:
            self.new_record(indent, depth)
            return
        vector, length, width = VECTORS[self.scope.records[name][0]]
        if self.chance(30):
            self.write(indent, f"{name}.{vector}[{self.index(length)}] {self.rng.choice(('&=', '%='))} 7")
        else:
            value = self.fit(width, self.int_expression(2))
            self.write(indent, f"{name}.{vector}[{self.index(length)}] = {value}")

    def store_record(self, indent: int, depth: int) -> None:
        name = self.record_of(dict.fromkeys(STORED, 0))
        if name is None:
            self.new_record(indent, depth)
            return
        row = self.rng.choice([str(self.rng.randrange(3)), self.fit("u40", self.int_expression(1))])
        value = name if self.chance(85) else f"zero({self.rng.choice(STORED)})"
        self.write(indent, f"store({row}, {value})")

    def require_something(self, indent: int, _: int) -> None:
        # Mostly true, else few inputs would ever come to an end.
        test = self.condition() if self.chance(30) else f"({self.condition()} or {self.condition()})"
        if self.scope.ints and self.chance(40):
            name = self.rng.choice(list(self.scope.ints))
            test = f"{name} {self.comparison()} {self.atom()}"
        self.write(indent, f"require({test}, {self.code()})")

    def note_something(self, indent: int, _: int) -> None:
        """A note of what cannot be refused in one: names, fields, constants, the input."""
        name = self.record_of()
        if name is not None and self.chance(50):
            self.write(indent, f"note({name})")
            return
        if self.chance(20):
            self.write(indent, f"note(peek({self.rng.choice(STORED)}, {self.rng.randrange(3)}))")
            return
        small = f"(input_uint({self.rng.randrange(9)}, 1) + {self.rng.randrange(9)}) // 3"
        options = [str(self.rng.randrange(9)), small, f"1 if {self.simple_condition()} else 0"]
        tag = self.rng.choice(["WORD", "b32(0)", *self.scope.hashes])
        size, account = self.rng.choice(options), self.rng.choice(options)
        self.write(indent, f"note(Struct(account={account}, size={size}, tag={tag}))")

    def simple_condition(self) -> str:
        """A condition that runs nothing and rejects nothing."""
        options = ["FLAG", f"input_uint({self.rng.randrange(9)}, 1) < 7", *self.scope.bools]
        return self.rng.choice(options)

    def call_statement(self, indent: int, depth: int) -> None:
        text = self.call(2, 0)
        if text is not None:
            self.write(indent, text)
            return
        text = self.call(2, 1)
        self.write(indent, f"_ = {text}") if text else self.new_int(indent, depth)

    def unpack(self, indent: int, depth: int) -> None:
        text = self.call(2, 2)
        if text is None:
            self.new_int(indent, depth)
            return
        a, b = self.name("x"), self.name("x")
        self.write(indent, f"{a}, {'_' if self.chance(20) else b} = {text}")
        self.scope.ints[a] = None
        if self.lines[-1].split(" = ")[0].endswith(b):
            self.scope.ints[b] = None

    def branch(self, indent: int, depth: int) -> None:
        outer = self.scope
        self.write(indent, f"if {self.condition()}:")
        self.scope = outer.copy()
        self.block(indent + 1, self.rng.randrange(1, 4), depth - 1)
        self.leave(indent + 1)
        if self.chance(20):
            self.write(indent, f"elif {self.condition(1)}:")
            self.scope = outer.copy()
            self.block(indent + 1, self.rng.randrange(1, 3), depth - 1)
        if self.chance(50):
            self.write(indent, "else:")
            self.scope = outer.copy()
            self.block(indent + 1, self.rng.randrange(1, 4), depth - 1)
        self.scope = outer

    def leave(self, indent: int) -> None:
        choice = self.rng.randrange(12)
        if choice == 0:
            self.write_return(indent)
        elif choice == 1:
            self.write(indent, f"reject({self.code()})")
        elif choice < 5 and self.loops:
            self.write(indent, self.rng.choice(("break", "continue")))

    def loop(self, indent: int, depth: int) -> None:
        outer = self.scope
        name = self.name("k")
        atom = self.rng.choice(list(outer.ints)) if outer.ints else "4"
        stop = self.rng.choice(
            [str(self.rng.randrange(5)), f"min({atom}, 4)", f"{atom} % 5", f"({atom} & 3)"]
        )
        bounds = stop if self.chance(70) else f"{self.rng.randrange(-2, 3)}, {stop}"
        if "min" in bounds and self.chance(60):
            bounds = f"fit(Range(0, 6), {stop}, {self.code()})"
        self.write(indent, f"for {name} in range({bounds}):")
        self.scope = outer.copy()
        self.scope.ints[name] = None
        self.scope.fixed.add(name)
        self.loops += 1
        self.block(indent + 1, self.rng.randrange(1, 4), depth - 1)
        if self.chance(30):
            self.write(indent + 1, f"if {self.condition(1)}:")
            self.write(indent + 2, self.rng.choice(("break", "continue")))
        self.loops -= 1
        self.scope = outer

    # ---------------------------------------------------------------------------------------------- functions

    def write_return(self, indent: int) -> None:
        values = [
            self.condition(1) if width == "bool" else self.fit(width, self.int_expression(2))
            for width in self.results
        ]
        self.write(indent, ("return " + ", ".join(values)).rstrip())

    def write_function(self) -> None:
        name = self.name("f")
        parameters, mutates = [], []
        self.scope = Scope()
        for position in range(self.rng.randrange(4)):
            kind = self.rng.choice([*WIDTHS, *WIDTHS, "bool", *INT_FIELDS, *STORED, *STORED])
            mutated = kind in INT_FIELDS and self.chance(60)
            parameters.append(kind)
            mutates.append(mutated)
            if kind in INT_FIELDS:
                self.scope.records[f"p{position}"] = (kind, mutated)
            elif kind == "bool":
                self.scope.bools.append(f"p{position}")
            else:
                self.scope.ints[f"p{position}"] = kind
        self.results = tuple(self.width() for _ in range(self.rng.choice((0, 1, 1, 1, 2))))
        self.lines += ["", ""]
        if self.chance(40):
            self.lines.append("@inline")
        elif self.chance(30):
            self.lines.append("@handler")
        listed = ", ".join(f"p{position}: {kind}" for position, kind in enumerate(parameters))
        returned = {0: "None", 1: "".join(self.results)}.get(
            len(self.results), f"tuple[{', '.join(self.results)}]"
        )
        self.lines.append(f"def {name}({listed}) -> {returned}:")
        self.block(1, self.rng.randrange(1, 5), 2)
        self.write_return(1)
        self.functions.append(Signature(name, tuple(parameters), tuple(mutates), self.results))

    def write_changer(self) -> None:
        """A function that narrows a field of one record and writes to another one, which may be the same."""
        name, kind = self.name("f"), self.rng.choice(tuple(INT_FIELDS))
        field_name = self.rng.choice(list(INT_FIELDS[kind]))
        self.lines += ["", ""]
        if self.chance(40):
            self.lines.append("@inline")
        low, high = self.rng.choice(((0, 9), (-5, 5), (3, 1000)))
        written = self.rng.choice(("77", "2", "input_uint(3, 1)"))
        self.lines += [
            f"def {name}(p0: {kind}, p1: {kind}) -> i64:",
            f"    if {low} <= p1.{field_name} < {high}:",
            f"        p0.{field_name} = {written}",
            f"        kept = p1.{field_name} + 1",
            "        return min(max(kept, -100), 100)",
            f"    p0.{field_name} = {self.rng.choice(('0', '4', 'input_uint(2, 1)'))}",
            f"    return min(max(p1.{field_name}, -100), 100) - p0.{field_name} % 7",
        ]
        self.changers.append((name, kind, field_name))
        self.functions.append(Signature(name, (kind, kind), (True, False), ("i64",)))

    def change_story(self, indent: int, depth: int) -> None:
        """Bound a field, let a call change it in the midst of an expression, and read it again."""
        choices = [
            (name, field_name, record)
            for name, kind, field_name in self.changers
            for record, (other, writable) in self.scope.records.items()
            if other == kind and writable
        ]
        if not choices:
            self.new_int(indent, depth)
            return
        name, field_name, record = self.rng.choice(choices)
        place, call = f"{record}.{field_name}", f"{name}({record}, {record})"
        self.write(indent, f"{place} = input_uint({self.rng.randrange(5)}, 1) % 10")
        target = self.name("x")
        story = self.rng.randrange(5)
        if story == 0:
            self.write(indent, f"{target} = {self.rng.choice(('min', 'max'))}({place}, {call})")
            self.write(indent, f"{target} = {place} - {target}")
        elif story == 1:
            self.write(indent, f"{target} = {place} - {call} * {place}")
        elif story == 2:
            self.write(indent, f"{target} = 0 if 2 < {place} < {call} else {place} - 3")
        elif story == 3:
            self.write(indent, f"{target} = 1 if {place} {self.comparison()} {call} else 2")
        else:
            self.write(indent, f"{target} = {call}")
        self.write(indent, f"{target} = {target} + {place}")
        self.scope.ints[target] = None

    def write_entry(self) -> None:
        self.scope = Scope()
        self.results = ()
        self.lines += ["", "", "def apply_input() -> None:"]
        for _ in range(3):
            self.new_int(1, 0)
        self.note_something(1, 0)
        self.block(1, self.rng.randrange(4, 12), 3)


def write_random_input(rng: random.Random) -> bytes:
    """Bytes of which many are small: comparisons come out both ways."""
    length = rng.choice((0, 1, 8, 40, 70))
    values = (0, 1, 2, 3, 7, 127, 128, 255)
    return bytes(rng.choice(values) if rng.randrange(3) else rng.randrange(256) for _ in range(length))
