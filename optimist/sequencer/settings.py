"""Settings of `optimist sequencer`."""

from typing import Self

from pydantic import Field, model_validator

from optimist.api.limits import Limits
from optimist.ops.config import Section
from optimist.ops.settings import KeySettings, OpsSettings, SignerSettings


class ApiSettings(Section):
    """The door for traders."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=8645, ge=0, le=65535)
    """Port to listen on; 0 picks a free one."""
    rate: float = Field(default=1_000.0, gt=0)
    """Actions a second from one address; reads count too, the dear ones several times."""
    burst: float = Field(default=2_000.0, ge=64)
    """Actions that an address which was silent may send at once."""
    connections: int = Field(default=1_000, ge=1)
    """Open connections in all."""
    connections_per_address: int = Field(default=100, ge=1)
    """Open connections of one address."""
    proxied: bool = False
    """Behind a reverse proxy: the client's address is the last one in X-Forwarded-For."""

    @property
    def limits(self) -> Limits:
        """What the API serves."""
        return Limits(
            rate=self.rate,
            burst=self.burst,
            connections=self.connections,
            connections_per_address=self.connections_per_address,
            is_proxied=self.proxied,
        )


class BatchSettings(Section):
    """When a batch is closed."""

    age: float = Field(default=10.0, gt=0)
    """Seconds after which an open batch is closed."""
    longest_age: float = Field(default=600.0, gt=0)
    """Seconds after which it is closed even while L1 is dear."""
    heartbeat: float = Field(default=21_600.0, gt=0)
    """Seconds without a batch after which an empty one is posted, so that L1 shows that somebody is there."""
    cheap_gwei: float = Field(default=0.0, ge=0)
    """Base fee up to which L1 is not dear: above it batches wait for --batch.longest-age. 0: it never is."""
    backlog_bytes: int = Field(default=8 << 20, ge=1_024, le=12 << 20)
    """Bytes of inputs that may wait for L1; then no more are taken until it has some of them."""
    bytes: int = Field(default=100_000, ge=1_024, le=120_000)
    """Calldata after which it is closed before that."""
    stopped: bool = False
    """Start without posting batches: `POST /admin/batcher/start` starts it."""
    queue_depth: int = Field(default=0, ge=0)
    """Blocks that must stand on a deposit, on top of --l1-tag, before it is sequenced."""


class JournalSettings(Section):
    """What the sequencer has promised, on disk."""

    segment_bytes: int = Field(default=1 << 24, ge=1_024)
    """Bytes of a file after which a snapshot begins the next one: a start reads little more than that."""


class ProposerSettings(KeySettings):
    """State roots with a bond, by a key of their own. Off unless a key is given."""

    operator: str | None = Field(default=None, pattern=r"^0x[0-9a-fA-F]{40}$")
    """Address that may play disputes for our claims: that of a `challenger run --operate-for` us."""
    stopped: bool = False
    """Start without proposing: `POST /admin/proposer/start` starts it."""
    poll: float = Field(default=12.0, gt=0)
    """Seconds between two looks at what is due."""


class SequencerSettings(SignerSettings):
    """`key` signs batches and soft confirmations: the Inbox knows its address."""

    api: ApiSettings = ApiSettings()
    batch: BatchSettings = BatchSettings()
    journal: JournalSettings = JournalSettings()
    accept_lost_journal: bool = False
    """Begin a new journal at L1's last batch where this one does not know it. What was promised is lost."""
    proposer: ProposerSettings = ProposerSettings()
    ops: OpsSettings = OpsSettings()
    history_days: int = Field(default=30, ge=0)
    """Days for which receipts are kept in --datadir, so that accounts can be told their history."""

    @model_validator(mode="after")
    def _has_datadir(self) -> Self:
        if self.datadir is None:
            raise ValueError("a sequencer needs --datadir: its journal is what it has promised")
        if self.proposer.is_given:
            self.proposer.check("proposer", dev=self.dev)
        return self
