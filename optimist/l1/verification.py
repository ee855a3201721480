"""The checks of a deployment at every endpoint: the one that answers first may be the one that lies.

`L1Client` takes whichever endpoint answers. Before a program believes in a rollup, each one is asked by
itself, all at once:

    it shows the rollup of the file               good
    it shows another one                          DeploymentMismatch, whatever the others show
    it answers nothing, or does not have          skipped with a warning, as long as another one shows
    what would show it                            the rollup
    nobody answers, in several rounds             L1Unavailable
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog

from optimist.l1.client import L1Client
from optimist.l1.deployment import (
    ADVICE,
    Deployment,
    DeploymentMismatch,
    DeploymentUnseen,
    check_deployment,
)
from optimist.l1.errors import L1Error, L1Unavailable
from optimist.l1.provenance import check_provenance
from optimist.l1.sources import ATTEMPTS, Source, open_sources

log = structlog.get_logger(__name__)

PAUSES: Final = (0.0, 1.0, 3.0)  # seconds before each round; another one while nobody has told
GRACE: Final = 5.0  # seconds that the others have once somebody has told

Check = Callable[[L1Client], Awaitable[None]]
Outcome = DeploymentMismatch | L1Error | None  # None: the endpoint shows the rollup


async def verify_deployment(
    urls: Sequence[str], deployment: Deployment, image_root: bytes, *, l1_timeout: float
) -> None:
    """`check_deployment` at each different URL. Raises DeploymentMismatch or L1Unavailable.

    l1_timeout: seconds for one attempt.
    """
    await _verify(urls, lambda client: check_deployment(client, deployment, image_root), l1_timeout)


async def verify_provenance(urls: Sequence[str], deployment: Deployment, *, l1_timeout: float) -> None:
    """`check_provenance` at each different URL. Raises DeploymentMismatch or L1Unavailable.

    l1_timeout: seconds for one attempt.
    """
    await _verify(urls, lambda client: check_provenance(client, deployment), l1_timeout)


async def _verify(urls: Sequence[str], check: Check, l1_timeout: float) -> None:
    async with AsyncExitStack() as stack:
        sources = open_sources(urls, timeout=l1_timeout, attempts=ATTEMPTS)
        for source in sources:
            stack.push_async_callback(source.client.close)
        await check_each(sources, check)


async def check_each(
    sources: Sequence[Source], check: Check, *, pauses: Sequence[float] = PAUSES, grace: float = GRACE
) -> None:
    """Run a check, which raises DeploymentMismatch or L1Error, with the client of each source.

    Raises DeploymentMismatch, with the source in each line, or L1Unavailable.
    """
    outcomes: list[tuple[Source, Outcome]] = []
    for pause in pauses:
        await asyncio.sleep(pause)
        outcomes = await _ask_all(sources, check, grace)
        is_told = any(_is_telling(each) for _, each in outcomes)
        if is_told or not any(isinstance(each, L1Error) for _, each in outcomes):
            break
    _judge(outcomes)


async def _ask_all(sources: Sequence[Source], check: Check, grace: float) -> list[tuple[Source, Outcome]]:
    """What each says; those that answer long after the first one count as silent."""

    async def try_one(source: Source) -> Outcome:
        try:
            await check(source.client)
        except (DeploymentMismatch, L1Error) as error:
            return error
        return None

    tasks = [asyncio.create_task(try_one(source)) for source in sources]
    try:
        for first in asyncio.as_completed(tasks):
            if _is_telling(await first):
                break
        _, late = await asyncio.wait(tasks, timeout=grace)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    silence = L1Unavailable(f"no answer within {grace:g} s after another endpoint's")
    return [
        (source, silence if task in late else task.result())
        for source, task in zip(sources, tasks, strict=True)
    ]


def _is_telling(outcome: Outcome) -> bool:
    return not isinstance(outcome, DeploymentUnseen | L1Error)


def _judge(outcomes: Sequence[tuple[Source, Outcome]]) -> None:
    shown = [source for source, outcome in outcomes if outcome is None]
    unseen, others, silent = [], [], []
    for source, outcome in outcomes:
        if isinstance(outcome, DeploymentUnseen):
            unseen.append((source, outcome))
        elif isinstance(outcome, DeploymentMismatch):
            others.append((source, outcome))
        elif outcome is not None:
            silent.append((source, outcome))
    if len(silent) == len(outcomes):
        reasons = "; ".join(f"{source.name}: {error}" for source, error in silent)
        raise L1Unavailable(f"none of {len(outcomes)} L1 endpoints answers; {reasons}")
    for source, error in silent:
        log.warning("l1_endpoint_not_compared", endpoint=source.name, reason=str(error))
    if others or not shown:
        raise _explain(others or unseen, shown, len(outcomes))
    for source, mismatch in unseen:
        log.warning("l1_endpoint_not_compared", endpoint=source.name, reason="; ".join(mismatch.differences))


def _explain(
    refused: Sequence[tuple[Source, DeploymentMismatch]], shown: Sequence[Source], asked: int
) -> DeploymentMismatch:
    (_, first), *more = refused
    if len(refused) == asked and all(other.differences == first.differences for _, other in more):
        return first
    lines = [f"L1 endpoint {source.name}: {line}" for source, error in refused for line in error.differences]
    if not shown:
        return DeploymentMismatch(lines)
    names = ", ".join(source.name for source in shown)
    advice = (
        f"but L1 endpoint {names}: as in the file. One side lies, or is on another chain: ask a node of your "
        "own, take those that are wrong out of --l1-rpc, and trust nothing before you know"
    )
    return DeploymentMismatch([*(line.removesuffix(f"; {ADVICE}") for line in lines), advice])
