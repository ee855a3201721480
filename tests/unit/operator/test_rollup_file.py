from pathlib import Path

import pytest

from devnet.accounts import get_cast
from optimist.operator.rollup_file import BadInit, BadRollupFile, RollupFile, check_init
from optimist.prove.law import load_law
from tests.support.rollup_text import write_rollup

TOKEN = "0x" + "ab" * 20


def load(tmp_path: Path, text: str) -> RollupFile:
    file = tmp_path / "rollup.toml"
    file.write_text(text)
    return RollupFile.load(file, 31337)


def test_file_becomes_an_init_that_the_law_takes(tmp_path: Path) -> None:
    found = load(tmp_path, write_rollup(TOKEN))
    assert found.token == b"\xab" * 20
    assert found.sequencer == get_cast().sequencer.address
    assert found.backstop_owner == found.init.backstop_owner == get_cast().backstop.address
    assert (found.init.chain_id, found.init.quorum, len(found.init.signers)) == (31337, 2, 3)
    assert found.init.markets[0].lot == 10_000
    check_init(load_law("minimal").native, found.init)


def test_law_says_which_parameters_it_refuses(tmp_path: Path) -> None:
    found = load(tmp_path, write_rollup(TOKEN, quorum="quorum = 1"))
    with pytest.raises(BadInit, match="the law refuses these parameters: "):
        check_init(load_law("minimal").native, found.init)


@pytest.mark.parametrize(
    ("field", "line", "message"),
    [
        ("token", 'token = "0x12"', "token must be an address"),
        ("token", "token = 12", "token must be an address"),
        ("sequencer", "", "sequencer is missing"),
        ("lot", "lots = 5", r"markets\[0\]: lot is missing"),
        ("max_position", "max_position = 5\nmax_positions = 5", r"markets\[0\]: there is no max_positions"),
        ("lot", "lot = 0.5", r"markets\[0\].lot must be a whole number"),
        ("lot", "lot = true", r"markets\[0\].lot must be a whole number"),
        ("lot", 'lot = "5"', "rollup.toml: lot = '5' is no integer"),
        ("lot", f"lot = {2**64}", "lot"),
        ("quorum", "quorum = 2\nchain_id = 1", "law: there is no chain_id"),
        ("signers", 'signers = "0x12"', "law.signers must be a list"),
        ("signers", 'signers = ["0x12"]', "law.signers must be an address"),
        ("size_decimals", "size_decimals = 8\ntiers = [5]", r"markets\[0\].tiers must be a table"),
        ("size_decimals", "size_decimals = 8\ntiers = [{}]", r"markets\[0\].tiers: .* is missing"),
        ("lot", "lot = = 5", "rollup.toml"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, field: str, line: str, message: str) -> None:
    with pytest.raises(BadRollupFile, match=message):
        load(tmp_path, write_rollup(TOKEN, **{field: line}))


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadRollupFile, match="there is no file"):
        RollupFile.load(tmp_path / "rollup.toml", 1)
