"""What L1 tells us, as typed values: bytes and integers inside, hexadecimal only at the wire."""

import re
from dataclasses import dataclass
from typing import Any, Final, Self

from optimist.base.keccak import keccak
from optimist.l1.errors import L1Inconsistent

Json = Any  # an answer of a node, not looked at yet

_NUMBER: Final = re.compile("0x[0-9a-fA-F]{1,64}")


def to_hex(data: bytes) -> str:
    """0x and lower-case digits."""
    return "0x" + data.hex()


def read_number(answer: Json) -> int:
    """A number of an answer. Raises L1Inconsistent when it is none, or longer than any that L1 knows."""
    if not isinstance(answer, str) or not _NUMBER.fullmatch(answer):
        raise L1Inconsistent(f"malformed number: {str(answer)[:60]!r}")
    return int(answer, 16)


def read_bytes(answer: Json) -> bytes:
    """Bytes of an answer. Raises L1Inconsistent when it is none."""
    try:
        return from_hex(answer)
    except (AttributeError, TypeError, ValueError) as error:
        raise L1Inconsistent(f"malformed bytes: {str(answer)[:60]!r}") from error


def from_hex(text: str) -> bytes:
    """Bytes of "0x...". Raises ValueError."""
    if not text.startswith("0x"):
        raise ValueError(f"{text!r} does not begin with 0x")
    return bytes.fromhex(text[2:])


@dataclass(frozen=True, slots=True, order=True)
class BlockRef:
    """A block: its number and hash."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """The part of a block header that we use. Timestamp in seconds, base fee in wei."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    base_fee: int
    logs_bloom: bytes

    @classmethod
    def from_json(cls, answer: Json) -> Self:
        """From eth_getBlockBy…. Raises L1Inconsistent when a field is missing or malformed."""
        try:
            return cls(
                number=read_number(answer["number"]),
                hash=_hash(answer["hash"]),
                parent_hash=_hash(answer["parentHash"]),
                timestamp=read_number(answer["timestamp"]),
                base_fee=read_number(answer.get("baseFeePerGas") or "0x0"),
                logs_bloom=from_hex(answer["logsBloom"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise L1Inconsistent(f"malformed block header: {error!r}") from error

    @property
    def ref(self) -> BlockRef:
        """Number and hash."""
        return BlockRef(self.number, self.hash)

    def may_hold_logs_of(self, address: bytes) -> bool:
        """False when the bloom filter rules out that `address` logged anything in this block."""
        digest = keccak(address)
        bloom = int.from_bytes(self.logs_bloom, "big")
        bits = (int.from_bytes(digest[i : i + 2], "big") & 0x7FF for i in (0, 2, 4))
        return all(bloom >> bit & 1 for bit in bits)


@dataclass(frozen=True, slots=True)
class Log:
    """One log entry. `index` counts the logs of its block."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes
    block: int
    block_hash: bytes
    transaction: bytes
    index: int

    @classmethod
    def from_json(cls, answer: Json) -> Self:
        """From eth_getLogs or a receipt. Raises L1Inconsistent when malformed, pending or removed."""
        if isinstance(answer, dict) and answer.get("removed"):
            raise L1Inconsistent("a log was removed by a reorg")
        try:
            return cls(
                address=from_hex(answer["address"]),
                topics=tuple(_hash(topic) for topic in answer["topics"]),
                data=from_hex(answer["data"]),
                block=read_number(answer["blockNumber"]),
                block_hash=_hash(answer["blockHash"]),
                transaction=_hash(answer["transactionHash"]),
                index=read_number(answer["logIndex"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise L1Inconsistent(f"malformed log: {error!r}") from error


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A transaction in a block. `to` is empty where it created a contract."""

    sender: bytes
    nonce: int
    to: bytes
    data: bytes

    @classmethod
    def from_json(cls, answer: Json) -> Self:
        """From eth_getTransactionByHash. Raises L1Inconsistent when malformed."""
        try:
            return cls(
                sender=from_hex(answer["from"]),
                nonce=read_number(answer["nonce"]),
                to=from_hex(answer["to"] or "0x"),
                data=from_hex(answer["input"]),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise L1Inconsistent(f"malformed transaction: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Receipt:
    """Outcome of a mined transaction. `gas_price` is what each unit of gas did cost, in wei."""

    transaction: bytes
    succeeded: bool
    block: BlockRef
    gas_used: int
    gas_price: int
    logs: tuple[Log, ...]

    @classmethod
    def from_json(cls, answer: Json) -> Self:
        """From eth_getTransactionReceipt. Raises L1Inconsistent when malformed."""
        try:
            return cls(
                transaction=_hash(answer["transactionHash"]),
                succeeded=read_number(answer["status"]) == 1,
                block=BlockRef(read_number(answer["blockNumber"]), _hash(answer["blockHash"])),
                gas_used=read_number(answer["gasUsed"]),
                gas_price=read_number(answer["effectiveGasPrice"]),
                logs=tuple(map(Log.from_json, answer["logs"])),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise L1Inconsistent(f"malformed receipt: {error!r}") from error


def _hash(text: str) -> bytes:
    value = from_hex(text)
    if len(value) != 32:
        raise ValueError(f"a hash has 32 bytes, not {len(value)}")
    return value
