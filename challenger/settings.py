"""Settings of the challenger's commands."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from challenger.game.clock import SLOT
from challenger.game.types import Parameters
from optimist.base.presets import MINIMAL, Preset
from optimist.l1.types import from_hex
from optimist.ops.settings import (
    L1Tag,
    NodeSettings,
    OpsSettings,
    SignerSettings,
    TransactionSettings,
    split_list,
)

CAUTIOUS_SOURCES = 2  # endpoints that have to agree before a bond, where the money is not play money


class WatchSettings(NodeSettings):
    """The watcher needs an L1 and a deployment, nothing else."""


class WatcherOps(OpsSettings):
    """As of every program, but beside a sequencer on the same machine."""

    port: int = Field(default=8647, ge=0, le=65535)
    """Port to listen on; 0 picks a free one."""


class ChallengerOps(OpsSettings):
    """As of every program, but beside a sequencer and a watcher on the same machine."""

    port: int = Field(default=8648, ge=0, le=65535)
    """Port to listen on; 0 picks a free one."""


class WatcherSettings(WatchSettings):
    """The watcher that stays has a door for its operator."""

    ops: WatcherOps = WatcherOps()


class CostSettings(NodeSettings):
    """What to compute the costs of a dispute for."""

    gas_price_gwei: float | None = Field(default=None, gt=0)
    """Price per unit of gas; without it, L1's base fee and tip now."""
    max_fee_gwei: float = Field(default=500.0, gt=0)
    """What `run` offers at most per unit of gas (its --tx.max-fee-gwei): the reserve is for no more."""
    rivals: int | None = Field(default=None, ge=0)
    """False claims to be played; without it, those that live now."""
    address: str | None = Field(default=None, pattern="^0x[0-9a-fA-F]{40}$")
    """Whose balance, bond and credit to show; without it, the sums over everybody's."""


class ManyTransactions(TransactionSettings):
    """How L1 transactions are sent, where rivals come in any number."""

    max_pending: int = Field(default=160, ge=1)
    """Transactions in flight at the same time."""


class RunSettings(SignerSettings):
    """The challenger adds a key, which holds the bond."""

    mode: Literal["watch", "defend", "resolve", "propose"] = "defend"
    """watch only judges (no key); resolve needs no bond; defend answers lies; propose claims every range."""
    l1_tag: L1Tag = "safe"
    """Put a bond only on batches that L1 has at this block; moves in matches answer the latest."""
    min_sources: int | None = Field(default=None, ge=1)
    """L1 endpoints that must agree before a bond is put on anything; default: 2, on a devnet (minimal) 1."""
    max_acts_per_block: int = Field(default=128, ge=1)
    """Acts about rivals on their way at the same time; urgent acts and our claims come on top."""
    latency: int = Field(default=SLOT, ge=0)
    """Seconds from when an act is possible until it has landed; no new bond where a defence takes longer."""
    gas_budget: float | None = Field(default=None, gt=0)
    """Ether to spend on gas; then no new claims, no help for others. With --datadir restarts count as one."""
    keep_bond: bool = False
    """Leave the bond down when nothing false lives and nothing stands on it; else it is taken back."""
    operate_for: Annotated[tuple[str, ...], NoDecode] = ()
    """Address whose claims we play as their operator (repeat, or separate by commas): anybody can name us."""
    until_resolved: bool = False
    """End when nothing false lives and all that we stood up for is confirmed and paid; else play for ever."""
    ops: ChallengerOps = ChallengerOps()
    tx: ManyTransactions = ManyTransactions()  # type: ignore[mutable-override]  # settings are frozen

    @field_validator("operate_for", mode="before")
    @classmethod
    def _split_owners(cls, value: object) -> object:
        return split_list(value)

    @field_validator("operate_for")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(re.fullmatch("0x[0-9a-fA-F]{40}", each) is None for each in value):
            raise ValueError("must be addresses: 0x and 40 hexadecimal digits")
        return value

    @property
    def needs_key(self) -> bool:
        """See `SignerSettings`."""
        return self.mode != "watch"

    @property
    def owners(self) -> frozenset[bytes]:
        """For whom we have agreed to be operator."""
        return frozenset(map(from_hex, self.operate_for))

    @property
    def limit(self) -> int:
        """Acts about rivals on their way at once; a fifth of all places is left to what is urgent."""
        return min(self.max_acts_per_block, max(1, self.tx.max_pending * 4 // 5))

    def get_least_sources(self, preset: Preset) -> int:
        """How many L1 endpoints have to agree before a bond is put on anything."""
        if self.min_sources is not None:
            return self.min_sources
        return 1 if preset.name == MINIMAL.name else CAUTIOUS_SOURCES


def get_parameters(preset: Preset) -> Parameters:
    """The game's parameters of a deployment."""
    return Parameters(
        arity=preset.k,
        input_height=preset.h1,
        step_height=preset.h2,
        challenge_period=preset.challenge_period,
        grace=preset.grace,
        min_period=preset.min_period,
        bond=preset.bond,
        gas_price_cap=preset.gas_price_cap,
    )
