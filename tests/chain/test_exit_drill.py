"""The operator is gone for good: everybody leaves with `optimist exit`, with exactly what the law owes."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from devnet.network import Devnet
from tests.support.departure import (
    BACKSTOP,
    DEPOSIT,
    HEDGER,
    IDLE,
    LONG,
    SHORT,
    Leaver,
    Venue,
    compute_dues,
    lead,
    lead_out,
)

DUST = 10  # 1e-6 USD: each who leaves may leave a rounded-up part of a unit behind


@contextmanager
def open_venue(start_devnet: Callable[..., Devnet], directory: Path, more: int = 0) -> Iterator[Venue]:
    """Trades, all of them on L1; the sequencer still runs."""
    network = start_devnet(block_time=1)
    venue = Venue(network, directory)
    venue.start_sequencer()
    try:

        async def play() -> None:
            async with network.connect() as client:
                await venue.trade(client, more)

        asyncio.run(play())
        yield venue
    finally:
        if venue.sequencer is not None:
            venue.sequencer.kill()


def mine_at_once(network: Devnet) -> None:
    """A block for every transaction, and time stands still in between: the test turns the clock."""
    network.anvil.call("evm_setIntervalMining", 0)
    network.anvil.call("evm_setAutomine", True)


def is_held(leavers: Sequence[Leaver]) -> bool:
    """Whether all markets are closed, and no money may leave before losses are settled."""
    plans = [leaver.read_plan() for leaver in leavers]
    return all(plan and plan["heldUntil"] and not plan["positions"] for plan in plans)


def check_that_all_is_paid(venue: Venue, dues: Mapping[int, Fraction]) -> None:
    """Everybody has what was due, the Vault is empty, every bond is back."""
    paid = {
        account: asyncio.run(venue.read_balance(owner.address)) for account, owner in venue.owners.items()
    }
    for account, due in dues.items():
        assert abs(paid[account] - due) < DUST, (account, paid[account], float(due))
    left = asyncio.run(venue.read_balance(venue.network.deployment.addresses["Vault"]))
    assert sum(paid.values()) + left == DEPOSIT * len(venue.owners)
    assert 0 <= left < DUST
    rollup = venue.network.deployment.addresses["Rollup"].hex()
    assert int(venue.network.anvil.call("eth_getBalance", f"0x{rollup}", "latest"), 16) == 0, "bonds"


@pytest.mark.timeout(400)
def test_everybody_leaves_when_the_sequencer_is_gone_for_good(
    start_devnet: Callable[..., Devnet], tmp_path: Path
) -> None:
    with open_venue(start_devnet, tmp_path) as venue:
        venue.kill_sequencer()
        mine_at_once(venue.network)
        dues = compute_dues(asyncio.run(venue.read_ledger()))
        assert dues[SHORT] == 0, "bankrupt at the last price"
        assert dues[IDLE] < DEPOSIT, "and so even who did nothing carries a part of it"
        assert dues[LONG] > DEPOSIT > dues[HEDGER]
        leavers = [Leaver(venue, account) for account in (LONG, HEDGER)]
        lead(venue.network, leavers, lambda: is_held(leavers))
        leavers += [Leaver(venue, account) for account in (BACKSTOP, SHORT, IDLE)]
        lead_out(venue.network, leavers)
        check_that_all_is_paid(venue, dues)
