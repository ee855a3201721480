"""A plan becomes five contracts that know each other, on a real chain."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from devnet.accounts import get_cast
from devnet.anvil import Anvil
from devnet.compile import compile_contracts
from devnet.deploy import deploy_rollup, deploy_token
from devnet.genesis import make_init
from devnet.wallet import Wallet
from optimist.base.keccak import tagged
from optimist.base.presets import MINIMAL, PRESETS, Preset
from optimist.base.tags import CHAIN
from optimist.derive.commitments import compute_input_hash
from optimist.l1.client import L1Client
from optimist.l1.codec import load_abi
from optimist.l1.contracts import Contract
from optimist.l1.creation import ORDER, Choices, Deployed, encode_creation, predict_addresses
from optimist.l1.errors import Reverted
from optimist.vm.image import Image

IMAGE = Image(program=(bytes(31) + b"\x01",), memory=(b"\x07" * 32,), entry=0)  # any will do here


@pytest.fixture(scope="module")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    with Anvil(tmp_path_factory.mktemp("anvil")) as anvil:
        yield anvil


def run(anvil: Anvil, play: Callable[[L1Client, Wallet], Awaitable[Any]]) -> Any:
    async def inside() -> Any:
        async with L1Client([anvil.url]) as client:
            return await play(client, Wallet(client, get_cast().deployer))

    return asyncio.run(inside())


def make_choices(token: bytes) -> Choices:
    cast = get_cast()
    init = make_init(
        chain_id=31337,
        vault=bytes(20),
        second=0,
        backstop_owner=cast.backstop.address,
        signers=[key.address for key in cast.oracle],
    )
    return Choices(token, cast.sequencer.address, cast.backstop.address, init.encode_body())


def test_predicted_addresses_are_those_of_the_evm() -> None:
    creator = bytes.fromhex("6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0")  # examples as old as Ethereum
    assert predict_addresses(creator, 0)["Step"].hex() == "cd234a471b72ba2f1ccf0a70fcaba648a5eecd8d"
    assert predict_addresses(creator, 0)["Vault"].hex() == "343c43a37d37dff08ae8c4a11544c718abb4fcf8"
    assert predict_addresses(creator, 2)["Inbox"] == predict_addresses(creator, 4)["Step"]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_deployed_contracts_know_each_other_and_the_preset(anvil: Anvil, preset: Preset) -> None:
    async def play(client: L1Client, wallet: Wallet) -> tuple[Deployed, dict[str, Any]]:
        contracts = compile_contracts()
        token = await deploy_token(wallet, contracts)
        deployed = await deploy_rollup(client, wallet, contracts, preset, IMAGE, make_choices(token))
        header = await client.get_header("latest")
        assert header is not None
        found = {}
        for name, function in [
            ("Vault", "INBOX"),
            ("Vault", "ROLLUP"),
            ("Inbox", "VAULT"),
            ("Rollup", "INBOX"),
            ("Rollup", "DISPUTE"),
            ("Dispute", "ROLLUP"),
            ("Dispute", "STEP"),
            ("Step", "imageRoot"),
            ("Rollup", "CHALLENGE_PERIOD"),
            ("Inbox", "FORCED_DEADLINE"),
            ("Vault", "MAX_TOTAL"),
            ("Inbox", "batchCount"),
        ]:
            contract = Contract.named(name, deployed.addresses[name])
            found[f"{name}.{function}"] = await contract.read(client, header.hash, function)
        return deployed, found

    deployed, found = run(anvil, play)
    at = deployed.addresses
    assert found == {
        "Vault.INBOX": at["Inbox"],
        "Vault.ROLLUP": at["Rollup"],
        "Inbox.VAULT": at["Vault"],
        "Rollup.INBOX": at["Inbox"],
        "Rollup.DISPUTE": at["Dispute"],
        "Dispute.ROLLUP": at["Rollup"],
        "Dispute.STEP": at["Step"],
        "Step.imageRoot": IMAGE.root,
        "Rollup.CHALLENGE_PERIOD": preset.challenge_period,
        "Inbox.FORCED_DEADLINE": preset.forced_deadline,
        "Vault.MAX_TOTAL": preset.max_total,
        "Inbox.batchCount": 1,
    }
    assert list(deployed.receipts) == list(ORDER)
    assert all(receipt.gas_used < 1 << 24 for receipt in deployed.receipts.values())


def test_the_inbox_writes_the_init_input_that_we_predict(anvil: Anvil) -> None:
    async def play(client: L1Client, wallet: Wallet) -> tuple[Deployed, list[Any], int]:
        contracts = compile_contracts()
        token = await deploy_token(wallet, contracts)
        deployed = await deploy_rollup(client, wallet, contracts, MINIMAL, IMAGE, make_choices(token))
        header = await client.get_header(deployed.receipts["Inbox"].block.number)
        assert header is not None
        logs = deployed.receipts["Inbox"].logs
        return deployed, [load_abi("Inbox").decode_event(log) for log in logs], header.timestamp

    deployed, events, second = run(anvil, play)
    cast = get_cast()
    init = make_init(
        chain_id=31337,
        vault=deployed.addresses["Vault"],
        second=second,
        backstop_owner=cast.backstop.address,
        signers=[key.address for key in cast.oracle],
    ).encode()
    [(name, arguments)] = events
    assert name == "BatchSealed"
    assert arguments["rows"] == len(init).to_bytes(2, "big") + init
    assert arguments["head"] == tagged(CHAIN, compute_input_hash(init), bytes(32))


def test_a_constructor_that_refuses_says_why(anvil: Anvil) -> None:
    async def play(client: L1Client, wallet: Wallet) -> None:
        choices = make_choices(await deploy_token(wallet, compile_contracts()))
        bad = Choices(choices.token, choices.sequencer, b"\x01" * 20, choices.init_body)
        await deploy_rollup(client, wallet, compile_contracts(), MINIMAL, IMAGE, bad)

    with pytest.raises(Reverted, match="BackstopMismatch"):
        run(anvil, play)


def test_arguments_that_the_constructor_does_not_know_are_refused() -> None:
    contracts = compile_contracts()
    with pytest.raises(ValueError, match="Vault takes 1 arguments, not 2"):
        encode_creation(contracts["Vault"], (1, 2))
    with pytest.raises(ValueError, match=r"Vault\.p has the fields"):
        encode_creation(contracts["Vault"], ({"token": bytes(20)},))
    with pytest.raises(ValueError, match="TestToken has no constructor"):
        encode_creation(contracts["TestToken"], (1,))
