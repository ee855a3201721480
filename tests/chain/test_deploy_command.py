"""`optimist deploy` on a real chain, with a keystore, and a rollup that a stranger's watcher accepts."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from challenger.cli import main as challenger
from devnet.accounts import get_cast
from devnet.anvil import Anvil
from devnet.compile import compile_contracts
from devnet.deploy import deploy_token
from devnet.wallet import Wallet
from optimist.cli import main
from optimist.l1.client import L1Client
from optimist.l1.creation import ORDER
from optimist.l1.deployment import Deployment
from tests.support.rollup_text import write_rollup

ETHER = 10**18


@pytest.fixture(scope="module")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with Anvil(tmp_path_factory.mktemp("anvil"), block_time=1) as anvil:
        yield anvil


@pytest.fixture(scope="module")
def token(anvil: Anvil) -> str:
    async def create() -> bytes:
        anvil.set_balance(get_cast().deployer.hex_address, ETHER)
        async with L1Client([anvil.url]) as client:
            return await deploy_token(Wallet(client, get_cast().deployer), compile_contracts())

    return f"0x{asyncio.run(create()).hex()}"


@pytest.fixture
def key(anvil: Anvil, tmp_path: Path) -> list[str]:
    """A new keystore with ether, as flags."""
    files = [tmp_path / "key.json", tmp_path / "password"]
    made = CliRunner().invoke(main, ["key", "new", "--file", str(files[0]), "--password-file", str(files[1])])
    anvil.set_balance(made.output.strip(), ETHER)
    return ["--key.file", str(files[0]), "--key.password-file", str(files[1])]


def deploy(anvil: Anvil, folder: Path, key: list[str], *flags: str) -> Result:
    arguments = ["deploy", "--preset", "minimal", "--l1-rpc", anvil.url, "--l1-poll", "0.2"]
    arguments += ["--rollup", str(folder / "rollup.toml"), "--output", str(folder / "deployment.json")]
    return CliRunner().invoke(main, [*arguments, *key, *flags])


def test_deployed_rollup_is_what_the_plan_said_and_what_programs_accept(
    anvil: Anvil, token: str, key: list[str], tmp_path: Path
) -> None:
    (tmp_path / "rollup.toml").write_text(write_rollup(token))
    planned = deploy(anvil, tmp_path, key, "--dry-run", "--json")
    assert planned.exit_code == 0, planned.output
    assert not (tmp_path / "deployment.json").exists()
    done = deploy(anvil, tmp_path, key)
    assert done.exit_code == 0, done.output
    deployment = Deployment.load(tmp_path / "deployment.json")
    addresses = json.loads(planned.stdout)["addresses"]
    for name in ORDER:
        assert f"0x{deployment.addresses[name].hex()}" == addresses[name]
        assert addresses[name] in done.output
    assert deployment.preset.name == "minimal"
    judged = CliRunner().invoke(
        challenger,
        [
            *("watch", "--once", "--l1-tag", "latest", "--l1-rpc", anvil.url),
            *("--deployment", str(tmp_path / "deployment.json")),
        ],
    )
    assert judged.exit_code == 0, judged.output
    again = deploy(anvil, tmp_path, key)
    assert again.exit_code == 2
    assert "move it away" in again.output


@pytest.mark.parametrize(
    ("field", "line", "message"),
    [
        ("token", 'token = "0x' + "12" * 20 + '"', "there is no contract at"),
        ("quorum", "quorum = 1", "the law refuses these parameters"),
        ("lot", "lot = 0.5", "must be a whole number"),
    ],
)
def test_nothing_is_sent_for_a_rollup_that_could_not_live(
    anvil: Anvil, token: str, key: list[str], tmp_path: Path, field: str, line: str, message: str
) -> None:
    (tmp_path / "rollup.toml").write_text(write_rollup(token, **{field: line}))
    refused = deploy(anvil, tmp_path, key)
    assert refused.exit_code == 2
    assert message in refused.output
    assert not (tmp_path / "deployment.json").exists()
