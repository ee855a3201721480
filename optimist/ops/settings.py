"""Settings that several programs share. A program's own class inherits or contains them."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from optimist.ops.config import Section, Settings

L1Tag = Literal["latest", "safe", "finalized"]


def split_list(value: object) -> object:
    """The parts of a text that is separated by commas, or of several such texts; anything else as it is."""
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        return value
    return tuple(part.strip() for text in texts for part in text.split(","))


class LogSettings(Section):
    """How a program speaks of itself, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe event to print."""
    format: Literal["console", "json"] = "console"
    """For people, or one JSON object a line."""


class OpsSettings(Section):
    """The door for operators: /livez, /readyz, /metrics, /admin."""

    host: str = "127.0.0.1"
    """Address to listen on; whoever can reach it learns how the business goes."""
    port: int = Field(default=8646, ge=0, le=65535)
    """Port to listen on; 0 picks a free one."""
    l1_silence: float = Field(default=60.0, gt=0)
    """Seconds without news of L1 after which the program is no longer ready."""


class L1Settings(Settings):
    """What every program that speaks to L1 needs."""

    l1_rpc: Annotated[tuple[str, ...], NoDecode]
    """URL of an Ethereum node (repeat, or separate by commas): L1 stands where most of them say."""
    l1_poll: float = Field(default=4.0, gt=0)
    """Seconds between two looks at L1."""
    l1_timeout: float = Field(default=10.0, gt=0)
    """Seconds after which one request to L1 is given up (and tried again)."""
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


class NodeSettings(L1Settings):
    """What every program that follows a rollup on L1 needs."""

    deployment: Path
    """deployment.json: chain, addresses, preset and image of the rollup to follow."""
    l1_tag: L1Tag = "safe"
    """Follow L1 up to this block."""
    datadir: Path | None = None
    """Directory of the derived state; without one it is kept in memory and derived anew at every start."""


class KeySettings(Section):
    """The key that signs this program's L1 transactions: of a remote signer, or from a keystore."""

    url: str | None = Field(default=None, pattern="^https?://")
    """Remote signer with the API of web3signer (eth1): https, or http on this machine."""
    address: str | None = Field(default=None, pattern="^0x[0-9a-fA-F]{40}$")
    """Address of the remote signer's key."""
    ca_file: Path | None = None
    """PEM file with the certificates to trust the remote signer by; default: the system's."""
    client_file: Path | None = None
    """PEM file with certificate and key with which we show the remote signer who we are."""
    file: Path | None = None
    """Keystore (Web3 Secret Storage, version 3)."""
    password_file: Path | None = None
    """File whose first line is the keystore's password."""
    secret: SecretStr | None = None
    """Raw private key in hexadecimal, for development only: accepted together with --dev."""

    @property
    def is_given(self) -> bool:
        """Whether there is a key at all."""
        return any(each is not None for each in (self.url, self.file, self.secret))

    def check(self, flag: str, *, dev: bool) -> None:
        """Whether this names exactly one key. `flag`: of this section. Raises ValueError."""
        secret = f"OPTIMIST_{flag.upper()}_SECRET"
        if self.secret is not None and not dev:
            raise ValueError(
                f"a raw private key ({secret}) is for development: add --dev, or use --{flag}.file"
            )
        if sum(each is not None for each in (self.url, self.file, self.secret)) != 1:
            raise ValueError(f"give exactly one key: --{flag}.url, --{flag}.file (or, with --dev, {secret})")
        if self.file is not None and self.password_file is None:
            raise ValueError(f"--{flag}.file needs --{flag}.password-file")
        if self.url is not None and self.address is None:
            raise ValueError(f"--{flag}.url needs --{flag}.address: which of the signer's keys is meant")


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
    min_balance_eth: float = Field(default=0.5, ge=0)
    """Ether of our key below which an alarm is raised."""
    runway_hours: float = Field(default=24.0, ge=0)
    """Hours for which it has to last, at the pace of the last ones; an alarm before that."""


class KeyedSettings(L1Settings):
    """What every program that sends transactions needs."""

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
        if self.needs_key:
            self.key.check("key", dev=self.dev)
        elif self.key.is_given:
            raise ValueError("this mode signs nothing: give it no key")
        return self


class SignerSettings(NodeSettings, KeyedSettings):
    """What every program that follows a rollup and sends transactions needs."""
