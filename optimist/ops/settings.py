"""Settings that several programs share. A program's own class inherits or contains them."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from optimist.ops.config import Section, Settings

L1Tag = Literal["latest", "safe", "finalized"]


def split_list(value: object) -> object:
    """The parts of a text that is separated by commas; anything else as it is."""
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


class LogSettings(Section):
    """How a program speaks of itself, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe event to print."""
    format: Literal["console", "json"] = "console"
    """For people, or one JSON object a line."""


class NodeSettings(Settings):
    """What every program that follows L1 needs."""

    l1_rpc: Annotated[tuple[str, ...], NoDecode]
    """URL of an Ethereum node (repeat, or separate by commas): the first that answers is used."""
    deployment: Path
    """deployment.json: chain, addresses, preset and image of the rollup to follow."""
    l1_tag: L1Tag = "safe"
    """Follow L1 up to this block."""
    l1_poll: float = Field(default=4.0, gt=0)
    """Seconds between two looks at L1."""
    l1_timeout: float = Field(default=10.0, gt=0)
    """Seconds after which one request to L1 is given up (and tried again)."""
    datadir: Path | None = None
    """Directory of the derived state; without one it is kept in memory and derived anew at every start."""
    log: LogSettings = LogSettings()

    @field_validator("l1_rpc", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_list(value)

    @field_validator("l1_rpc")
    @classmethod
    def _is_url(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or any(not url.startswith(("http://", "https://")) for url in value):
            raise ValueError("must be one or more http:// or https:// URLs")
        return value


class KeySettings(Section):
    """The key that signs this program's L1 transactions."""

    file: Path | None = None
    """Keystore (Web3 Secret Storage, version 3)."""
    password_file: Path | None = None
    """File whose first line is the keystore's password."""
    secret: SecretStr | None = None
    """Raw private key in hexadecimal, for development only: accepted together with --dev."""


class TransactionSettings(Section):
    """How L1 transactions are sent."""

    confirmations: int = Field(default=1, ge=1)
    """Blocks, its own included, after which a transaction counts as done."""
    resubmission_timeout: float = Field(default=48.0, gt=0)
    """Seconds after which a transaction that is not mined is sent again with a higher fee."""
    max_fee_gwei: float = Field(default=500.0, gt=0)
    """Never offer more than this per unit of gas; wait instead."""
    min_tip_gwei: float = Field(default=1.0, ge=0)
    """Never offer a smaller tip than this."""
    max_pending: int = Field(default=10, ge=1)
    """Transactions in flight at the same time."""


class SignerSettings(NodeSettings):
    """What every program that also sends transactions needs."""

    key: KeySettings = KeySettings()
    tx: TransactionSettings = TransactionSettings()
    dev: bool = False
    """Development only: allow a raw private key from the environment."""

    @property
    def needs_key(self) -> bool:
        """Whether the program signs anything, as it is set up now."""
        return True

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if not self.needs_key:
            if self.key.file is not None or self.key.secret is not None:
                raise ValueError("this mode signs nothing: give it no key")
            return self
        if self.key.secret is not None and not self.dev:
            raise ValueError(
                "a raw private key (OPTIMIST_KEY_SECRET) is for development: add --dev, or use --key.file"
            )
        if (self.key.file is None) == (self.key.secret is None):
            raise ValueError("give exactly one key: --key.file (or, with --dev, OPTIMIST_KEY_SECRET)")
        if self.key.file is not None and self.key.password_file is None:
            raise ValueError("--key.file needs --key.password-file")
        return self
