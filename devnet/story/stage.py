"""What all acts of the story share: the network, the running services, and what was seen so far."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from devnet.actors.market import Liquidation
from devnet.actors.trader import Trader
from devnet.history import RollupHistory
from devnet.network import Devnet
from devnet.services import Service
from devnet.story.narrator import Narrator
from devnet.wallet import Wallet
from optimist.l1.client import L1Client, require_header
from optimist.l1.types import to_hex

T = TypeVar("T")

PATIENCE = 90.0  # s that a service may take for what the story waits for
LOOK_INTERVAL = 0.2  # s


class StoryFailed(Exception):
    """Something that the story tells did not happen. The message says what, and where to look."""


@dataclass
class Seen:
    """What the story has seen happen, from API answers, receipts and the services' own logs."""

    kinds: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    liquidations: list[Liquidation] = field(default_factory=list)
    batch_transactions: dict[int, bytes] = field(default_factory=dict)
    withdrawals: list[dict[str, Any]] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)  # (fault, false node)


@dataclass
class Stage:
    """Where the acts play."""

    network: Devnet
    l1: L1Client
    narrator: Narrator
    services: dict[str, Service]
    traders: dict[str, Trader] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    published: int = 0  # publish time of the last price
    prices: tuple[int, ...] = ()  # the last ones, 1e-8 USD

    def wallet(self, name: str) -> Wallet:
        """The wallet of somebody of the cast."""
        actor = next(actor for actor in self.network.cast.everybody() if actor.name == name)
        return self.network.get_wallet(self.l1, actor)

    async def now(self) -> int:
        """The second of L1's latest block."""
        return require_header(await self.l1.get_header("latest"), "latest").timestamp

    async def read_history(self) -> RollupHistory:
        """Everything on L1, executed again."""
        return await self.network.read_history(self.l1)

    async def wait_for(self, what: str, look: Callable[[], Awaitable[T | None]]) -> T:
        """What `look` finds, once it finds something. Raises StoryFailed; ProcessFailed if a service dies."""
        deadline = time.monotonic() + PATIENCE
        while True:
            if (found := await look()) is not None:
                return found
            for service in self.services.values():
                service.process.check_alive()
            if time.monotonic() > deadline:
                raise StoryFailed(f"waited {PATIENCE:g} s for {what}")
            await asyncio.sleep(LOOK_INTERVAL)

    async def wait_for_event(self, service: str, name: str, **fields: object) -> dict[str, Any]:
        """The first event of a service's log with these fields."""

        async def look() -> dict[str, Any] | None:
            for event in self.services[service].events(name):
                if all(event.get(key) == value for key, value in fields.items()):
                    return event
            return None

        wanted = "".join(f" {key}={value}" for key, value in fields.items())
        return await self.wait_for(f"{name}{wanted} in the log of the {service}", look)

    def warp(self, seconds: int, why: str) -> None:
        """Let L1's time jump. Only where nobody honest has a clock running."""
        self.network.anvil.increase_time(seconds)
        self.narrator.say("time", f"{seconds} s pass: {why}", style="dim")

    def note_batch(self, batch: int, transaction: bytes | str) -> None:
        """Remember in which transaction a batch came to L1."""
        data = bytes.fromhex(transaction[2:]) if isinstance(transaction, str) else transaction
        self.seen.batch_transactions[batch] = data

    def explorer_hint(self) -> str:
        """Where the contracts are."""
        return ", ".join(
            f"{name} {to_hex(address)[:10]}…" for name, address in self.network.deployment.addresses.items()
        )
