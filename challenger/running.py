"""`challenger run`: a node, a provider of the truth, a key, and the player that joins them."""

import asyncio
from contextlib import AsyncExitStack

import structlog

from challenger.gate import Gate
from challenger.observing import Inspector, observe_player, open_challenger_station, outlive
from challenger.player import Conduct, Player
from challenger.purse import Purse
from challenger.setbacks import Setbacks
from challenger.settings import RunSettings, get_parameters
from challenger.strategy.modes import MODES, Mode
from challenger.trace.law import LawProvider
from optimist.l1.client import require_header
from optimist.l1.keys import open_key
from optimist.l1.sources import Sources
from optimist.l1.types import to_hex
from optimist.node.opening import OpenNode, open_node
from optimist.ops.config import ConfigError
from optimist.ops.lifecycle import run_until_signal
from optimist.ops.sending import GWEI, make_policy, make_sender, open_outbox

log = structlog.get_logger(__name__)

ETHER = 10**18
LAG_SHARE = 8  # of the challenge period: what may pass at most until a bond may be put on a new batch


async def run(settings: RunSettings) -> list[str]:
    """Play for ever, or with `until_resolved` until nothing is left to do; then what a person has to look at.

    Moves act on L1's newest block, in every mode. Raises what `open_node` raises, KeyProblem, ConfigError or
    L1Error.
    """
    mode = get_mode(settings)
    async with AsyncExitStack() as stack:
        signer = await open_key(settings.key, stack)
        opened = await stack.enter_async_context(
            open_node(
                l1_rpc=settings.l1_rpc,
                deployment=settings.deployment,
                tag="latest",
                l1_timeout=settings.l1_timeout,
                datadir=settings.datadir,
            )
        )
        station = await stack.enter_async_context(
            open_challenger_station(settings.ops, opened, settings.datadir, is_unsafe=settings.dev)
        )
        parameters = get_parameters(opened.deployment.preset)
        outbox = open_outbox(settings.datadir, opened.deployment.chain_id, signer.address, stack)
        purse = Purse(
            opened.client,
            signer.address,
            parameters,
            needs_bond=mode.needs_bond,
            max_fee=int(settings.tx.max_fee_gwei * GWEI),
            budget=None if settings.gas_budget is None else int(settings.gas_budget * ETHER),
        )
        attempts = outbox.load()
        await purse.load([attempt.hash for attempt in attempts])
        setbacks = Setbacks(parameters.challenge_period)
        await setbacks.load(opened.client, attempts)
        sender = make_sender(opened, signer, outbox, make_policy(settings.tx, settings.l1_poll), stack)
        player = Player(
            opened.node,
            opened.client,
            {name: opened.deployment.get_contract(name) for name in ("Rollup", "Dispute")},
            LawProvider(parameters, opened.node.ledger, opened.law),
            parameters,
            sender,
            Conduct(
                mode=mode,
                owners=settings.owners,
                limit=settings.limit,
                latency=settings.latency,
                gate=await open_gate(settings, opened, stack) if mode.needs_bond else None,
                purse=purse,
                setbacks=setbacks,
            ),
        )
        stack.push_async_callback(player.close)
        log.info("challenger_ready", address=to_hex(signer.address), mode=mode.name, tag=settings.l1_tag)
        station.tell_ready()
        play = asyncio.create_task(player.play(settings.l1_poll, until_resolved=settings.until_resolved))
        stack.callback(play.cancel)
        inspector = Inspector(station, opened, "latest")
        observed = observe_player(station, player, sender, opened.client)
        await run_until_signal([_wait(play), station.run(), outlive(inspector.run()), outlive(observed)])
        if not play.done():
            return []  # a signal
        log.info("resolved", address=to_hex(signer.address), alarms=len(play.result()))
        return play.result()


async def _wait(play: asyncio.Task[list[str]]) -> None:
    await asyncio.shield(play)


def get_mode(settings: RunSettings) -> Mode:
    """The mode that is asked for, with the rules that are switched off taken out."""
    mode = MODES[settings.mode]
    return mode.without("withdraw an idle bond") if settings.keep_bond else mode


async def open_gate(settings: RunSettings, opened: OpenNode, stack: AsyncExitStack) -> Gate:
    """What is asked before a bond is put on anything. Raises ConfigError or L1Error."""
    preset = opened.deployment.preset
    least = settings.get_least_sources(preset)
    try:
        sources = Sources.open(settings.l1_rpc, least=least, timeout=settings.l1_timeout)
    except ValueError as error:
        raise ConfigError(
            f"{error}: give another --l1-rpc, or say with --min-sources how many are enough for a bond"
        ) from error
    await stack.enter_async_context(sources)
    latest, tagged = await opened.client.get_headers(["latest", settings.l1_tag])
    lag = require_header(latest, "latest").timestamp - require_header(tagged, settings.l1_tag).timestamp
    log.info("bond_policy", tag=settings.l1_tag, sources=least, preset=preset.name, lag_seconds=lag)
    if lag * LAG_SHARE > preset.challenge_period:
        log.warning(
            "bond_waits_long",
            lag_seconds=lag,
            challenge_period=preset.challenge_period,
            advice="a later --l1-tag: our clock runs while a claim waits for its data to become final",
        )
    return Gate(sources, opened.deployment.get_contract("Inbox"), settings.l1_tag)
