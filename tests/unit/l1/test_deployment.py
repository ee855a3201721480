import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from optimist.base.presets import MAINNET, MINIMAL, Preset
from optimist.l1.bytecode import load_runtimes
from optimist.l1.deployment import (
    ADDRESSES,
    CONTRACTS,
    NEIGHBOURS,
    PARAMETERS,
    Deployment,
    DeploymentError,
    find_differences,
)
from tests.support.deployed_code import flip, make_codes, make_values, to_word, with_law

DEPLOYMENT = Deployment(
    chain_id=31337,
    block=7,
    image_root=b"\x11" * 32,
    addresses={name: bytes((i,)) * 20 for i, name in enumerate(ADDRESSES, 1)},
    preset=MINIMAL,
    transactions={name: bytes((i,)) * 32 for i, name in enumerate(CONTRACTS, 1)},
)

TRUE = with_law(DEPLOYMENT)


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
        (altered(version=3), "version 3 is not 2: use another release"),
        (altered(version=1, transactions={}), "version 1 is not 2: use another release"),
        (altered(transactions={}), "transactions: missing ['Dispute', 'Inbox', 'Rollup', 'Step', 'Vault']"),
        (altered(transactions={"Vault": "0x12"}), "Vault has 1 bytes instead of 32"),
        (altered(preset="maximal"), "unknown preset 'maximal'; use one of: mainnet, minimal"),
        (altered(image_root="0x12"), "image_root has 1 bytes"),
        (altered(image_root="12"), "does not begin with 0x"),
        (altered(chain_id="1"), "Expected `int`"),
        (altered(extra=1), "unknown field `extra`"),
        (altered(addresses={}), "addresses: missing"),
        (altered(parameters={"k": 8}), "parameters: missing"),
        (altered(parameters={**json.loads(DEPLOYMENT.encode())["parameters"], "k": 256}), "from 1 to 255"),
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


def test_every_immutable_of_the_contracts_is_compared_but_the_sequencer() -> None:
    """Whoever adds one has to say what it must be."""
    all_of_them = {(name, each) for name, runtime in load_runtimes().items() for each in runtime.immutables}
    parts_of_the_image = {("Step", "_PROGRAM_ROOT"), ("Step", "_MEMORY_ROOT"), ("Step", "_ENTRY")}
    left_open = {("Inbox", "SEQUENCER")}
    places = [place for places in PARAMETERS.values() for place in places]
    compared = {*places, *((name, each) for name, each, _ in NEIGHBOURS)}
    compared |= {("Rollup", "GENESIS"), ("Rollup", "MAX_INPUTS")}
    assert all_of_them == compared | parts_of_the_image | left_open


def test_code_as_the_constructors_leave_it_passes() -> None:
    assert find_differences(TRUE, make_codes(make_values(TRUE))) == []


@pytest.mark.parametrize("place", make_values(TRUE))
def test_every_altered_immutable_is_named(place: tuple[str, str]) -> None:
    """Altered wherever it is used, so that the code is one that the compiler could have made."""
    values = make_values(TRUE)
    value = values[place]
    values[place] = value + 1 if isinstance(value, int) else bytes((value[0] ^ 1,)) + value[1:]
    found = find_differences(TRUE, make_codes(values))
    if place == ("Inbox", "SEQUENCER"):
        assert found == [], "the file does not name it: whoever deploys chooses, and everybody can read it"
        return
    name = "Step.imageRoot" if place[0] == "Step" else ".".join(place)
    assert len(found) == 1
    assert found[0].startswith(f"{name} is ")


@pytest.mark.parametrize(
    "place", [("Rollup", "INBOX"), ("Rollup", "K"), ("Step", "_ENTRY"), ("Vault", "TOKEN")]
)
def test_value_wider_than_its_type_is_no_value(place: tuple[str, str]) -> None:
    """No constructor writes it; code put together by hand may have it, and act by all of its bits."""
    values = make_values(TRUE)
    values[place] = b"\x80" + to_word(values[place])[1:]
    found = find_differences(TRUE, make_codes(values))
    assert len(found) == 1
    assert found[0].startswith(f"{'.'.join(place)} is ")


def test_altered_code_is_named_with_its_address_and_what_to_do() -> None:
    codes = make_codes(make_values(TRUE))
    codes["Vault"] = flip(codes["Vault"], 5000)
    (line,) = find_differences(TRUE, codes)
    assert line.startswith(f"Vault at 0x{TRUE.addresses['Vault'].hex()} is not ours")
    assert "its code differs in 1 of " in line
    assert "from byte 5000 on" in line
    assert "use the release that it was deployed with" in line


def test_all_contracts_are_compared_and_all_differences_told() -> None:
    codes = {name: flip(code, 100) for name, code in make_codes(make_values(TRUE)).items()}
    lines = find_differences(TRUE, codes)
    assert sorted(line.split(" at ")[0] for line in lines) == sorted(CONTRACTS)


def test_identity_differs_between_rollups() -> None:
    others = [
        replace(DEPLOYMENT, chain_id=1),
        replace(DEPLOYMENT, image_root=b"\x12" * 32),
        replace(DEPLOYMENT, addresses={**DEPLOYMENT.addresses, "Inbox": b"\x99" * 20}),
    ]
    assert len({each.identity for each in (DEPLOYMENT, *others)}) == 4
