"""deployment.json: which rollup a program is about, and the check that L1 holds exactly that one.

    {"version": 1, "chain_id": 1, "block": 123, "preset": "mainnet", "image_root": "0x...",
     "addresses": {"Vault": "0x...", "Inbox": ..., "Rollup": ..., "Dispute": ..., "Step": ..., "token": ...},
     "parameters": {"challenge_period": 604800, ...}}

`block` is the first one that can hold an event of the contracts. `parameters` are those of the preset table
by name; they may differ from the preset's own (a devnet with a shorter challenge period), never from L1's.

    DeploymentError         the file is not such a file: what is wrong with it
    DeploymentMismatch      L1, the file and the local image disagree: every difference, one a line
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from optimist.base.keccak import keccak
from optimist.base.presets import Preset, get_preset
from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.l1.client import L1Client, require_header
from optimist.l1.contracts import Contract, read_many
from optimist.l1.errors import L1Inconsistent, Reverted
from optimist.l1.types import from_hex, to_hex

VERSION: Final = 1
CONTRACTS: Final = ("Vault", "Inbox", "Rollup", "Dispute", "Step")
ADDRESSES: Final = (*CONTRACTS, "token")

# Where L1 keeps each parameter of the preset table, the slots excepted: they are part of the image.
PARAMETERS: Final = {
    "k": ("Rollup", "K"),
    "h1": ("Rollup", "H1"),
    "h2": ("Rollup", "H2"),
    "challenge_period": ("Rollup", "CHALLENGE_PERIOD"),
    "grace": ("Rollup", "GRACE"),
    "min_period": ("Rollup", "MIN_PERIOD"),
    "bond": ("Rollup", "BOND"),
    "gas_price_cap": ("Dispute", "GAS_PRICE_CAP"),
    "max_batch": ("Inbox", "MAX_BATCH"),
    "max_queue_items": ("Inbox", "MAX_QUEUE_ITEMS"),
    "forced_deadline": ("Inbox", "FORCED_DEADLINE"),
    "max_delay": ("Inbox", "MAX_DELAY"),
    "drift": ("Inbox", "DRIFT"),
    "max_deposit": ("Vault", "MAX_DEPOSIT"),
    "max_total": ("Vault", "MAX_TOTAL"),
}
# How the contracts know each other.
NEIGHBOURS: Final = (
    ("Vault", "INBOX", "Inbox"),
    ("Vault", "ROLLUP", "Rollup"),
    ("Vault", "TOKEN", "token"),
    ("Inbox", "VAULT", "Vault"),
    ("Rollup", "INBOX", "Inbox"),
    ("Rollup", "DISPUTE", "Dispute"),
    ("Dispute", "INBOX", "Inbox"),
    ("Dispute", "ROLLUP", "Rollup"),
    ("Dispute", "STEP", "Step"),
)


class DeploymentError(Exception):
    """The file is no deployment.json."""


class DeploymentMismatch(Exception):
    """L1 holds another rollup than the one that the file, or the local law, is about."""

    def __init__(self, differences: Sequence[str]) -> None:
        super().__init__("not the rollup of deployment.json:\n  " + "\n  ".join(differences))
        self.differences = list(differences)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    chain_id: int
    block: int
    preset: str
    image_root: str
    addresses: dict[str, str]
    parameters: dict[str, int]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One rollup on one L1. Addresses have 20 bytes; `preset` holds the parameters that were deployed."""

    chain_id: int
    block: int
    image_root: bytes
    addresses: dict[str, bytes]  # the five contracts and "token"
    preset: Preset

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read deployment.json. Raises DeploymentError."""
        if not path.is_file():
            raise DeploymentError(f"there is no file {path}; whoever deployed the rollup publishes it")
        try:
            return cls.decode(path.read_bytes())
        except DeploymentError as error:
            raise DeploymentError(f"{path}: {error}") from None

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """From JSON. Raises DeploymentError."""
        try:
            file = msgspec.json.decode(data, type=_File)
            addresses = {name: _parse(name, text, 20) for name, text in file.addresses.items()}
            image_root = _parse("image_root", file.image_root, 32)
            named = get_preset(file.preset)
        except (msgspec.DecodeError, ValueError) as error:
            raise DeploymentError(str(error)) from None
        if file.version != VERSION:
            raise DeploymentError(
                f"version {file.version} is not {VERSION}: use another release of this program"
            )
        _require_keys("addresses", addresses, ADDRESSES)
        _require_keys("parameters", file.parameters, PARAMETERS)
        parameters: dict[str, Any] = dict(file.parameters)
        return cls(file.chain_id, file.block, image_root, addresses, replace(named, **parameters))

    def encode(self) -> bytes:
        """As JSON, for people as well."""
        values = asdict(self.preset)
        file = _File(
            version=VERSION,
            chain_id=self.chain_id,
            block=self.block,
            preset=self.preset.name,
            image_root=to_hex(self.image_root),
            addresses={name: to_hex(self.addresses[name]) for name in ADDRESSES},
            parameters={name: values[name] for name in PARAMETERS},
        )
        return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"

    @property
    def identity(self) -> bytes:
        """32 bytes that differ between any two rollups: for what is kept on disk about this one."""
        addresses = b"".join(self.addresses[name] for name in CONTRACTS)
        return keccak(b"deployment" + self.chain_id.to_bytes(32, "big") + addresses + self.image_root)

    def get_contract(self, name: str) -> Contract:
        """Vault, Inbox, Rollup, Dispute or Step."""
        return Contract.named(name, self.addresses[name])


async def check_deployment(client: L1Client, deployment: Deployment, image_root: bytes) -> None:
    """Compare the file with L1, at one block, and with the image root of the local law.

    Raises DeploymentMismatch with every difference, or L1Error.
    """
    chain_id = await client.get_chain_id()
    if chain_id != deployment.chain_id:
        raise DeploymentMismatch([f"the chain is {chain_id}, not {deployment.chain_id}: check --l1-rpc"])
    head = require_header(await client.get_header("latest"), "latest")
    codes = [await client.get_code(deployment.addresses[name], head.hash) for name in CONTRACTS]
    missing = [
        f"{name}: no code at {to_hex(deployment.addresses[name])} in block {head.number}"
        for name, code in zip(CONTRACTS, codes, strict=True)
        if not code
    ]
    if missing:
        raise DeploymentMismatch(missing)
    expected = _expect(deployment)
    try:
        found = await read_many(
            client,
            head.hash,
            [(deployment.get_contract(name), function, ()) for name, function, _ in expected],
        )
    except (L1Inconsistent, Reverted) as error:
        raise DeploymentMismatch([f"these are not our contracts: {error}"]) from error
    differences = [
        f"{name}.{function} is {_show(value)} on L1, {_show(wanted)} in the file"
        for (name, function, wanted), value in zip(expected, found, strict=True)
        if value != wanted
    ]
    if image_root != deployment.image_root:
        differences.append(
            f"the law of this program has image root {to_hex(image_root)}, "
            f"that of the file is {to_hex(deployment.image_root)}: use the release that the rollup runs"
        )
    if differences:
        raise DeploymentMismatch(differences)


def _expect(deployment: Deployment) -> list[tuple[str, str, Any]]:
    """(contract, function, what it must return)."""
    values = asdict(deployment.preset)
    return [
        ("Step", "imageRoot", deployment.image_root),
        ("Rollup", "GENESIS", GENESIS_ASSERTION),
        *((name, function, deployment.addresses[other]) for name, function, other in NEIGHBOURS),
        *((name, function, values[parameter]) for parameter, (name, function) in PARAMETERS.items()),
    ]


def _parse(name: str, text: str, length: int) -> bytes:
    value = from_hex(text)
    if len(value) != length:
        raise ValueError(f"{name} has {len(value)} bytes instead of {length}")
    return value


def _require_keys(what: str, found: dict[str, Any], wanted: Sequence[str] | dict[str, Any]) -> None:
    if set(found) != set(wanted):
        missing, unknown = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
        raise DeploymentError(f"{what}: missing {missing}, unknown {unknown}")


def _show(value: object) -> str:
    return to_hex(value) if isinstance(value, bytes) else str(value)
