"""rollup.toml: everything that is chosen about a rollup besides its preset, and whether the law accepts it.

token = "0x..."             what is deposited: an ERC-20 with 6 decimals
sequencer = "0x..."         who may post batches at any time
backstop_owner = "0x..."    owner of account 0, which takes over what is liquidated

[law]                       fields of `derive.actions.Init`, times in seconds
quorum = 5
signers = ["0x...", ...]
future_tolerance = 60
trade_heartbeat = 300
liquidation_heartbeat = 300
liquidation_buffer_ppm = 200000
silence = 604800
window = 86400

[[markets]]                 fields of `derive.actions.MarketParameters`, once a market
size_decimals = 8
...

BadRollupFile       what is wrong with it, and where
BadInit             the law refuses these parameters
"""

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Final, Self

from optimist.derive.actions import Init, MarketParameters, Tier
from optimist.derive.octets import EncodingError
from optimist.l1.types import from_hex
from optimist.provable import State
from optimist.stf.codes import Code
from optimist.stf.law import Apply

_TOP: Final = frozenset({"token", "sequencer", "backstop_owner", "law", "markets"})
_ENVELOPE: Final = frozenset({"chain_id", "vault", "second"})  # of INIT: L1 writes these itself
_ADDRESSES: Final = frozenset({"fee_manager", "governor"})


class BadRollupFile(Exception):
    """The file says something that makes no rollup."""


class BadInit(Exception):
    """The law refuses this INIT: the rollup would refuse everything after it."""


@dataclass(frozen=True, slots=True)
class RollupFile:
    """What the file says. Addresses have 20 bytes; `init` is without what L1 writes itself."""

    token: bytes
    sequencer: bytes
    backstop_owner: bytes
    init: Init

    @classmethod
    def load(cls, path: Path, chain_id: int) -> Self:
        """Read the file, for a rollup on the L1 with that chain id. Raises BadRollupFile."""
        if not path.is_file():
            raise BadRollupFile(f"there is no file {path}")
        try:
            return cls.parse(tomllib.loads(path.read_text()), chain_id)
        except (BadRollupFile, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadRollupFile(f"{path}: {error}") from None

    @classmethod
    def parse(cls, content: Mapping[str, Any], chain_id: int) -> Self:
        """From TOML. Raises BadRollupFile."""
        _check_names("the file", content, required=_TOP, known=_TOP)
        backstop_owner = _read_address("backstop_owner", content["backstop_owner"])
        law = _read_table("law", content["law"])
        _check_fields("law", law, Init, without=_ENVELOPE | {"backstop_owner", "markets"})
        values: dict[str, Any] = {
            name: _read_address(f"law.{name}", value) if name in _ADDRESSES else value
            for name, value in law.items()
        }
        values["signers"] = tuple(
            _read_address("law.signers", each) for each in _read_list("law.signers", law["signers"])
        )
        markets = _read_list("markets", content["markets"])
        init = Init(
            chain_id=chain_id,
            vault=bytes(20),
            second=0,
            backstop_owner=backstop_owner,
            markets=tuple(_read_market(number, each) for number, each in enumerate(markets)),
            **values,
        )
        try:
            init.encode()
        except (EncodingError, TypeError) as error:
            raise BadRollupFile(str(error)) from None
        return cls(
            token=_read_address("token", content["token"]),
            sequencer=_read_address("sequencer", content["sequencer"]),
            backstop_owner=backstop_owner,
            init=init,
        )


def check_init(law: Apply, init: Init) -> None:
    """Apply INIT to the empty state, before anything is deployed. Raises BadInit with the law's reason."""
    code = State().apply(law, init.encode()).code
    if code != 0:
        name = Code(code).name if code in set(Code) else str(code)
        raise BadInit(f"the law refuses these parameters: {name}; see optimist/stf/genesis.py")


def _read_market(number: int, value: Any) -> MarketParameters:
    where = f"markets[{number}]"
    table = _read_table(where, value)
    _check_fields(where, table, MarketParameters)
    values = dict(table)
    if "tiers" in values:
        values["tiers"] = tuple(
            _read_tier(f"{where}.tiers", each) for each in _read_list(f"{where}.tiers", values["tiers"])
        )
    return MarketParameters(**values)


def _read_tier(where: str, value: Any) -> Tier:
    table = _read_table(where, value)
    _check_fields(where, table, Tier)
    return Tier(**table)


def _check_fields(
    where: str, table: Mapping[str, Any], kind: type, without: frozenset[str] = frozenset()
) -> None:
    """Whether a table has the fields of a dataclass: all that have no default, none that it does not know."""
    named = [field for field in fields(kind) if field.name not in without]
    required = {each.name for each in named if each.default is MISSING}
    _check_names(where, table, required=required, known={each.name for each in named})
    for name, value in table.items():
        if isinstance(value, bool | float):
            raise BadRollupFile(f"{where}.{name} must be a whole number, not {value!r}")


def _check_names(
    where: str,
    table: Mapping[str, Any],
    *,
    required: set[str] | frozenset[str],
    known: set[str] | frozenset[str],
) -> None:
    if missing := sorted(required - table.keys()):
        raise BadRollupFile(f"{where}: {', '.join(missing)} is missing")
    if unknown := sorted(table.keys() - known):
        raise BadRollupFile(f"{where}: there is no {', '.join(unknown)}; known: {', '.join(sorted(known))}")


def _read_table(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRollupFile(f"{where} must be a table")
    return value


def _read_list(where: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise BadRollupFile(f"{where} must be a list")
    return value


def _read_address(where: str, value: Any) -> bytes:
    try:
        address = from_hex(value)
    except (ValueError, TypeError, AttributeError):
        address = b""
    if len(address) != 20:
        raise BadRollupFile(f"{where} must be an address: 0x and 40 hexadecimal digits")
    return address
