"""Creates a rollup on an L1: a plan, computed without one, and its execution.

The contracts name each other in their constructors, so one deployer predicts all addresses from its nonce:
Step, Vault, Inbox, Rollup, Dispute, in this order (the Inbox reads the Vault, the Rollup the Inbox, the
Dispute the Rollup). Every parameter is an immutable; there is nothing to configure afterwards.

`code/*.hex` is their creation code; `python -m devnet.snapshots` writes it, a test compares.
"""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, Protocol

import rlp
from eth_abi.abi import encode as abi_encode
from eth_utils.abi import get_abi_input_types

from optimist.base.keccak import keccak
from optimist.base.presets import Preset
from optimist.l1.client import L1Client
from optimist.l1.types import Receipt
from optimist.vm.image import Image

ORDER: Final = ("Step", "Vault", "Inbox", "Rollup", "Dispute")

Create = Callable[[str, bytes], Awaitable[tuple[bytes, Receipt]]]  # name, data -> address, receipt


class Code(Protocol):
    """A compiled contract."""

    @property
    def name(self) -> str:
        """As in the source."""
        ...

    @property
    def abi(self) -> list[Any]:
        """The compiler's JSON."""
        ...

    @property
    def creation(self) -> bytes:
        """Without constructor arguments."""
        ...


@dataclass(frozen=True, slots=True)
class ShippedCode:
    """A contract as this package carries it."""

    name: str
    abi: list[Any]
    creation: bytes


def load_code() -> dict[str, ShippedCode]:
    """The five contracts, by name."""
    here = files("optimist.l1")
    return {
        name: ShippedCode(
            name=name,
            abi=json.loads((here / "abi" / f"{name}.json").read_text()),
            creation=bytes.fromhex((here / "code" / f"{name}.hex").read_text().strip()),
        )
        for name in ORDER
    }


@dataclass(frozen=True, slots=True)
class Creation:
    """One contract to be created: `data` is its creation code with the constructor's arguments."""

    name: str
    address: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Choices:
    """What whoever deploys a rollup decides, besides the preset. Addresses are 20 bytes."""

    token: bytes
    sequencer: bytes
    backstop_owner: bytes
    init_body: bytes  # `Init.encode_body()`


def compute_create_address(creator: bytes, nonce: int) -> bytes:
    """Address of the contract that `creator` creates with its transaction number `nonce`."""
    return keccak(bytes(rlp.encode([creator, nonce])))[12:]


def predict_addresses(deployer: bytes, nonce: int) -> dict[str, bytes]:
    """Where the contracts will be when `deployer` creates them in ORDER, the first one with `nonce`."""
    return {name: compute_create_address(deployer, nonce + number) for number, name in enumerate(ORDER)}


def make_plan(
    contracts: Mapping[str, Code],
    preset: Preset,
    image: Image,
    choices: Choices,
    addresses: Mapping[str, bytes],
) -> list[Creation]:
    """All creations in ORDER. `image` must be that of `preset`; Step derives its root from its parts."""
    arguments: dict[str, Sequence[Any]] = {
        "Step": (image.program_root, image.memory_root, image.entry),
        "Vault": (
            {
                "token": choices.token,
                "inbox": addresses["Inbox"],
                "rollup": addresses["Rollup"],
                "backstopOwner": choices.backstop_owner,
                "maxDeposit": preset.max_deposit,
                "maxTotal": preset.max_total,
            },
        ),
        "Inbox": (
            {
                "vault": addresses["Vault"],
                "sequencer": choices.sequencer,
                "maxBatch": preset.max_batch,
                "maxQueueItems": preset.max_queue_items,
                "forcedDeadline": preset.forced_deadline,
                "maxDelay": preset.max_delay,
                "drift": preset.drift,
                "initBody": choices.init_body,
            },
        ),
        "Rollup": (
            {
                "inbox": addresses["Inbox"],
                "dispute": addresses["Dispute"],
                "k": preset.k,
                "h1": preset.h1,
                "h2": preset.h2,
                "challengePeriod": preset.challenge_period,
                "grace": preset.grace,
                "minPeriod": preset.min_period,
                "bond": preset.bond,
            },
        ),
        "Dispute": (addresses["Rollup"], addresses["Step"], preset.gas_price_cap),
    }
    return [
        Creation(name, addresses[name], encode_creation(contracts[name], arguments[name])) for name in ORDER
    ]


def encode_creation(contract: Code, arguments: Sequence[Any] = ()) -> bytes:
    """Creation code and constructor arguments; a struct argument is a mapping by field name.

    Raises ValueError when the constructor has no such parameters: a contract changed and the plan did not.
    """
    constructors = [entry for entry in contract.abi if entry["type"] == "constructor"]
    if not constructors:
        if arguments:
            raise ValueError(f"{contract.name} has no constructor, but arguments were given")
        return contract.creation
    constructor = constructors[0]
    if len(constructor["inputs"]) != len(arguments):
        raise ValueError(
            f"{contract.name} takes {len(constructor['inputs'])} arguments, not {len(arguments)}"
        )
    values = [
        _order_fields(contract.name, parameter, argument)
        for parameter, argument in zip(constructor["inputs"], arguments, strict=True)
    ]
    return contract.creation + abi_encode(get_abi_input_types(constructor), values)


def _order_fields(contract: str, parameter: Mapping[str, Any], argument: Any) -> Any:
    if parameter["type"] != "tuple":
        return argument
    fields = [component["name"] for component in parameter["components"]]
    if set(fields) != set(argument):
        raise ValueError(
            f"{contract}.{parameter['name']} has the fields {sorted(fields)}, not {sorted(argument)}"
        )
    return tuple(argument[field] for field in fields)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What came of a plan: addresses by contract name, and the first block with an event of theirs."""

    addresses: dict[str, bytes]
    first_block: int
    receipts: dict[str, Receipt]

    @property
    def transactions(self) -> dict[str, bytes]:
        """Hash of each creation."""
        return {name: receipt.transaction for name, receipt in self.receipts.items()}


class AddressMismatch(Exception):
    """The deployer sent something else in between: nonces and addresses are not those planned."""


async def create_rollup(
    client: L1Client,
    deployer: bytes,
    create: Create,
    contracts: Mapping[str, Code],
    preset: Preset,
    image: Image,
    choices: Choices,
) -> Deployed:
    """Create the five contracts with the deployer's next five transactions.

    Raises AddressMismatch when the deployer's key is used by somebody else meanwhile: start again, nothing is
    lost but gas, for contracts that name a missing neighbour can do no harm. Raises Reverted when a
    constructor refuses.
    """
    nonce = await client.get_nonce(deployer)
    addresses = predict_addresses(deployer, nonce)
    receipts = {}
    for creation in make_plan(contracts, preset, image, choices, addresses):
        address, receipt = await create(creation.name, creation.data)
        if address != creation.address:
            raise AddressMismatch(
                f"{creation.name} is at 0x{address.hex()}, but its neighbours know it at "
                f"0x{creation.address.hex()}"
            )
        receipts[creation.name] = receipt
    return Deployed(addresses, receipts["Vault"].block.number, receipts)
