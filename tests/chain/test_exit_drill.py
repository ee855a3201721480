"""The operator is gone for good: everybody leaves with `optimist exit`, with exactly what the law owes."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from devnet.network import Devnet
from optimist.stf.inputs import KIND_CLOSE_MARKET
from optimist.stf.records import Withdrawal
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
    wait_until,
)

MOST_KILLS = 12
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
        venue.close()


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


def has_announced(leaver: Leaver) -> bool:
    """Whether all its markets are announced, and wait for their windows."""
    plan = leaver.read_plan()
    kinds = {step["step"] for step in plan["steps"]} if plan else set()
    return "close" in kinds and "announce" not in kinds


def check_that_nothing_was_forced_twice(venue: Venue) -> None:
    """But for closings, which are forced to be announced, and forced again to take place."""
    twice = {payload[0] for (_, payload), count in asyncio.run(venue.count_forced()).items() if count > 1}
    assert twice <= {KIND_CLOSE_MARKET}


@pytest.mark.long
@pytest.mark.timeout(900)
def test_operator_that_returns_in_the_middle_voids_the_closing_and_serves_who_leaves(
    start_devnet: Callable[..., Devnet], tmp_path: Path
) -> None:
    with open_venue(start_devnet, tmp_path) as venue:
        venue.kill_sequencer()
        mine_at_once(venue.network)
        leavers = [Leaver(venue, account) for account in (LONG, HEDGER)]
        lead(venue.network, leavers, lambda: all(has_announced(leaver) for leaver in leavers))

        venue.network.anvil.call("evm_setIntervalMining", 1)
        venue.start_sequencer()
        asyncio.run(venue.come_back())
        idle = Leaver(venue, IDLE)
        wait_until(lambda: idle.is_sealed)
        payments = asyncio.run(venue.read_ledger()).all_records(Withdrawal).values()
        assert [(each.account, each.amount) for each in payments] == [(IDLE, DEPOSIT)], "in a batch of hers"
        wait_until(lambda: not any(has_announced(leaver) for leaver in leavers))  # their closing is void

        venue.kill_sequencer()
        mine_at_once(venue.network)
        dues = {**compute_dues(asyncio.run(venue.read_ledger())), IDLE: Fraction(DEPOSIT)}
        lead(venue.network, [*leavers, idle], lambda: is_held(leavers))
        leavers += [idle, Leaver(venue, BACKSTOP), Leaver(venue, SHORT)]
        lead_out(venue.network, leavers)
        check_that_all_is_paid(venue, dues)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(2))
def test_everybody_leaves_though_their_programs_are_killed_all_the_time(
    start_devnet: Callable[..., Devnet], tmp_path: Path, seed: int
) -> None:
    """kill -9 of somebody's program every other second, four more accounts, everything else as above."""
    chance = random.Random(seed)
    kills = 0
    next_kill = time.monotonic() + 5

    def is_over() -> bool:
        nonlocal kills, next_kill
        alive = [leaver for leaver in leavers if not leaver.is_gone]
        if alive and time.monotonic() > next_kill and kills < MOST_KILLS:
            chance.choice(alive).restart()
            kills += 1
            next_kill = time.monotonic() + chance.uniform(2, 6)
        return is_held(leavers) if len(leavers) == 2 else not alive

    with open_venue(start_devnet, tmp_path, more=4) as venue:
        venue.kill_sequencer()
        mine_at_once(venue.network)
        dues = compute_dues(asyncio.run(venue.read_ledger()))
        leavers = [Leaver(venue, account) for account in (LONG, HEDGER)]
        lead(venue.network, leavers, is_over)
        leavers += [Leaver(venue, account) for account in venue.owners if account not in (LONG, HEDGER)]
        lead(venue.network, leavers, is_over)
        lead_out(venue.network, leavers)
        assert kills > 3, f"seed {seed}: it was over too soon to be a trial"
        check_that_all_is_paid(venue, dues)
        check_that_nothing_was_forced_twice(venue)
