"""docs/EXIT.md, typed line by line against a rollup whose operator was never seen again."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from eth_account import Account

from devnet.anvil import Anvil
from devnet.network import Devnet
from devnet.wallet import Wallet
from optimist.l1.events import OperatorSet
from tests.support.guide import REPOSITORY, Block, open_shell, read_blocks, walk

GUIDE = REPOSITORY / "docs" / "EXIT.md"
STRIDE = 50  # s of L1 that pass at a time; less than the shortest wait of the preset
DEPOSIT = 1_000 * 10**6  # 1e-6 USD
PASSWORD = "a password"


@contextmanager
def hurry(anvil: Anvil) -> Iterator[None]:
    """Let days pass in seconds, while somebody waits."""
    done = threading.Event()

    def turn() -> None:
        while not done.wait(0.5):
            anvil.increase_time(STRIDE)

    thread = threading.Thread(target=turn)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def prepare(network: Devnet, directory: Path) -> dict[str, str]:
    """What somebody has who reads the guide: deployment.json, a keystore, an endpoint, and money inside."""
    owner = network.cast.traders[0]

    async def deposit() -> None:
        async with network.connect() as client:
            await network.get_bank().open_account(Wallet(client, owner), DEPOSIT)

    asyncio.run(deposit())
    directory.mkdir()
    (directory / "deployment.json").write_bytes(network.deployment_file.read_bytes())
    keystore = Account.encrypt(owner.secret, PASSWORD, kdf="pbkdf2", iterations=1_000)
    (directory / "me.json").write_text(json.dumps(keystore))
    (directory / "me.password").write_text(PASSWORD)
    (directory / "me.password").chmod(0o600)
    return {
        "OPTIMIST_OPERATOR": network.cast.challenger.hex_address,
        "OPTIMIST_L1_RPC": network.anvil.url,
        "OPTIMIST_L1_POLL": "0.5",
        "COLUMNS": "120",
    }


async def read_operators(network: Devnet) -> set[bytes]:
    """Whoever was named to play for an assertion."""
    async with network.connect() as client:
        history = await network.read_history(client)
    return {each.event.operator for each in history.events if isinstance(each.event, OperatorSet)}


def read_walk() -> list[Block]:
    return read_blocks(GUIDE.read_text().partition("# What it does")[0])


def test_guide_has_all_that_was_promised() -> None:
    blocks = read_walk()
    assert [block.heading.partition(". ")[2] for block in blocks] == [
        "Look",
        "Say where your key is",
        "Go",
        "Go",
        "Single steps",
    ]
    assert all("optimist" in block.commands or "exit.toml" in block.commands for block in blocks)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_an_owner_leaves_by_the_guide_alone(start_devnet: Callable[..., Devnet], tmp_path: Path) -> None:
    network = start_devnet()
    variables = prepare(network, tmp_path / "home")
    blocks = read_walk()
    with open_shell(tmp_path / "home", variables=variables) as shell:
        walk(shell, blocks[:3])
        with hurry(network.anvil):
            walk(shell, blocks[3:4])
        walk(shell, blocks[4:])
    held = network.anvil.call("eth_getBalance", "0x" + network.deployment.addresses["Rollup"].hex(), "latest")
    assert int(held, 16) == 0, "the bond is back"
    operators = asyncio.run(read_operators(network))
    assert operators, "somebody who would have played for the assertion"
    assert operators == {network.cast.challenger.address}
