"""`challenger list | show | forecast | status` as operators run them, on a real L1 with the devnet's liar."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from challenger.cli import main
from challenger.monitor.report import Report
from challenger.monitor.storage import list_expectations
from challenger.settings import WatchSettings, get_parameters
from challenger.strategy import acts
from challenger.strategy.strategy import Proposal
from challenger.surveying import Survey, audit, survey
from challenger.trace.law import LawProvider
from challenger.watcher import Verdict
from devnet.liar.faults import parse_fault
from devnet.liar.provider import Liar
from devnet.network import Devnet
from optimist.l1.client import L1Client, require_header
from optimist.l1.errors import Reverted
from optimist.l1.events import Dissected, Eliminated
from optimist.l1.types import to_hex
from optimist.node.node import Node
from optimist.ops.settings import L1Tag
from tests.support.operator import make_node
from tests.support.ringside import INIT_BATCH, POLL, QUIET, Town, make_player, tell

FAULT = parse_fault("state:17:7:2:1:5000000")
PATIENCE = 90  # s
LIARS_AND_OURS = 2  # moves in the match, then the liar is silent
SLOW_BLOCKS = 5  # s that L1's clock may go on by itself while transactions are mined


def run(network: Devnet, *arguments: str, deployment: Path | None = None) -> Result:
    """A command in this process: the law is compiled once, not once a command."""
    where = ("--l1-rpc", network.anvil.url, "--deployment", str(deployment or network.deployment_file))
    return CliRunner().invoke(main, [*arguments, "--l1-tag", "latest", *where])


def ask(network: Devnet, *arguments: str, exit_code: int) -> dict[str, Any]:
    """A command's JSON; its exit code is the one that it prints."""
    result = run(network, *arguments, "--json")
    assert result.exit_code == exit_code, result.stdout + result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    assert (document["schema"], document["command"], document["exit"]) == (1, arguments[0], exit_code)
    return document


async def look(network: Devnet, tag: L1Tag = "latest") -> Survey:
    """What the commands read, in this process."""
    settings = WatchSettings(l1_rpc=(network.anvil.url,), deployment=network.deployment_file, l1_tag=tag)
    return await survey(settings)


async def tell_a_lie(network: Devnet, client: L1Client, town: Town) -> None:
    node = make_node(network, client)
    await node.catch_up()
    truth = LawProvider(get_parameters(network.deployment.preset), node.ledger, network.law)
    await tell(network, client, town, Liar(truth, FAULT, since=INIT_BATCH))


def test_a_lie_is_listed_foreseen_and_counted_and_ends_every_command_with_1(
    network: Devnet, town: Town
) -> None:
    bond, period = network.deployment.preset.bond, network.deployment.preset.challenge_period

    async def play() -> None:
        async with network.connect() as client:
            await tell_a_lie(network, client, town)

    asyncio.run(play())
    liar, proposer = (to_hex(actor.address) for actor in (network.cast.liar, network.cast.proposer))

    listed = ask(network, "list", exit_code=1)
    asked = next(each for each in listed["rounds"] if each["round"] == to_hex(town.parent))
    (end,) = asked["ends"]
    assert (asked["state"], asked["lastBatch"]) == ("undisputed", town.to)
    assert (end["verdict"], end["node"] != asked["expected"], end["liveClaims"]) == ("disagree", True, 1)
    assert [claim["owner"] for claim in end["claims"]] == [liar]
    assert {alarm["code"] for alarm in listed["alarms"]} == {"false-assertion", "unanswered"}

    undecided = ask(network, "list", "--undecided", exit_code=1)
    assert [each["round"] for each in undecided["rounds"]] == [to_hex(town.parent), end["node"]]
    assert len(listed["rounds"]) == 3  # and the confirmed one

    foreseen = ask(network, "forecast", "--latency", "0", exit_code=1)
    (forecast,) = foreseen["rounds"]
    assert foreseen["now"] == foreseen["latest"] == network.anvil.get_time()
    assert foreseen["needsNewcomer"]
    assert (forecast["expected"], forecast["isSafe"]) == (asked["expected"], True)
    assert forecast["ifSilent"]["at"] == foreseen["now"] + period + network.deployment.preset.grace

    status = ask(network, "status", exit_code=1)
    stakers = {each["staker"]: each for each in status["ledger"]["stakers"]}
    assert status["ledger"]["balance"] == status["ledger"]["liabilities"] == str(2 * bond)
    assert (stakers[liar]["expectation"], stakers[liar]["isWithdrawable"]) == ("lost", False)
    assert (stakers[proposer]["expectation"], stakers[proposer]["isWithdrawable"]) == ("returned", True)

    shown = ask(network, "show", end["node"][:12], exit_code=1)
    assert (shown["kind"], shown["subject"]) == ("assertion", end["node"])
    assert [each["event"] for each in shown["history"]] == ["NodeCreated", "Claimed"]
    assert status["counts"]["verdicts"]["disagree-open"] == 1
    text = run(network, "show", liar)
    assert text.exit_code == 1
    assert "disagree" in text.stdout
    assert end["node"][:10] in text.stdout


def test_a_rollup_that_owes_more_than_it_holds_ends_with_5(network: Devnet) -> None:
    assert ask(network, "status", exit_code=0)["alarms"] == []
    bond = network.deployment.preset.bond
    network.anvil.set_balance(to_hex(network.deployment.addresses["Rollup"]), bond - 1)
    network.anvil.mine()
    status = ask(network, "status", exit_code=5)
    assert [alarm["code"] for alarm in status["alarms"]] == ["insolvent"]
    assert (status["ledger"]["isSolvent"], status["ledger"]["surplus"]) == (False, "-1")


def test_a_look_is_at_one_block_and_says_how_old_that_is(network: Devnet) -> None:
    """The devnet's safe block is one behind its latest."""
    before = network.anvil.get_time()
    latest = network.anvil.increase_time(network.deployment.preset.challenge_period)
    looks: list[tuple[L1Tag, int, set[str]]] = [("latest", latest, set()), ("safe", before, {"behind"})]
    for tag, now, codes in looks:
        snapshot = asyncio.run(look(network, tag)).snapshot
        assert (snapshot.now, snapshot.latest) == (now, latest)
        assert {alarm.code for alarm in Report(snapshot, 0).alarms} == codes


def test_wrong_deployments_and_wrong_names_end_with_2_and_say_why(network: Devnet, tmp_path: Path) -> None:
    text = json.loads(network.deployment_file.read_text())
    other = tmp_path / "deployment.json"
    addresses = {**text["addresses"], "Rollup": text["addresses"]["Vault"]}
    for change, complaint in (
        ({"image_root": "0x" + "11" * 32}, "image root"),
        ({"chain_id": 5}, "the chain is"),
        ({"addresses": addresses}, "is not ours: its code has "),
    ):
        other.write_text(json.dumps({**text, **change}))
        result = run(network, "status", "--json", deployment=other)
        assert (result.exit_code, result.stdout) == (2, "")
        assert complaint in result.stderr
    nobody = run(network, "show", "0xdeadbeef")
    assert (nobody.exit_code, nobody.stdout) == (2, "")
    assert "0xdeadbeef" in nobody.stderr
    assert run(network, "forecast", "--as", "0x12").exit_code == 2


def test_what_is_foreseen_happens_on_l1(network: Devnet, town: Town) -> None:
    """The liar falls silent in the middle of a match: the round can be confirmed at the second foreseen."""
    asyncio.run(play_until_silence(network, town))


async def play_until_silence(network: Devnet, town: Town) -> None:
    async with network.connect() as client, AsyncExitStack() as stack:
        mine, theirs = make_node(network, client), make_node(network, client)
        for node in (mine, theirs):
            await node.catch_up()
        parameters = get_parameters(network.deployment.preset)
        truth = LawProvider(parameters, theirs.ledger, network.law)
        lie = Liar(truth, FAULT, since=INIT_BATCH)
        await tell(network, client, town, lie)
        provider = LawProvider(parameters, mine.ledger, network.law)
        honest = make_player(network, client, mine, network.cast.challenger, provider, stack)
        liar = make_player(network, client, theirs, network.cast.liar, lie, stack)

        def moves_once(proposal: Proposal) -> bool:
            is_first = isinstance(proposal.act, acts.Dissect) and count_moves(theirs) < LIARS_AND_OURS
            return isinstance(proposal.act, acts.Reveal) or is_first

        playing = [
            asyncio.create_task(honest.play(POLL)),
            asyncio.create_task(liar.play(POLL, moves_once)),
        ]
        stack.push_async_callback(finish, playing)
        await wait_for(lambda: count_moves(mine) == LIARS_AND_OURS and honest.quiet >= QUIET)

        seen = await look(network)
        report = Report(seen.snapshot, 0, network.cast.challenger.address)
        assert seen.snapshot.mismatches == ()
        (match,) = report.matches
        on_turn = match.a if match.turn == "a" else match.b
        assert (match.status, match.height, on_turn.owner) == ("on", 3, network.cast.liar.address)
        assert on_turn.verdict is Verdict.DISAGREE
        assert match.deadline == seen.snapshot.now + on_turn.clock
        (forecast,) = report.forecasts
        assert forecast.if_silent.at == match.deadline + parameters.grace
        assert forecast.is_safe

        network.anvil.warp_to(match.deadline)
        await wait_for(lambda: any(isinstance(each.event, Eliminated) for each in mine.events))
        ripe = await find_ripe(network, client, forecast.expected)
        assert forecast.if_silent.at is not None
        assert forecast.if_silent.at <= ripe <= forecast.if_silent.at + SLOW_BLOCKS
        assert (await look(network)).snapshot.rollup.compute_ripe_at(forecast.expected) == ripe


def test_events_that_l1s_storage_does_not_confirm_are_noticed(network: Devnet, town: Town) -> None:
    """As if a log had been left out: every field of the events' game that is changed is found in storage."""

    async def play() -> None:
        async with network.connect() as client:
            await tell_a_lie(network, client, town)
            header = require_header(await client.get_header("latest"), "latest")
            seen = (await look(network)).snapshot
            assert seen.mismatches == ()
            assert len(list_expectations(seen)) == 6  # two rounds, an answer, a claim on it, two bonds
            state, liar = seen.state, network.cast.liar.address
            (claim_id,) = [claim_id for claim_id, claim in state.claims.items() if claim.owner == liar]
            state.claims[claim_id].revealed_at = 1
            state.nodes[state.claims[claim_id].node].live = 2
            state.rounds[town.parent].live_ends = 2
            state.stakers[liar].bond -= 1
            found = dict(await audit(client, network.deployment, header.hash, seen))
            assert found.keys() == {claim_id, state.claims[claim_id].node, town.parent, liar}
            assert found[town.parent] == "Rollup.getRound: live_ends is 1 in storage, 2 by the events"

    asyncio.run(play())


async def wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(POLL)


async def finish(tasks: list[asyncio.Task[list[str]]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def count_moves(node: Node) -> int:
    return sum(isinstance(each.event, Dissected) for each in node.events)


async def find_ripe(network: Devnet, client: L1Client, node: bytes) -> int:
    """The second from which L1 takes the confirmation of a node, in its own words."""
    header = require_header(await client.get_header("latest"), "latest")
    with pytest.raises(Reverted) as caught:
        await network.get_contract("Rollup").read(client, header.hash, "confirm", node)
    assert caught.value.name == "TooEarly"
    ripe: int = caught.value.arguments["earliest"]
    return ripe
