"""The ABI of our contracts: calls, results, logs and reverts as typed Python values.

Values inside are integers, bools and bytes (an address has 20 bytes); a struct is a mapping of field names on
the way out, and a mapping, a dataclass or a sequence on the way in. Names are the contract's own in Python's
spelling: `queueFrom` is `queue_from`, and `from`, which Python reserves, is `from_`.
"""

import dataclasses
import json
import keyword
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Self

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from optimist.base.keccak import keccak
from optimist.l1.errors import L1Inconsistent, Reverted
from optimist.l1.types import Log

Value = Any  # int, bool, bytes, str, list or dict, as the ABI type says

CONTRACTS: Final = ("Vault", "Inbox", "Rollup", "Dispute", "Step", "IERC20")
PANIC: Final = keccak(b"Panic(uint256)")[:4]
ERROR: Final = keccak(b"Error(string)")[:4]


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument, a result or a field. `type` is canonical: structs are written as tuples."""

    name: str
    type: str
    components: tuple["Parameter", ...] = ()
    indexed: bool = False

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """From an ABI entry."""
        components = tuple(map(Parameter.from_json, entry.get("components", ())))
        kind = entry["type"]
        if kind.startswith("tuple"):
            kind = f"({','.join(part.type for part in components)}){kind.removeprefix('tuple')}"
        return cls(to_snake_case(entry["name"]), kind, components, entry.get("indexed", False))


@dataclass(frozen=True, slots=True)
class Entry:
    """A function, an event or an error. `selector` has 4 bytes, an event's topic 32."""

    name: str
    inputs: tuple[Parameter, ...]
    outputs: tuple[Parameter, ...]
    selector: bytes

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Self:
        """From an ABI entry."""
        inputs = tuple(map(Parameter.from_json, entry["inputs"]))
        outputs = tuple(map(Parameter.from_json, entry.get("outputs", ())))
        digest = keccak(f"{entry['name']}({','.join(part.type for part in inputs)})".encode())
        return cls(entry["name"], inputs, outputs, digest if entry["type"] == "event" else digest[:4])


class Abi:
    """The interface of one contract. No function of ours is overloaded."""

    def __init__(self, name: str, entries: Iterable[Mapping[str, Any]]) -> None:
        self.name = name
        by_kind: dict[str, list[Entry]] = {"function": [], "event": [], "error": []}
        for entry in entries:
            if entry["type"] in by_kind:
                by_kind[entry["type"]].append(Entry.from_json(entry))
        self.functions = {entry.name: entry for entry in by_kind["function"]}
        self.selectors = {entry.selector: entry for entry in by_kind["function"]}
        self.events = {entry.selector: entry for entry in by_kind["event"]}
        self.errors = {entry.selector: entry for entry in by_kind["error"]}

    def encode_call(self, function: str, *arguments: Value) -> bytes:
        """Calldata. Raises KeyError on an unknown function, eth_abi's EncodingError on a bad value."""
        entry = self.functions[function]
        if len(arguments) != len(entry.inputs):
            raise TypeError(f"{function} takes {len(entry.inputs)} arguments, not {len(arguments)}")
        values = [_to_abi(part, value) for part, value in zip(entry.inputs, arguments, strict=True)]
        return entry.selector + encode([part.type for part in entry.inputs], values)

    def decode_call(self, data: bytes) -> tuple[str, dict[str, Value]] | None:
        """(function, arguments) of calldata; None when the contract has no such function.

        Raises L1Inconsistent when the arguments are not the function's.
        """
        entry = self.selectors.get(data[:4])
        if entry is None:
            return None
        names = [part.name for part in entry.inputs]
        return entry.name, dict(zip(names, _decode(entry.inputs, data[4:]), strict=True))

    def decode_result(self, function: str, data: bytes) -> Value:
        """What a call returned: one value, or a list when there are several. Raises L1Inconsistent."""
        values = _decode(self.functions[function].outputs, data)
        return values[0] if len(values) == 1 else values

    def decode_event(self, log: Log) -> tuple[str, dict[str, Value]] | None:
        """(name, arguments) of a log; None when the contract has no such event. Raises L1Inconsistent."""
        entry = self.events.get(log.topics[0]) if log.topics else None
        if entry is None:
            return None
        indexed = [part for part in entry.inputs if part.indexed]
        plain = [part for part in entry.inputs if not part.indexed]
        if len(log.topics) != 1 + len(indexed):
            raise L1Inconsistent(f"event {entry.name} has {len(log.topics) - 1} topics, not {len(indexed)}")
        values = dict(zip([part.name for part in plain], _decode(plain, log.data), strict=True))
        for part, topic in zip(indexed, log.topics[1:], strict=True):
            values[part.name] = _decode([part], topic)[0]
        return entry.name, values

    def encode_event_data(self, topic: bytes, event: Value) -> bytes:
        """Data of a log, from an object with an attribute for each argument. Indexed ones are no part of it.

        The inverse of what `decode_event` does with it. Raises KeyError on an unknown event.
        """
        plain = [part for part in self.events[topic].inputs if not part.indexed]
        values = [_to_abi(part, getattr(event, part.name)) for part in plain]
        return encode([part.type for part in plain], values)


@cache
def load_abi(contract: str) -> Abi:
    """The snapshot of a contract's ABI, from `optimist/l1/abi/`."""
    text = (files("optimist.l1") / "abi" / f"{contract}.json").read_text()
    return Abi(contract, json.loads(text))


@cache
def load_errors() -> dict[bytes, Entry]:
    """Every custom error of every contract, by selector: a revert may come from any contract of a call."""
    return {selector: entry for name in CONTRACTS for selector, entry in load_abi(name).errors.items()}


def decode_revert(data: bytes | None) -> Reverted:
    """Why a contract refused. Total: what nobody knows is `Unknown`."""
    selector, rest = (data or b"")[:4], (data or b"")[4:]
    try:
        if selector == ERROR:
            return Reverted("Error", {"message": decode(["string"], rest)[0]}, data or b"")
        if selector == PANIC:
            return Reverted("Panic", {"code": decode(["uint256"], rest)[0]}, data or b"")
        entry = load_errors().get(selector)
        if entry is not None:
            values = _decode(entry.inputs, rest)
            names = [part.name for part in entry.inputs]
            return Reverted(entry.name, dict(zip(names, values, strict=True)), data or b"")
    except (DecodingError, L1Inconsistent, UnicodeDecodeError):
        return Reverted("Unknown", {"data": data}, data or b"")
    return Reverted("Unknown", {"data": data or b""}, data or b"")


def to_snake_case(name: str) -> str:
    """Python's spelling of a Solidity name; constants keep theirs."""
    plain = name.strip("_")
    snake = plain if plain.isupper() else re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", plain).lower()
    return f"{snake}_" if keyword.iskeyword(snake) else snake


def _decode(parameters: Sequence[Parameter], data: bytes) -> list[Value]:
    try:
        values = decode([part.type for part in parameters], data)
    except DecodingError as error:
        names = ", ".join(part.name or part.type for part in parameters)
        raise L1Inconsistent(f"{len(data)} bytes are not ({names}): {error}") from error
    return [_from_abi(part, value) for part, value in zip(parameters, values, strict=True)]


def _from_abi(part: Parameter, value: Value) -> Value:
    if part.type.endswith("]"):
        element = _element(part)
        return [_from_abi(element, item) for item in value]
    if part.components:
        return {
            field.name: _from_abi(field, item) for field, item in zip(part.components, value, strict=True)
        }
    return bytes.fromhex(value[2:]) if part.type == "address" else value


def _to_abi(part: Parameter, value: Value) -> Value:
    if part.type.endswith("]"):
        element = _element(part)
        return [_to_abi(element, item) for item in value]
    if part.components:
        if dataclasses.is_dataclass(value):
            value = [getattr(value, field.name) for field in part.components]
        elif isinstance(value, Mapping):
            value = [value[field.name] for field in part.components]
        return tuple(_to_abi(field, item) for field, item in zip(part.components, value, strict=True))
    return value


def _element(part: Parameter) -> Parameter:
    return Parameter(part.name, part.type[: part.type.rindex("[")], part.components)
