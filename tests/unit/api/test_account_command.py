"""`optimist account` on a data directory: exact figures, clear text, and what cannot be answered."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from optimist.api.account_text import parse_decimal, show_units
from optimist.base.presets import MINIMAL
from optimist.cli import main
from optimist.l1.deployment import ADDRESSES, CONTRACTS, Deployment
from optimist.node.history import History
from optimist.node.receipts import keep_receipt
from optimist.node.what_if import HypotheticalTrade, compute_prospect, describe_prospect
from optimist.provable import State
from optimist.prove.law import load_law
from optimist.store.state_store import Change, StateStore
from tests.support.histories import rebuild
from tests.support.world import BTC, OK, PRICE, START, World

DEPLOYMENT = Deployment(
    chain_id=31_337,
    block=7,
    image_root=b"\x11" * 32,
    addresses={name: bytes((i,)) * 20 for i, name in enumerate(ADDRESSES, 1)},
    preset=MINIMAL,
    transactions={name: bytes((i,)) * 32 for i, name in enumerate(CONTRACTS, 1)},
)
ONE = 10**8


class Directory:
    """A node's data directory after a trade of two accounts, and what is asked of it."""

    def __init__(self, path: Path) -> None:
        self.world = World(markets=(BTC,))
        for account in (1, 2):
            self.world.deposit(account, 10_000)
        self.world.price(0, 50_000)
        assert self.world.trade(2, 1, ONE, 50_000, maker_buys=False) == OK
        self.path = path
        (path / "deployment.json").write_bytes(DEPLOYMENT.encode())
        state = State()
        receipts = [state.apply(self.world.law, data) for data in self.world.inputs]
        noted = {
            index: keep_receipt(START, receipt.notes)
            for index, receipt in enumerate(receipts)
            if receipt.notes
        }
        change = Change(b"cursor", records=dict(self.world.records))
        with StateStore(path / "state", DEPLOYMENT.identity) as store:
            History(store, 1).keep(1, noted, change)
            store.write(change)

    def ask(self, *arguments: str) -> Result:
        where = ("--datadir", str(self.path), "--deployment", str(self.path / "deployment.json"))
        return CliRunner().invoke(main, ["account", *arguments, *where])

    def read(self, *arguments: str) -> object:
        result = self.ask(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.output)


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    return Directory(tmp_path)


def test_what_if_answers_what_the_law_does_on_the_same_state(directory: Directory) -> None:
    law, state = load_law("minimal"), directory.world.state
    assert directory.read("what-if", "1") == describe_prospect(compute_prospect(law, state, 1))
    trade = HypotheticalTrade(0, -ONE // 2, 5_100_025 * PRICE // 100)
    assert directory.read(
        "what-if", "1", "--sell", "0.5", "--at", "51000.25", "--price", "0=49000.1"
    ) == describe_prospect(compute_prospect(law, state, 1, trade, {0: 490_001 * PRICE // 10}))


def test_what_if_in_words(directory: Directory) -> None:
    text = directory.ask("what-if", "1", "--buy", "0.1", "--at", "50000").output
    assert "9,975.000000" in text, "10,000 less the fee of the first trade"
    assert "fee" in text
    assert "liquidatable at 4" in text
    refused = directory.ask("what-if", "1", "--buy", "100", "--at", "50000").output
    assert "the law would reject this trade (BELOW_INITIAL_MARGIN): nothing changes" in refused
    fallen = directory.ask("what-if", "1", "--price", "0=41000").output
    assert "liquidatable there already" in fallen


def test_history_rebuilds_the_account(directory: Directory) -> None:
    told = directory.read("history", "1")
    assert isinstance(told, dict)
    rebuilt = rebuild(note for entry in told["entries"] for note in entry["notes"])
    assert rebuilt[1].collateral == directory.world.account(1).collateral
    assert rebuilt[1].positions == {0: ONE}
    text = directory.ask("history", "1").output
    assert ("Deposited" in text, "Filled" in text, "more:" in text) == (True, True, False)
    first = directory.ask("history", "1", "--limit", "1").output
    assert ("Deposited" in first, "Filled" in first, "more: --after " in first) == (True, False, True)
    assert "nothing was noted" in directory.ask("history", "6").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("what-if", "9"), "account 9 does not exist"),
        (("what-if", "1", "--buy", "1"), "--at USD"),
        (("what-if", "1", "--buy", "1", "--sell", "1", "--at", "5"), "--at USD"),
        (("what-if", "1", "--buy", "1e-9", "--at", "5"), "at most 8 decimals"),
        (("what-if", "1", "--buy", "nan", "--at", "5"), "--buy is a positive number"),
        (("what-if", "1", "--sell", "-1", "--at", "5"), "--sell is a positive number"),
        (("what-if", "1", "--market", "3", "--buy", "1", "--at", "5"), "no market 3"),
        (("what-if", "1", "--price", "3=5"), "no market 3"),
        (("what-if", "1", "--price", "5"), "MARKET=USD"),
        (("what-if", "1", "--price", "0=99999999999999"), "--price is a positive number"),
        (("what-if", "1", "--api", "http://127.0.0.1:9"), "either --api"),
        (("history", "1", "--after", "x"), "no place"),
    ],
)
def test_what_cannot_be_answered_says_why(
    directory: Directory, arguments: tuple[str, ...], message: str
) -> None:
    result = directory.ask(*arguments)
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "either --api"),
        (("--api", "localhost:1"), "is a URL"),
        (("--api", "http://127.0.0.1:9"), "gives no answer"),
        (("--datadir", "/nowhere"), "either --api"),
    ],
)
def test_where_to_ask_is_one_place_that_is_there(arguments: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(main, ["account", "what-if", "1", *arguments])
    assert result.exit_code in (1, 2)
    assert message in result.output


def test_directory_without_a_state_or_of_another_rollup_is_refused(
    directory: Directory, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    file = str(tmp_path / "deployment.json")
    result = CliRunner().invoke(
        main, ["account", "history", "1", "--datadir", str(empty), "--deployment", file]
    )
    assert "holds no node's state" in result.output
    other = json.loads(DEPLOYMENT.encode())
    (tmp_path / "deployment.json").write_text(json.dumps({**other, "image_root": "0x" + "22" * 32}))
    assert "another deployment" in directory.ask("history", "1").output


@pytest.mark.parametrize(
    ("text", "units"), [("1", 10**8), ("0.00000001", 1), ("64000.25", 6_400_025 * 10**6), ("1e3", 10**11)]
)
def test_decimals_are_read_exactly(text: str, units: int) -> None:
    assert parse_decimal("x", text, 8, 10**18) == units


@pytest.mark.parametrize(
    ("amount", "text"), [("0", "0.000000"), ("-1", "-0.000001"), ("-1234567890", "-1,234.567890")]
)
def test_units_are_shown_exactly(amount: str, text: str) -> None:
    assert show_units(amount, 6) == text
