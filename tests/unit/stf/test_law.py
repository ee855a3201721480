"""The law as a whole: its sources, its presets, its codes, its bound on steps."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import pytest

from optimist.base.presets import PRESETS as DEPLOYMENTS
from optimist.provable import State
from optimist.stf import constants, inputs
from optimist.stf.codes import Code
from optimist.stf.law import MODULES, PRESET_MODULE, PRESETS, get_file, get_program, read_sources
from optimist.stf.presets import mainnet, minimal
from optimist.vm.isa import FIRST_LAW_CODE
from tests.support.step_table import build_table, read_table
from tests.support.world import World

FOLDER = Path(constants.__file__).parent
NOT_LAW = {"__init__", "law"}


def test_every_file_of_the_room_is_part_of_the_law_or_says_that_it_is_not() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")}
    assert files - NOT_LAW == {module.rpartition(".")[2] for module in MODULES}


def test_law_imports_the_language_and_itself_only() -> None:
    allowed = {"typing", "enum", "optimist.provable"}
    for name, text in read_sources("mainnet").items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom):
                assert node.module in allowed or node.module in MODULES, f"{name} imports {node.module}"
            assert not isinstance(node, ast.Import), f"{name} imports a module whole"


@pytest.mark.parametrize("preset", PRESETS)
def test_sizes_are_those_of_the_deployment(preset: str) -> None:
    sizes = {"minimal": minimal, "mainnet": mainnet}[preset]
    deployment = DEPLOYMENTS[preset]
    assert sizes.POSITION_SLOTS == deployment.position_slots <= 1 << constants.SLOT_BITS
    assert sizes.ORDER_SLOTS == deployment.order_slots <= 1 << constants.SLOT_BITS


def test_presets_are_those_of_deployments() -> None:
    assert set(PRESETS) == set(DEPLOYMENTS)
    with pytest.raises(ValueError, match="use one of: minimal, mainnet"):
        get_file(PRESET_MODULE, "mainnett")


def test_codes_leave_room_for_the_machine() -> None:
    assert min(Code) >= FIRST_LAW_CODE
    assert max(Code) < 1 << 16
    assert len(set(Code)) == len(Code.__members__)


@pytest.mark.parametrize("preset", PRESETS)
def test_law_is_provable_within_its_budget(preset: str) -> None:
    """A trade may cost 12,000 steps: its trace is committed to in a fraction of a second."""
    program = get_program(preset).compile()
    assert program.worst_steps["apply_trade"] <= 12_000
    assert program.bound <= 8**5
    assert set(program.worst_steps) == {
        "apply_init",
        "apply_header",
        "apply_deposit",
        "apply_forced",
        "apply_price",
        "apply_trade",
        "apply_withdraw",
        "apply_liquidate",
        "apply_cancel",
        "apply_cancel_all",
        "apply_transfer",
        "apply_session_key",
        "apply_fees",
        "apply_account_tier",
        "apply_propose_market",
        "apply_enact_market",
        "apply_settle",
        "apply_close_market",
    }


def test_two_laws_live_side_by_side() -> None:
    """An altered copy, as a liar would run it, does not touch the law."""
    sources = dict(read_sources("minimal"))
    name = "optimist.stf.deposit"
    sources[name] = sources[name].replace("account.collateral + amount", "account.collateral + 2 * amount")
    altered = type(get_program("minimal"))(sources, get_program("minimal").entry)
    honest, liar = World(), World(law=altered.native())
    honest.deposit_units(1, 5)
    liar.deposit_units(1, 5)
    assert (honest.account(1).collateral, liar.account(1).collateral) == (5, 10)
    assert State().apply(altered.native(), honest.inputs[0]).code == 0


def test_offsets_follow_each_other_without_gaps() -> None:
    """The layouts in the comments of inputs.py are the constants below them."""
    text = (FOLDER / "inputs.py").read_text()
    values = {name: value for name, value in vars(inputs).items() if isinstance(value, int)}
    widths = re.compile(r"([a-z_0-9 ]+):(\d+)")
    checked = 0
    for block in text.split("\n\n"):
        comment = " ".join(line[1:].strip(" -") for line in block.splitlines() if line.startswith("#"))
        offsets = [
            values[line.split(":")[0]] for line in block.splitlines() if re.match(r"[A-Z_]+_AT: Final", line)
        ]
        if not offsets or not widths.search(comment):
            continue
        layout = comment.split("|")[-1] if "FORCED WITHDRAW" in comment.upper() else comment
        lengths = [int(width) for _, width in widths.findall(layout)]
        for at, following, length in zip(offsets, offsets[1:], lengths[-len(offsets) :], strict=False):
            assert following - at == length, f"{following} - {at} is not {length} in: {comment}"
            checked += 1
    assert checked >= 30


def test_every_constant_says_what_it_is() -> None:
    """Value, arithmetic and unit on the line above; the arithmetic in `(= …)` is right."""
    for path in (FOLDER / "constants.py", FOLDER / "presets/minimal.py", FOLDER / "presets/mainnet.py"):
        lines = path.read_text().splitlines()
        for above, line in pairwise(lines):
            if ": Final = " in line and "#" not in line:
                assert above.startswith("# "), f"{path.name}: {line}"
            claim = re.match(r"# ([0-9*+\- ()]+) \(= ([0-9,]+)\)", above)
            if claim:
                computed = ast.literal_eval(str(_evaluate(claim[1])))
                assert computed == int(claim[2].replace(",", "")), above


def _evaluate(arithmetic: str) -> int:
    """The value of an expression of integers."""
    tree = ast.parse(arithmetic.strip(), mode="eval")
    assert all(
        isinstance(
            node,
            ast.Expression | ast.BinOp | ast.Constant | ast.Pow | ast.Add | ast.Sub | ast.Mult | ast.UnaryOp,
        )
        for node in ast.walk(tree)
    )
    return int(eval(compile(tree, "<comment>", "eval")))  # noqa: S307 - integers and operators only, checked above


def test_table_of_worst_steps_is_what_the_compiler_finds() -> None:
    """docs/STEPS.md; `python -m tests.support.step_table` writes it anew. Each bound lies below 8**6."""
    assert read_table() == build_table()
