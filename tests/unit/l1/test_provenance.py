"""A contract was made by a transaction with our creation code, of the sender and nonce of its address."""

from dataclasses import replace

import pytest

from optimist.base.presets import MINIMAL
from optimist.l1.creation import ORDER, load_code, predict_addresses
from optimist.l1.deployment import Deployment
from optimist.l1.errors import L1Inconsistent
from optimist.l1.provenance import find_fault
from optimist.l1.types import SentTransaction
from tests.support.deployed_code import flip

DEPLOYER = b"\xde" * 20
NONCE = 41
DEPLOYMENT = Deployment(
    chain_id=31337,
    block=7,
    image_root=b"\x11" * 32,
    addresses={**predict_addresses(DEPLOYER, NONCE), "token": b"\x70" * 20},
    preset=MINIMAL,
    transactions={name: bytes((i,)) * 32 for i, name in enumerate(ORDER, 1)},
)


def make_creation(name: str) -> SentTransaction:
    arguments = b"\x55" * 64
    return SentTransaction(DEPLOYER, NONCE + ORDER.index(name), b"", load_code()[name].creation + arguments)


@pytest.mark.parametrize("name", ORDER)
def test_our_creation_code_passes_whatever_its_arguments_are(name: str) -> None:
    assert find_fault(DEPLOYMENT, name, make_creation(name)) == ""


@pytest.mark.parametrize("name", ORDER)
def test_other_creation_code_is_refused(name: str) -> None:
    creation = make_creation(name)
    for data in (b"", creation.data[:100], b"\x5b" + creation.data, flip(creation.data, 0)):
        fault = find_fault(DEPLOYMENT, name, replace(creation, data=data))
        assert "other code than ours created" in fault
        assert "use the release" in fault


def test_transaction_that_made_something_else_is_refused() -> None:
    creation = make_creation("Rollup")
    for other in (
        replace(creation, sender=b"\xdd" * 20),
        replace(creation, nonce=NONCE),
        replace(creation, to=DEPLOYMENT.addresses["Rollup"]),
    ):
        assert "did not create the contract at" in find_fault(DEPLOYMENT, "Rollup", other)


def test_transaction_that_nobody_knows_is_no_proof_and_says_what_to_do() -> None:
    fault = find_fault(DEPLOYMENT, "Vault", None)
    assert DEPLOYMENT.transactions["Vault"].hex() in fault
    assert "--l1-rpc" in fault


def test_answer_of_a_node_is_read() -> None:
    answer = {"from": "0x" + "de" * 20, "nonce": "0x29", "to": None, "input": "0x6001", "blockHash": "0x11"}
    assert SentTransaction.from_json(answer) == SentTransaction(DEPLOYER, NONCE, b"", b"\x60\x01")
    with pytest.raises(L1Inconsistent, match="malformed transaction"):
        SentTransaction.from_json({"from": "0x12"})
