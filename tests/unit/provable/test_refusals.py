"""What is not in the language is refused, with the place, what is wrong and what to write instead."""

import pytest

from optimist.provable.check.refusal import Refused
from optimist.provable.program import Program
from tests.support.law_text import HEADER, compile_law, entry, get_refusal, make_program

# (line of the entry's body, or several; column and problem of the refusal; a part of its advice)
STATEMENTS = [
    ("while True: pass", "2:5: While is not in the provable subset", "for i in range"),
    ("assert True", "2:5: Assert is not in the provable subset", "require(condition, Code.X)"),
    ("raise ValueError", "2:5: Raise is not in the provable subset", "reject(Code.X)"),
    (
        "try:\n        pass\n    finally:\n        pass",
        "2:5: Try is not in the provable subset",
        "conditions",
    ),
    ("with x: pass", "2:5: With is not in the provable subset", "calls"),
    ("del x", "2:5: Delete is not in the provable subset", "store(row, zero(Record))"),
    ("import os", "2:5: Import is not in the provable subset", "top of the module"),
    ("def f() -> None: pass", "2:5: FunctionDef is not in the provable subset", "top of the module"),
    ("global x", "2:5: Global is not in the provable subset", "record"),
    ("match 1:\n        case _: pass", "2:5: Match is not in the provable subset", "if, elif, else"),
    ("x = y = 1", "2:5: one statement assigns one target", "a line for each"),
    ("1 + 1", "2:5: this value is dropped", "assignment"),
    ("fit(u8, 1, Code.A)", "2:5: this value is dropped", "assignment"),
    ("x = [1, 2]", "2:9: List is not in the provable subset", "Vec"),
    ("x = {}", "2:9: Dict is not in the provable subset", "record"),
    ("x = (1, 2)", "2:9: Tuple is not in the provable subset", "a, b = f(x)"),
    ("x = lambda: 1", "2:9: Lambda is not in the provable subset", "function"),
    ("x = (y := 1)", "2:10: NamedExpr is not in the provable subset", "line of its own"),
    ('x = "text"', "2:9: the law has no str", "integer"),
    ("x = 1.5", "2:9: the law has no float", "integer"),
    ("x = None", "2:9: the law has no NoneType", "integer"),
    ("x = input_uint(0, 1) / 2", "2:9: `/` makes a float", "ceil_div"),
    ("x = input_uint(0, 1) ** 2", "2:9: Pow works on constants only", "+ - *"),
    ("x = input_uint(0, 1) @ 2", "2:9: MatMult works on constants only", "+ - *"),
    ("x = ~input_uint(0, 1)", "2:9: UnaryOp is not in the provable subset", "README"),
    ("x = nowhere", "2:9: nowhere is not defined", "assigned or imported"),
    ("x = nowhere(1)", "2:9: nowhere is not defined", "function of the law"),
    ("x = load", "2:9: load is no value", "a call"),
    ("x = len(1)", "2:9: len is not defined", "function of the law"),
    ("x = int(1)", "2:9: int gives no value here", "1 if ... else 0"),
    ("reject(Code.A)\n    x = 1", "3:5: this is never reached", "before the statement above"),
    ("return\n    x = 1", "3:5: this is never reached", "before the statement above"),
    ("break", "2:5: there is no loop around this", "for loop"),
    ("return 1", "2:5: 0 results are declared, 1 are returned", "as many"),
]


@pytest.mark.parametrize(("lines", "problem", "advice"), STATEMENTS, ids=[row[0][:30] for row in STATEMENTS])
def test_syntax_outside_of_the_subset_is_refused(lines: str, problem: str, advice: str) -> None:
    message = get_refusal(entry(lines))
    assert message.startswith(problem)
    assert advice in message.partition("; ")[2]


KINDS = [
    ("if input_uint(0, 1): pass", "2:8: a condition is a bool, this is an integer", "x != 0"),
    ("x = not input_uint(0, 1)", "2:13: a condition is a bool, this is an integer", "x != 0"),
    ("x = True + 1", "2:9: an integer is needed, this is bool", "1 if ... else 0"),
    ("x = input_b32(0) + 1", "2:9: an integer is needed, this is b32", "an integer"),
    ("x = True == 1", "2:9: bool is compared with an integer", "one kind"),
    ("x = input_b32(0) < TAG", "2:9: b32 has no order", "== or !="),
    ("x = input_uint(0, 1) in 5", "2:9: `in` and `is` compare containers", "=="),
    ("x = 1 if True else False", None, None),
    ("x = 1 if input_uint(0, 1) == 1 else False", "2:9: one side is an integer, the other bool", "one kind"),
    ("x = 1\n    x = True", "3:5: x holds an integer, this is bool", "one kind a name"),
    ("x: u8 = 1\n    x: u8 = 2", "3:5: x has its kind already", "once"),
    ("x: int = 1", "2:8: int is no kind of value", "u64, i64"),
    ("x: Annotated[Vec[i64], 3]", "2:5: a vector lives in a record", "record"),
    ("x = b32(input_uint(0, 1))", "2:9: b32(...) takes one constant", "keccak_of"),
    ("x = b32(1 << 256)", "2:9: b32(...) takes one constant", "b32(0x...)"),
    ("x = recover_signer(TAG, 300, TAG, TAG)", "2:29: this value lies in 300..300", "fit(u8"),
    ("x = eip712_digest(TAG, 1)", "2:28: a b32 is needed, this is an integer", "b32"),
]


@pytest.mark.parametrize(("lines", "problem", "advice"), KINDS, ids=[row[0][:30] for row in KINDS])
def test_kinds_do_not_mix(lines: str, problem: str | None, advice: str | None) -> None:
    if problem is None or advice is None:
        compile_law(entry(lines))
        return
    message = get_refusal(entry(lines))
    assert message.startswith(problem)
    assert advice in message


WIDTHS = [
    ("x: u8 = input_uint(0, 2)", "2:5: this value lies in 0..65535, which is not proven to fit u8 (0..255)"),
    ("x = u8(input_uint(0, 1) + 1)", "2:12: this value lies in 1..256, which is not proven to fit u8"),
    ("x = fit(u8, 300, Code.A)", "2:9: the value lies in 300..300 and never fits"),
    ("x = input_uint(0, 31) * input_uint(0, 31)", "2:9: input_uint(0, 31) * input_uint(0, 31) lies in"),
    ("x = 1 << 255", "2:9: the constant 2**255 does not fit the machine's word"),
    ("x = 1 << input_uint(0, 2)", "2:9: << by 0..65535"),
    ("x = 1 >> input_int(0, 1)", "2:9: >> by -128..127"),
    ("x = input_uint(0 - input_uint(0, 1), 1)", "2:20: the offset lies in -255..0"),
    ("x = input_uint(0, 32)", "2:23: the number of bytes is not constant"),
    ("x = input_uint(0, input_uint(0, 1))", "2:23: the number of bytes is not constant"),
    ("x = mul_shift_right(1, 2, 256)", "2:31: the shift is not constant"),
    ("x = mul_shift_right(input_uint(0, 31), 256, 8)", "2:9: the product lies in"),
    ("for i in range(input_uint(0, 3)): pass", "2:14: this loop may run (2**24 - 1) rounds"),
    ("a = load(Account, input_int(0, 4))", "2:23: this value lies in -2**31..(2**31 - 1)"),
    ("a = load(Account, input_uint(0, 6))", "2:23: this value lies in 0..(2**48 - 1)"),
    ("a = load(Account, 0)\n    x = a.slots[3]", "3:17: the index lies in 3..3, slots has 3 elements"),
    ("a = load(Account, 0)\n    x = a.slots[input_uint(0, 1)]", "3:17: the index lies in 0..255"),
    ("a = load(Account, 0)\n    x = a.slots[-1]", "3:17: the index lies in -1..-1"),
    ("a = load(Account, 0)\n    a.balance = a.balance + 1", "3:5: this value lies in"),
    ("x = input_uint(0, 1) // 0", "2:9: this divides by zero always"),
    ("x = input_uint(0, 1) % (1 - 1)", "2:9: this divides by zero always"),
    ("x = ceil_div(1, 0)", "2:9: this divides by zero always"),
]


@pytest.mark.parametrize(("lines", "problem"), WIDTHS, ids=[row[0][:30] for row in WIDTHS])
def test_what_is_not_proven_to_fit_is_refused(lines: str, problem: str) -> None:
    message = get_refusal(entry(lines))
    assert message.startswith(problem)
    assert "; write " in message


@pytest.mark.parametrize("text", ["1 // 0", "1 % 0", "5 // (3 - 3)"])
def test_a_constant_divided_by_zero_is_a_refusal_not_a_crash(text: str) -> None:
    assert "a constant is divided by zero" in get_refusal(entry(f"x = {text}"))


@pytest.mark.parametrize("text", ["1 << -1", "1 >> -1", "2 ** -1"])
def test_a_constant_shifted_by_a_negative_count_is_a_refusal_not_a_crash(text: str) -> None:
    assert "a constant is shifted or raised by -1" in get_refusal(entry(f"x = {text}"))


def test_a_huge_constant_is_refused_before_it_is_computed() -> None:
    assert "a constant of" in get_refusal(entry("x = 10 ** 10 ** 9"))


NAMES = [
    (
        "x = input_uint(0, 1)\n    if x == 1:\n        y = 1\n    z = y",
        "5:9: y is not assigned on every path",
    ),
    ("for i in range(input_uint(0, 1)):\n        y = i\n    z = y", "4:9: y is not assigned on every path"),
    ("for i in range(3):\n        pass\n    z = i", "4:9: i is the variable of a loop that has ended"),
    ("for i in range(3):\n        i = 1", "3:9: i is the variable of this loop"),
    ("for i in range(3):\n        pass\n    i = 1", "4:5: i is the variable of a loop above"),
    ("i = 1\n    for i in range(3):\n        pass", "3:9: i is used already"),
    ("for i in range(3):\n        for i in range(2):\n            pass", "3:13: i is used already"),
    ("min = 1", "2:5: min hides a name of the language"),
    ("u64 = 1", "2:5: u64 hides a name of the language"),
    ("LIMIT = 1", "2:5: LIMIT hides a name of this module"),
    ("t = 0\n    for i in range(3):\n        t = t + i", "4:13: t changes in a loop and has no width"),
    ("for i in [1, 2]:\n        pass", "2:14: loops run over range alone"),
    ("for i in range(0, 4, 2):\n        pass", "2:14: range takes one or two bounds"),
    ("for i in range(3):\n        pass\n    else:\n        pass", "2:5: a loop has one variable and no else"),
]


@pytest.mark.parametrize(("lines", "problem"), NAMES, ids=[row[0][:30] for row in NAMES])
def test_names_mean_one_thing_on_every_path(lines: str, problem: str) -> None:
    assert get_refusal(entry(lines)).startswith(problem)


RECORDS = [
    ("a = peek(Account, 0)\n    a.balance = 1", "3:5: a comes from peek", "load(...)"),
    ("a = peek(Account, 0)\n    a.slots[1] = 1", "3:5: a comes from peek", "load(...)"),
    ("a = load(Account, 0)\n    b = a", "3:9: a would have two names", "load(Account, row)"),
    ("a = load(Account, 0)\n    x = a == a", "3:9: a is a record, not a value", "a.owner"),
    ("a = load(Account, 0)\n    x = a if True else a", "3:9: a is a record, not a value", "a.owner"),
    ("a = load(Account, 0)\n    x = a.nothing", "3:9: Account has no field nothing", "owner, balance"),
    ("a = load(Account, 0)\n    x = a.slots", "3:9: slots is a vector", ".slots[0]"),
    ("a = load(Account, 0)\n    a.slots = 1", "3:5: slots is a vector", ".slots[i]"),
    ("a = load(Account, 0)\n    a = zero(Struct)", "3:5: a holds Account, this is Struct", "another name"),
    ("a = load(Struct, 0)", "2:9: Struct has no table", "@record(table=n)"),
    ("a = zero(Struct)\n    store(0, a)", "3:5: Struct has no table", "@record(table=n)"),
    ("store(0, 1)", "2:14: store writes a record", "variable"),
    ("store(0, load(Account, 0))", "2:14: a copy without a name is lost", "peek(...)"),
    ("x = load(Account, 0).owner", "2:9: only peek gives a record without a name", "x = load(...)"),
    ("a = Struct(TAG, 1, 2)", "2:9: Struct takes each field once, by keyword", "tag, size, account"),
    ("a = Struct(tag=TAG, size=1)", "2:9: Struct takes each field once, by keyword", "tag, size, account"),
    ("a = Account(owner=0, balance=0)", "2:9: Account has a vector", "zero(Account)"),
    ("x = keccak_of(TAG)", "2:9: keccak_of hashes a record", "keccak_of(x)"),
]


@pytest.mark.parametrize(("lines", "problem", "advice"), RECORDS, ids=[row[0][-30:] for row in RECORDS])
def test_records_have_one_name_and_shared_ones_are_read_only(lines: str, problem: str, advice: str) -> None:
    message = get_refusal(entry(lines))
    assert message.startswith(problem)
    assert advice in message


NOTE = "a = load(Account, 0)\n    x = input_uint(0, 1)\n    note(Struct(tag=TAG, account=1, size={}))"
NOTES = [
    (NOTE.format("fit(u8, x + 1, Code.A)"), "4:42: this may reject, or runs a function", "on a line before"),
    (NOTE.format("5 // x"), "4:42: this may reject, or runs a function", "on a line before"),
    (NOTE.format("x % a.balance"), "4:42: this may reject, or runs a function", "on a line before"),
    (NOTE.format("ceil_div(5, x)"), "4:42: this may reject, or runs a function", "on a line before"),
    (NOTE.format("peek(Account, 5 // x).balance"), "4:42: this may reject", "on a line before"),
    (NOTE.format("half(x)"), "4:42: this may reject, or runs a function", "on a line before"),
    (NOTE.format("half_inline(x)"), "4:42: this may reject, or runs a function", "on a line before"),
    (NOTE.format("abs(x * a.balance)"), "4:42: this may reject, or runs a function", "on a line before"),
    (NOTE.format("1 << 200"), "4:42: this value lies in", "fit(i128"),
    (NOTE.format("missing"), "4:42: missing is not defined", "write a name"),
    (NOTE.format("True"), "4:42: field size is i128", "write a value of i128"),
    (
        "note(peek(Out, 5 // input_uint(0, 1)))",
        "2:20: this may reject, or runs a function",
        "on a line before",
    ),
    ("note(load(Account, 0))", "2:10: a copy without a name is lost", "peek(...)"),
    ("note(1)", "2:10: note takes a record", "note(Filled(...))"),
    ("note(a)\n    a = zero(Struct)", "2:10: note takes a record", "note(Filled(...))"),
    ("note(Struct)", "2:10: note takes a record", "note(Filled(...))"),
    ("note()", "2:5: note takes 1 arguments", "exactly those"),
    ("note(zero(Struct), 1)", "2:5: note takes 1 arguments", "exactly those"),
    ("x = note(zero(Struct))", "2:9: note gives no value here", "a line of its own"),
    ("note = 1", "2:5: note hides a name of the language", "another name"),
]


@pytest.mark.parametrize(("lines", "problem", "advice"), NOTES, ids=[row[0][-30:] for row in NOTES])
def test_a_note_neither_rejects_nor_does_anything(lines: str, problem: str, advice: str) -> None:
    functions = "def half(a: u8) -> u8:\n    return a >> 1\n\n\n"
    functions += "@inline\ndef half_inline(a: u8) -> u8:\n    return a >> 1\n\n\n"
    shift = functions.count("\n")
    line, rest = get_refusal(functions + entry(lines)).split(":", 1)
    message = f"{int(line) - shift}:{rest}"
    assert message.startswith(problem)
    assert advice in message


def test_a_function_that_writes_to_a_record_is_not_given_a_shared_one() -> None:
    body = "def change(a: Account) -> None:\n    a.balance = 1\n\n\ndef pass_on(a: Account) -> None:\n"
    body += "    change(a)\n\n\n" + entry("a = peek(Account, 0)", "pass_on(a)")
    assert "a comes from peek" in get_refusal(body)
    assert "(stored) comes from peek" in get_refusal(
        body.replace("    a = peek(Account, 0)\n", "").replace(
            "    pass_on(a)\n", "    pass_on(peek(Account, 0))\n"
        )
    )


FUNCTIONS = [
    ("def f(a) -> None:\n    pass", "1:7: parameter a has no kind"),
    ("def f(a: u8):\n    pass", "1:1: f does not say what it returns"),
    ("def f(a: u8 = 1) -> None:\n    pass", "1:1: f has more than plain parameters"),
    ("def f(*a: u8) -> None:\n    pass", "1:1: f has more than plain parameters"),
    ("def f(a: u8, *, b: u8) -> None:\n    pass", "1:1: f has more than plain parameters"),
    ("def f(a: Account) -> Account:\n    return a", "1:22: a function returns no record"),
    ("def f(a: u8) -> u8:\n    if a == 1:\n        return 1", "1:1: f can reach its end without a result"),
    ("def f(a: u8) -> u8:\n    return a + 1", "2:12: this value lies in 1..256"),
    ("def f(a: u8) -> bool:\n    return a", "2:12: the result is bool, this is an integer"),
    ("def f(a: u8) -> u8:\n    return f(a)", "2:12: f calls itself"),
    ("@inline\ndef f(a: u8) -> u8:\n    return f(a)", "3:12: f calls itself"),
    (
        "def f(a: u8) -> u8:\n    return g(a)\n\n\ndef g(a: u8) -> u8:\n    return f(a)",
        "6:12: f calls itself",
    ),
    ("@staticmethod\ndef f() -> None:\n    pass", "1:2: unknown decorator"),
    ("@inline\n@handler\ndef f() -> None:\n    pass", "3:1: an inlined function has no steps"),
    ("def f(min: u8) -> None:\n    pass", "1:7: min hides a name of the language"),
    ("def f(a: u8) -> u8:\n    return a\n\n\ndef g() -> None:\n    f(1)", "6:5: the result of f is dropped"),
    (
        "def f(a: u8) -> u8:\n    return a\n\n\ndef g() -> u8:\n    return f(256)",
        "6:14: this value lies in 256",
    ),
    ("def f(a: u8) -> u8:\n    return a\n\n\ndef g() -> u8:\n    return f()", "6:12: f takes 1 arguments"),
    (
        "def f(a: u8) -> u8:\n    return a\n\n\ndef g() -> u8:\n    return f(b=1)",
        "6:12: f has no parameter b",
    ),
    (
        "def f() -> tuple[u8, u8]:\n    return 1, 2\n\n\ndef g() -> u8:\n    return f()",
        "6:12: f has 2 results, one is needed",
    ),
]


@pytest.mark.parametrize(("text", "problem"), FUNCTIONS, ids=[row[0][:40] for row in FUNCTIONS])
def test_functions_are_plain_total_and_typed(text: str, problem: str) -> None:
    assert get_refusal(text + "\n\n\n" + entry("pass")).startswith(problem)


MODULES = [
    ("import os", "Import is not allowed at the top of a module"),
    ("x = 5", "5 is no kind of value"),
    ("x: int = 5", "x is no constant"),
    ("X: Final = input_length()", "cannot be folded to a constant"),
    ("X: Final = X + 1", "X is used above its definition"),
    ("X: Final = Y\nY: Final = 1", "Y is used above its definition"),
    ("X: Final = 1\nX: Final = 2", "X is defined twice"),
    ("print(1)", "Expr is not allowed at the top of a module"),
    ("if True:\n    pass", "If is not allowed at the top of a module"),
    ("from os import path", "os is no module of this law"),
    ("from optimist.provable import *", "import * hides where names come from"),
    ("from optimist.provable import u8 as byte", "the words of the language keep their names"),
    ("from optimist.provable import State", "optimist.provable has no State for the law"),
    ("class Plain:\n    pass", "class Plain is neither a record nor an IntEnum"),
    ("@record(table=0)\nclass R:\n    a: u8", "this names no table"),
    ("@record(table=256)\nclass R:\n    a: u8", "this names no table"),
    ("@record(table=1)\nclass R:\n    a: u8", "table 1 belongs to Account"),
    ("@record(table=9)\nclass R:\n    a: Annotated[Vec[u8], 9]", "record R has 9 words"),
    ("@record()\nclass R:\n    a: Annotated[Vec[u8], 17]", "only integers and vectors are annotated"),
    ("@record()\nclass R:\n    a: u8 = 1", "R holds fields"),
    ("@record()\nclass R:\n    a: u8\n    a: u8", "R holds fields"),
    ("@record()\nclass R:\n    pass", "R holds fields"),
    ("W = Annotated[int, Range(2, 1)]", "this is no range of integers"),
    ("W = Annotated[int, Range(0, 1 << 255)]", "this is no range of integers"),
    ("class E(IntEnum):\n    A = 1\n    B = 1", "each name and each value once"),
    ("min: Final = 1", "min is a word of the language"),
    ("def f(: pass", "this is not Python"),
]


@pytest.mark.parametrize(("text", "problem"), MODULES, ids=[row[0][:40] for row in MODULES])
def test_a_module_holds_definitions_alone(text: str, problem: str) -> None:
    assert problem in get_refusal(text + "\n\n\n" + entry("pass"))


CODES = ["16", "Code", "LIMIT", "Low.A", "input_uint(0, 1)"]


@pytest.mark.parametrize("code", CODES)
def test_codes_are_members_of_an_enumeration_from_16_on(code: str) -> None:
    body = "class Low(IntEnum):\n    A = 15\n\n\n" + entry(f"require(input_uint(0, 1) == 1, {code})")
    assert "this is no code to reject with" in get_refusal(body)


def test_an_entry_takes_and_returns_nothing() -> None:
    with pytest.raises(Refused, match="the entry takes and returns something"):
        compile_law("def apply_input(a: u8) -> None:\n    pass\n")
    with pytest.raises(LookupError, match=r"there is no function law\.missing"):
        Program({"law": HEADER}, "law.missing").compile()


def test_modules_that_import_each_other_are_refused() -> None:
    sources = {
        "a": "from b import g\n\n\ndef f() -> None:\n    g()\n",
        "b": "from a import f\n\n\ndef g() -> None:\n    pass\n",
    }
    with pytest.raises(Refused, match=r"a and b import each other|b and a import each other"):
        Program(sources, "a.f").compile()


def test_code_that_nothing_calls_is_held_to_the_same_rules() -> None:
    assert "2:12: this value lies in" in get_refusal(
        "def f(a: u8) -> u8:\n    return a + 1\n\n\n" + entry("pass")
    )
    assert "3:12: this value lies in" in get_refusal(
        "@inline\ndef f(a: u8) -> u8:\n    return a + 1\n\n\n" + entry("pass")
    )


def test_a_refusal_names_file_line_and_column() -> None:
    with pytest.raises(Refused) as caught:
        make_program(entry("x = 1 / 2")).compile()
    line = HEADER.count("\n") + 2
    assert str(caught.value).startswith(f"law.py:{line}:9: `/` makes a float; write //")


def test_an_input_that_may_take_too_many_steps_is_refused() -> None:
    body = "@handler\ndef work() -> None:\n    for i in range(1000):\n        for j in range(1000):\n"
    body += "            pass\n\n\n" + entry("work()")
    assert "one input may take" in get_refusal(body)
    assert "(work " in get_refusal(body)


def test_what_is_nested_too_deeply_is_refused_before_it_is_walked() -> None:
    assert "nested more than 80 deep" in get_refusal(entry("x = " + " + ".join(["input_uint(0, 1)"] * 500)))
    assert "nested more than 80 deep" in get_refusal(entry("x = " + "-" * 500 + "input_uint(0, 1)"))


def test_an_image_that_exceeds_the_machine_is_refused() -> None:
    many_variables = [f"x{i} = input_uint({i}, 1)" for i in range(1100)]
    assert "the machine has 1024" in get_refusal(entry(*many_variables))
    many_instructions = [f"x = input_uint({i % 50}, 1)" for i in range(4200)]
    assert "the machine holds 4096" in get_refusal(entry(*many_instructions))
