"""deployment.json: which rollup a program is about, and the check that L1 holds exactly that one.

    {"version": 2, "chain_id": 1, "block": 123, "preset": "mainnet", "image_root": "0x...",
     "addresses": {"Vault": "0x...", "Inbox": ..., "Rollup": ..., "Dispute": ..., "Step": ..., "token": ...},
     "transactions": {"Vault": "0x...", ...},
     "parameters": {"challenge_period": 604800, ...}}

`block` is the first one that can hold an event of the contracts. `transactions` created them (`provenance`).
`parameters` are those of the preset table by name; they may differ from the preset's own (a devnet with a
shorter challenge period), never from L1's.

    DeploymentError         the file is not such a file: what is wrong with it
    DeploymentMismatch      L1, the file and the local image disagree: every difference, one a line
    └── DeploymentUnseen    this endpoint does not have what would show it: another one may

Endpoints that must not be believed one for all: see `verification`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from optimist.base.keccak import keccak
from optimist.base.presets import Preset, get_preset
from optimist.derive.commitments import GENESIS_ASSERTION
from optimist.l1.bytecode import WORD, CodeDiffers, load_runtimes
from optimist.l1.client import L1Client, require_header
from optimist.l1.contracts import Contract
from optimist.l1.types import from_hex, to_hex
from optimist.vm.image import compute_image_root
from optimist.vm.isa import PROGRAM_WORDS

VERSION: Final = 2
CONTRACTS: Final = ("Vault", "Inbox", "Rollup", "Dispute", "Step")
ADDRESSES: Final = (*CONTRACTS, "token")

# The immutables that hold each parameter of the preset table, the slots excepted: they are part of the image.
PARAMETERS: Final = {
    "k": (("Rollup", "K"), ("Dispute", "K")),
    "h1": (("Rollup", "H1"), ("Dispute", "H1")),
    "h2": (("Rollup", "H2"), ("Dispute", "H2")),
    "challenge_period": (("Rollup", "CHALLENGE_PERIOD"),),
    "grace": (("Rollup", "GRACE"),),
    "min_period": (("Rollup", "MIN_PERIOD"),),
    "bond": (("Rollup", "BOND"),),
    "gas_price_cap": (("Dispute", "GAS_PRICE_CAP"),),
    "max_batch": (("Inbox", "MAX_BATCH"),),
    "max_queue_items": (("Inbox", "MAX_QUEUE_ITEMS"),),
    "forced_deadline": (("Inbox", "FORCED_DEADLINE"),),
    "max_delay": (("Inbox", "MAX_DELAY"),),
    "drift": (("Inbox", "DRIFT"),),
    "max_deposit": (("Vault", "MAX_DEPOSIT"),),
    "max_total": (("Vault", "MAX_TOTAL"),),
}
SHAPE: Final = ("k", "h1", "h2")
SHAPE_LIMIT: Final = 256  # a byte each
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
CATCH_UP: Final = 64  # blocks after `block` within which an endpoint that is behind may miss a contract
ADVICE: Final = "use the release that it was deployed with; where nobody names one, keep your money out of it"


class DeploymentError(Exception):
    """The file is no deployment.json."""


class DeploymentMismatch(Exception):
    """L1 holds another rollup than the one that the file, or the local law, is about."""

    def __init__(self, differences: Sequence[str]) -> None:
        super().__init__("not the rollup of deployment.json:\n  " + "\n  ".join(differences))
        self.differences = list(differences)


class DeploymentUnseen(DeploymentMismatch):
    """What would show the rollup is not there, and nothing that contradicts it."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    chain_id: int
    block: int
    preset: str
    image_root: str
    addresses: dict[str, str]
    parameters: dict[str, int]
    transactions: dict[str, str] = {}  # version 1 had none


@dataclass(frozen=True, slots=True)
class Deployment:
    """One rollup on one L1. Addresses have 20 bytes; `preset` holds the parameters that were deployed."""

    chain_id: int
    block: int
    image_root: bytes
    addresses: dict[str, bytes]  # the five contracts and "token"
    preset: Preset
    transactions: dict[str, bytes]  # hash of the creation of each contract; of none while nothing was sent

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
            transactions = {name: _parse(name, text, 32) for name, text in file.transactions.items()}
            image_root = _parse("image_root", file.image_root, 32)
            named = get_preset(file.preset)
        except (msgspec.DecodeError, ValueError) as error:
            raise DeploymentError(str(error)) from None
        if file.version != VERSION:
            raise DeploymentError(
                f"version {file.version} is not {VERSION}: use another release of this program"
            )
        _require_keys("addresses", addresses, ADDRESSES)
        _require_keys("transactions", transactions, CONTRACTS)
        _require_keys("parameters", file.parameters, PARAMETERS)
        parameters: dict[str, Any] = dict(file.parameters)
        if any(not 0 < parameters[name] < SHAPE_LIMIT for name in SHAPE):
            raise DeploymentError(f"parameters: k, h1 and h2 are whole numbers from 1 to {SHAPE_LIMIT - 1}")
        preset = replace(named, **parameters)
        return cls(file.chain_id, file.block, image_root, addresses, preset, transactions)

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
            transactions={name: to_hex(self.transactions[name]) for name in CONTRACTS},
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
    """Compare the file with the code that L1 has, at one block, and with the image root of the local law.

    Every byte is compared: the code with that of this package, and the immutables in it, which are all that
    can differ between two rollups, with the file. No getter is asked: what it would say stands in the code.
    Raises DeploymentMismatch with every difference, DeploymentUnseen when the endpoint may not have come to
    the contracts yet, or L1Error.
    """
    chain_id = await client.get_chain_id()
    if chain_id != deployment.chain_id:
        raise DeploymentMismatch([f"the chain is {chain_id}, not {deployment.chain_id}: check --l1-rpc"])
    head = require_header(await client.get_header("latest"), "latest")
    found = await client.get_codes([deployment.addresses[name] for name in CONTRACTS], head.hash)
    codes = dict(zip(CONTRACTS, found, strict=True))
    missing = [
        f"{name}: no code at {to_hex(deployment.addresses[name])} in block {head.number}"
        for name, code in codes.items()
        if not code
    ]
    if missing:
        is_behind = head.number < deployment.block + CATCH_UP
        raise (DeploymentUnseen if is_behind else DeploymentMismatch)(missing)
    differences = find_differences(deployment, codes)
    if image_root != deployment.image_root:
        differences.append(
            f"the law of this program has image root {to_hex(image_root)}, "
            f"that of the file is {to_hex(deployment.image_root)}: use the release that the rollup runs"
        )
    if differences:
        raise DeploymentMismatch(differences)


def find_differences(deployment: Deployment, codes: Mapping[str, bytes]) -> list[str]:
    """What of the five contracts' code on L1 is neither this package's nor as the file says, one a line."""
    lines, immutables = [], {}
    for name, runtime in load_runtimes().items():
        try:
            immutables[name] = runtime.read_immutables(codes[name])
        except CodeDiffers as error:
            lines.append(f"{name} at {to_hex(deployment.addresses[name])} is not ours: {error}; {ADVICE}")
    lines += [
        f"{name}.{immutable} is {_show(value)} on L1, {_show(wanted)} in the file"
        for (name, immutable), wanted in _expect(deployment).items()
        if name in immutables and (value := _decode(immutables[name][immutable], wanted)) != wanted
    ]
    return lines + _find_differences_of_law(deployment, immutables.get("Step"))


def _find_differences_of_law(deployment: Deployment, step: Mapping[str, bytes] | None) -> list[str]:
    if step is None:
        return []
    entry = int.from_bytes(step["_ENTRY"], "big")
    if entry >= PROGRAM_WORDS:
        return [f"Step._ENTRY is {entry}, which is outside of any program"]
    root = compute_image_root(step["_PROGRAM_ROOT"], step["_MEMORY_ROOT"], entry)
    if root != deployment.image_root:
        return [f"Step.imageRoot is {to_hex(root)} on L1, {to_hex(deployment.image_root)} in the file"]
    return []


def _expect(deployment: Deployment) -> dict[tuple[str, str], int | bytes]:
    """(contract, immutable) -> its value. Of Step see above; Inbox.SEQUENCER is nobody's to expect."""
    values = asdict(deployment.preset)
    return {
        ("Rollup", "GENESIS"): GENESIS_ASSERTION,
        ("Rollup", "MAX_INPUTS"): deployment.preset.k**deployment.preset.h1,
        **{(name, immutable): deployment.addresses[other] for name, immutable, other in NEIGHBOURS},
        **{place: values[parameter] for parameter, places in PARAMETERS.items() for place in places},
    }


def _decode(word: bytes, like: int | bytes) -> int | bytes:
    """A word of code as a number, an address or 32 bytes; an address with something before it stays whole."""
    if isinstance(like, int):
        return int.from_bytes(word, "big")
    padding = WORD - len(like)
    return word if any(word[:padding]) else word[padding:]


def _parse(name: str, text: str, length: int) -> bytes:
    value = from_hex(text)
    if len(value) != length:
        raise ValueError(f"{name} has {len(value)} bytes instead of {length}")
    return value


def _require_keys(what: str, found: Mapping[str, Any], wanted: Sequence[str] | Mapping[str, Any]) -> None:
    if set(found) != set(wanted):
        missing, unknown = sorted(set(wanted) - set(found)), sorted(set(found) - set(wanted))
        raise DeploymentError(f"{what}: missing {missing}, unknown {unknown}")


def _show(value: object) -> str:
    return to_hex(value) if isinstance(value, bytes) else str(value)
