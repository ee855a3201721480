"""What compiling gives: costs as the README says them, honest bounds, a map to the source, one image."""

import ast
from pathlib import Path

import pytest

import optimist.provable
from optimist.provable import State
from optimist.provable.check.refusal import Refused
from optimist.provable.program import Program
from optimist.vm.fast import run
from optimist.vm.isa import Op
from tests.support.law_text import HEADER, HEADER_LINES, compile_law, entry, make_program


def count_steps(*lines: str, data: bytes = b"") -> int:
    """Steps of an entry with these lines, without its HALT."""
    return run(compile_law(entry(*lines)).image, {}, data).steps - 1


# ---------------------------------------------------------------------------------- costs

X = "x = input_uint(0, 1)"  # one step, after which x lies in 0..255
PARAMETER = "def f(o: Out) -> None:\n    {}\n\n\n"


@pytest.mark.parametrize(
    ("line", "steps"),
    [
        ("y = x", 1),
        ("y = x + 1", 1),
        ("y = (x * 3) >> 2", 1),
        ("y = mul_shift_right(x, x, 3)", 1),
        ("y = x * x + x", 2),
        ("y = -x", 1),
        ("y = abs(x - 5)", 3),
        ("y = abs(x)", 1),  # x is not negative: it is only copied
        ("y = min(x, 3, x)", 2),
        ("y = ceil_div(x, 3)", 1),
        ("y = bit_length(x)", 1),
        ("y = u8(x)", 1),
        ("y = fit(u8, x + 1, Code.A)", 2),
        ("y = fit(u16, x, Code.A)", 1),  # proven already
        ("y = fit(Range(0, 9), x, Code.A)", 2),
        ("y = x < 5", 1),
        ("require(x < 5, Code.A)", 1),
        ("require(x < 256, Code.A)", 0),  # the width proves it
        ("require(0 <= x < 5 and x != 3, Code.A)", 2),
        ("y = input_int(0, 2)", 3),
        ("y = input_b32(0)", 1),
        ("y = input_length()", 1),
        ("o = load(Out, x)", 1),
        ("o = peek(Out, x)", 1),
        ("y = peek(Out, x).a", 2),
        ("o = zero(Struct)", 3),
        ("o = zero(Out)", 8),
        ("store(x, zero(Out))", 9),
        ("note(Struct(tag=TAG, size=x * x, account=x))", 0),
        ("y = recover_signer(TAG, x, TAG, TAG)", 5),
        ("for i in range(3):\n        pass", 1 + 3 * 2),
        ("for i in range(x):\n        pass", 2),
    ],
)
def test_each_form_costs_what_the_reference_says(line: str, steps: int) -> None:
    assert count_steps(X, line) == 1 + steps


@pytest.mark.parametrize(
    ("line", "steps"), [("o.a = 5", 1), ("o.a = o.b", 2), ("x = o.a + o.b", 3), ("store(0, o)", 1)]
)
def test_a_record_parameter_costs_one_step_an_access(line: str, steps: int) -> None:
    body = PARAMETER.format(line) + entry("o = load(Out, 0)", "f(o)")
    assert run(compile_law(body).image, {}, b"").steps == 1 + 3 + steps + 1  # LDR; MOV, CALL, RET; HALT


@pytest.mark.parametrize(
    "noted",
    ["zero(Struct)", "o", "peek(Account, x)", "Struct(tag=TAG, size=x // 3 if o.a < x else 0, account=x)"],
)
def test_a_note_changes_neither_listing_nor_bounds(noted: str) -> None:
    """Not even what the compiler knows afterwards: the branch of the note narrows nothing."""
    lines = ["o = load(Out, x)", "{}", "for i in range(x % 3):\n        {}", "y = 5 if x < 9 else 6"]
    text = entry(X, *(line.format("{}") for line in lines), "store(y, o)")
    with_notes, without = (
        compile_law("@handler\n" + text.format(*[word] * 2)) for word in (f"note({noted})", "pass")
    )
    assert with_notes.listing() == without.listing()
    assert (with_notes.worst_steps, with_notes.bound) == (without.worst_steps, without.bound)
    assert with_notes.notes == without.notes


def test_an_inlined_function_costs_nothing_by_itself() -> None:
    body = "@inline\ndef f(a: u8, b: u8) -> u16:\n    return a * b\n\n\n" + entry(X, "y = f(x, 3)")
    assert run(compile_law(body).image, {}, b"").steps == 3


# ---------------------------------------------------------------------------------- bounds


def test_the_bound_of_straight_code_is_exact() -> None:
    compiled = compile_law(entry(X, "y = x + 1", "store(0, Out(a=y, b=0, c=TAG, d=0))"))
    assert compiled.bound == run(compiled.image, {}, b"").steps


def test_the_bound_of_loops_branches_and_calls_is_reached() -> None:
    body = "def f(a: u8) -> u16:\n    total: u16 = a\n    for i in range(4):\n        for j in range(3):\n"
    body += "            if j == 1:\n                total = fit(u16, total + i * 2, Code.A)\n"
    body += "    return total\n\n\n"
    body += entry(X, "y = f(x % 5)", "if x == 4:", "    z = f(2) + f(3)", "else:", "    z = y")
    compiled = compile_law(body)
    most = max(run(compiled.image, {}, bytes((x,))).steps for x in range(256))
    # The bound takes the branch of j in all three rounds instead of one: 2 * 3 steps more in 12 rounds of i.
    assert most <= compiled.bound == most + 12 * 2 * 3


def test_leaving_a_loop_does_not_lower_its_bound_below_the_longest_run() -> None:
    lines = (
        X,
        "for i in range(10):",
        "    if i == x:",
        "        y = i * i * i * i * i * i * i",
        "        z = y * y",
        "        break",
    )
    compiled = compile_law(entry(*lines))
    steps = [run(compiled.image, {}, bytes((x,))).steps for x in range(12)]
    assert max(steps) <= compiled.bound <= max(steps) + 10


HANDLERS = (
    "@handler\ndef short(a: u8) -> None:\n    store(0, Out(a=a, b=0, c=TAG, d=0))\n\n\n"
    "@handler\ndef long(a: u8) -> None:\n    for i in range(100):\n        store(i, zero(Out))\n\n\n"
    "@handler\ndef unused() -> None:\n    pass\n\n\n"
    "def dispatch(a: u8) -> None:\n    if a == 1:\n        short(a)\n    else:\n        long(a)\n\n\n"
)


def test_each_handler_has_a_bound_of_its_own_wherever_it_is_called_from() -> None:
    compiled = compile_law(HANDLERS + entry(X, "dispatch(x)"))
    short, long = (run(compiled.image, {}, bytes((x,))).steps for x in (1, 2))
    assert compiled.worst_steps == {"short": short, "long": long}
    assert compiled.bound == long


def test_without_handlers_the_entry_is_reported() -> None:
    compiled = compile_law(entry("pass"))
    assert compiled.worst_steps == {"apply_input": 1}


def test_the_limit_of_steps_may_be_given() -> None:
    program = make_program(HANDLERS + entry(X, "dispatch(x)"))
    bound = program.compile().bound
    assert program.compile(max_steps=bound).bound == bound
    with pytest.raises(Refused, match=rf"one input may take {bound} steps, {bound - 1} are allowed \(long "):
        program.compile(max_steps=bound - 1)


# ---------------------------------------------------------------------------------- source map and listing


def test_every_instruction_knows_its_place_in_the_source() -> None:
    body = "def f(a: u8) -> u16:\n    return a * 3\n\n\n" + entry(X, "y = f(x)", "require(y < 7, Code.A)")
    compiled = compile_law(body)
    found = {
        (Op(instruction.op).name, place.line - HEADER_LINES, place.function)
        for instruction, place in zip(compiled.instructions, compiled.source_map, strict=True)
    }
    assert {
        ("IN", 6, "apply_input"),
        ("CALL", 7, "apply_input"),
        ("BLE", 8, "apply_input"),
        ("REJ", 8, "apply_input"),
        ("MUL", 2, "f"),
        ("RET", 2, "f"),
    } <= found
    assert {place.file for place in compiled.source_map} == {"law.py"}


def test_the_listing_names_every_instruction_constant_and_frame() -> None:
    compiled = compile_law("def f(a: u8) -> u16:\n    return a * 3\n\n\n" + entry(X, "y = f(x)"))
    listing = compiled.listing()
    assert compiled.image.root.hex() in listing
    assert "apply_input:  frame" in listing
    assert "f:  frame" in listing
    assert listing.count("law.py:") == len(compiled.instructions)
    assert listing.count("constant ") == len(compiled.image.memory)


def test_code_that_the_widths_decide_is_noted() -> None:
    compiled = compile_law(entry(X, "require(x < 256, Code.A)", "if x < 0:", "    y = 1"))
    line = HEADER_LINES
    assert compiled.notes == (
        f"law.py:{line + 3}:5: this condition always holds: the widths prove it",
        f"law.py:{line + 5}:9: never reached: the widths decide the condition",
    )


# ---------------------------------------------------------------------------------- programs


def test_two_laws_live_side_by_side_and_a_preset_is_another_text() -> None:
    main = HEADER + "from sizes import SLOTS\n\n\n" + entry("store(0, Out(a=SLOTS, b=0, c=TAG, d=0))")
    sizes = "from typing import Final\n\nSLOTS: Final = {}\n"
    laws = {
        slots: Program({"law": main, "sizes": sizes.format(slots)}, "law.apply_input") for slots in (4, 16)
    }
    roots = set()
    for slots, law in laws.items():
        compiled = law.compile()
        roots.add(compiled.image.root)
        written = run(compiled.image, {}, b"").writes[2 << 40]
        assert int.from_bytes(written[:32], "big") == slots
        receipt = State().apply(law.native(), b"")
        assert receipt.writes[2 << 40] == (None, written)
    assert len(roots) == 2


def test_a_law_imports_its_own_modules_and_the_language_alone() -> None:
    program = Program(
        {"law": "from os import path\n\n\ndef apply_input() -> None:\n    pass\n"}, "law.apply_input"
    )
    with pytest.raises(ImportError, match="os is no module of this law"):
        program.native()
    with pytest.raises(Refused, match="os is no module of this law"):
        program.compile()


def test_messages_and_tracebacks_name_the_files_that_were_given() -> None:
    program = Program({"law": HEADER + entry("x = 1 / 2")}, "law.apply_input", {"law": "presets/minimal.py"})
    with pytest.raises(Refused, match=r"^presets/minimal\.py:"):
        program.compile()
    assert program.native().__code__.co_filename == "presets/minimal.py"


def test_names_of_other_modules_may_be_imported_under_another_name() -> None:
    sources = {
        "law": HEADER + "from other import double as twice\n\n\n" + entry("x: u16 = twice(4)"),
        "other": "from optimist.provable import u8, u16\n\n\ndef double(a: u8) -> u16:\n    return 2 * a\n",
    }
    Program(sources, "law.apply_input").compile()


def test_constants_are_folded_and_no_module_is_run() -> None:
    body = "BOUND: Final = max(3, 2**10 - 1) << 2\nPICK: Final = b32(0x7)\nSIGN: Final[int] = -BOUND\n\n\n"
    body += entry("store(0, Out(a=SIGN, b=BOUND, c=PICK, d=Code.A))")
    assert len(compile_law(body).instructions) == 4 + 4 + 1 + 1  # fields, padding, STR, HALT


def test_compiling_twice_gives_the_same_bytes() -> None:
    body = HANDLERS + entry(X, "dispatch(x)")
    assert compile_law(body) == compile_law(body)


# ---------------------------------------------------------------------------------- determinism


def _files() -> list[Path]:
    return sorted(Path(optimist.provable.__file__).parent.rglob("*.py"))


def _iterated(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.For(iter=found) | ast.comprehension(iter=found) | ast.Starred(value=found):
            return [found]
        case ast.Call(func=ast.Name(id="list" | "tuple" | "enumerate" | "zip" | "map"), args=arguments):
            return arguments
        case _:
            return []


SETS = {"frozenset", "set", "reassigned", "changed", "mutated", "peeked", "RESERVED"}


@pytest.mark.parametrize("path", _files(), ids=lambda path: path.name)
def test_no_set_is_iterated(path: Path) -> None:
    """The order of a set differs between processes and versions of Python: it must not reach the image."""
    for node in ast.walk(ast.parse(path.read_text())):
        for found in _iterated(node):
            names = {getattr(found, "attr", None), getattr(found, "id", None)}
            if isinstance(found, ast.Call):
                names |= {getattr(found.func, "id", None)}
            is_set = isinstance(found, ast.Set | ast.SetComp) or names & SETS
            assert not is_set, f"{path}:{found.lineno} iterates a set"


# ---------------------------------------------------------------- the reference

README = Path(optimist.provable.__file__).parent / "README.md"


def test_the_law_in_the_reference_compiles_and_runs() -> None:
    text = README.read_text().split("```python\n")[1].split("```")[0]
    program = Program({"law": text}, "law.apply_input")
    compiled = program.compile()
    data = bytes((0,)) + (7).to_bytes(5, "big") + (9).to_bytes(20, "big") + (1000).to_bytes(8, "big")
    receipt = State().apply(program.native(), data)
    execution = run(compiled.image, {}, data)
    assert execution.writes == {key: new for key, (_, new) in receipt.writes.items()}
    assert list(compiled.worst_steps) == ["apply_deposit"]


def test_the_reference_names_every_word_of_the_language() -> None:
    text = README.read_text()
    words = set(optimist.provable.__all__) - {"Receipt"}
    assert sorted(word for word in words if word not in text) == []
