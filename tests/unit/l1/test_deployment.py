import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from optimist.base.presets import MAINNET, MINIMAL, Preset
from optimist.l1.codec import load_abi
from optimist.l1.deployment import (
    ADDRESSES,
    NEIGHBOURS,
    PARAMETERS,
    Deployment,
    DeploymentError,
)

DEPLOYMENT = Deployment(
    chain_id=31337,
    block=7,
    image_root=b"\x11" * 32,
    addresses={name: bytes((i,)) * 20 for i, name in enumerate(ADDRESSES, 1)},
    preset=MINIMAL,
)


def altered(**changes: Any) -> bytes:
    return json.dumps({**json.loads(DEPLOYMENT.encode()), **changes}).encode()


@pytest.mark.parametrize("preset", [MINIMAL, MAINNET, replace(MINIMAL, challenge_period=30)])
def test_file_reads_back(preset: Preset, tmp_path: Path) -> None:
    deployment = replace(DEPLOYMENT, preset=preset)
    (tmp_path / "deployment.json").write_bytes(deployment.encode())
    assert Deployment.load(tmp_path / "deployment.json") == deployment


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "truncated"),
        (altered(version=2), "version 2"),
        (altered(preset="maximal"), "unknown preset 'maximal'; use one of: mainnet, minimal"),
        (altered(image_root="0x12"), "image_root has 1 bytes"),
        (altered(image_root="12"), "does not begin with 0x"),
        (altered(chain_id="1"), "Expected `int`"),
        (altered(extra=1), "unknown field `extra`"),
        (altered(addresses={}), "addresses: missing"),
        (altered(parameters={"k": 8}), "parameters: missing"),
        (altered(parameters={**json.loads(DEPLOYMENT.encode())["parameters"], "x": 1}), "unknown ['x']"),
    ],
)
def test_bad_file_says_what_is_wrong(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "deployment.json").write_bytes(data)
    with pytest.raises(DeploymentError) as error:
        Deployment.load(tmp_path / "deployment.json")
    assert message in str(error.value)
    assert "deployment.json" in str(error.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="there is no file"):
        Deployment.load(tmp_path / "nothing.json")


def test_every_parameter_of_the_preset_table_is_checked_on_l1() -> None:
    not_on_l1 = {"name", "position_slots", "order_slots"}  # the slots are part of the image root
    assert set(PARAMETERS) == {field.name for field in fields(Preset)} - not_on_l1


def test_every_getter_that_is_asked_exists() -> None:
    for contract, function in PARAMETERS.values():
        assert function in load_abi(contract).functions
    for contract, function, _ in NEIGHBOURS:
        assert function in load_abi(contract).functions


def test_identity_differs_between_rollups() -> None:
    others = [
        replace(DEPLOYMENT, chain_id=1),
        replace(DEPLOYMENT, image_root=b"\x12" * 32),
        replace(DEPLOYMENT, addresses={**DEPLOYMENT.addresses, "Inbox": b"\x99" * 20}),
    ]
    assert len({each.identity for each in (DEPLOYMENT, *others)}) == 4
