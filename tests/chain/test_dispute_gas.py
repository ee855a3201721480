"""What a whole dispute costs on a real L1, the real machine's step included, and that docs/GAS.md says so."""

import asyncio
import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from challenger.settings import get_parameters
from challenger.trace.law import LawProvider
from challenger.trace.replay import Before
from devnet.liar.faults import parse_fault
from devnet.network import Devnet
from optimist.l1.events import Claimed
from optimist.vm.fast import advance
from optimist.vm.isa import Op
from optimist.vm.rare import CONTINUE, Core
from tests.support.operator import make_node
from tests.support.ringside import Outcome, Town, fight

# Gas of one transaction. All together, as often as each is needed, are the whole dispute: from the two
# assertions to the payment of the winner's credit.
CEILINGS = {
    "assertState": 230_000,
    "reveal": 90_000,
    "openMatch": 125_000,
    "dissect": 100_000,
    "commitTrace": 125_000,
    "commitSecondTrace": 100_000,
    "prove": 250_000,
    "collect": 60_000,
    "confirm": 48_000,
    "claimCredit": 50_000,
}
TIMES = {"assertState": 2, "reveal": 2, "dissect": 9}  # heights 5 and 6, less one each; all others once
WHOLE_DISPUTE = 2_000_000
TRADE = 9  # number of an input of the town that the law accepts
REPOSITORY = Path(__file__).parents[2]
DOCUMENT = REPOSITORY / "docs" / "GAS.md"
TOY = REPOSITORY / "solidity" / "snapshots" / "game-gas.json"
TOLERANCE = 0.02  # of a figure in the document: zero bytes are cheaper, and hashes differ from run to run


def read_costs(network: Devnet, since: int) -> dict[str, list[int]]:
    """Gas of every transaction after block `since` that succeeded, by function of Rollup and Dispute."""
    names = {
        selector: entry.name
        for contract in ("Rollup", "Dispute")
        for selector, entry in network.get_contract(contract).abi.selectors.items()
    }
    costs = defaultdict(list)
    for number in range(since + 1, network.anvil.get_block_number() + 1):
        for transaction in network.anvil.call("eth_getBlockByNumber", hex(number), True)["transactions"]:
            receipt = network.anvil.call("eth_getTransactionReceipt", transaction["hash"])
            selector = bytes.fromhex(transaction["input"][2:10])
            if selector in names and receipt["status"] == "0x1":
                costs[names[selector]].append(int(receipt["gasUsed"], 16))
    return costs


async def play(network: Devnet, town: Town, lie: str) -> Outcome:
    """Fight it out until the winner is paid."""
    async with network.connect() as client:
        outcome = await fight(network, client, town, parse_fault(lie))
        owner = network.cast.challenger
        claim = next(e.claim for e in outcome.events if isinstance(e, Claimed) and e.owner == owner.address)
        rollup, head = network.get_contract("Rollup"), await client.get_header("latest")
        assert head is not None
        if (await rollup.read(client, head.hash, "getClaim", claim))["credit"]:  # else the player was quicker
            await network.get_wallet(client, owner).call(rollup, "claimCredit", claim)
        return outcome


def measure(network: Devnet, town: Town, lie: str) -> tuple[dict[str, int], int]:
    """The dearest call of each function, none above its ceiling, and the whole dispute."""
    with network.anvil.snapshot():
        before = network.anvil.get_block_number()
        assert asyncio.run(play(network, town, lie)).liar_is_out
        costs = read_costs(network, before)
    assert {name: len(costs[name]) for name in CEILINGS} == dict.fromkeys(CEILINGS, 1) | TIMES
    for name, ceiling in CEILINGS.items():
        assert max(costs[name]) <= ceiling, f"{name} cost {max(costs[name]):,} gas"
    return {name: max(costs[name]) for name in CEILINGS}, sum(sum(costs[name]) for name in CEILINGS)


def find_last(network: Devnet, town: Town, number: int, op: Op) -> int:
    """The last step of an input that executes `op`."""

    async def read_before() -> Before:
        async with network.connect() as client:
            node = make_node(network, client)
            await node.catch_up()
            truth = LawProvider(get_parameters(network.deployment.preset), node.ledger, network.law)
            return truth.get_replay(0, town.to).get_before(number)

    image, before = network.law.image, asyncio.run(read_before())
    core = Core(image.words.copy(), image.entry, dict(before.state.items()), before.input)
    executed = []
    while core.result == CONTINUE:
        executed.append(image.program[core.pc][0])
        advance(core, image.instructions, 1)
    return len(executed) - 1 - executed[::-1].index(op)


@pytest.mark.parametrize("lie", ["step:9:400:memory.100:1", "step:17:500:state_root:1"])
def test_a_dispute_to_the_last_step_stays_below_its_ceilings(
    shared_devnet: Devnet, town: Town, lie: str
) -> None:
    dearest, total = measure(shared_devnet, town, lie)
    assert total <= WHOLE_DISPUTE, f"the dispute cost {total:,} gas"
    check_document(dearest, total)


def test_a_dispute_about_a_store_costs_what_the_page_says(shared_devnet: Devnet, town: Town) -> None:
    """Those above are about returns, which are cheap steps; a store of a record is the dearest."""
    dearest, total = measure(
        shared_devnet, town, f"step:{TRADE}:{find_last(shared_devnet, town, TRADE, Op.STR)}:memory.100:1"
    )
    found = re.search(
        r"then `prove` costs ([\d,]+) k and the whole\s+dispute ([\d,]+) k", DOCUMENT.read_text()
    )
    assert found is not None
    for told, measured in zip(found.groups(), (dearest["prove"], total), strict=True):
        assert int(told.replace(",", "")) * 1000 == pytest.approx(measured, rel=TOLERANCE / 4)
    assert total <= WHOLE_DISPUTE, f"the dispute cost {total:,} gas"


def check_document(dearest: dict[str, int], total: int) -> None:
    """Each figure of the first table, and each ceiling, is the one measured or enforced here."""
    rows = re.findall(
        r"^\| [`*]+([\w ]+)[`*]+ \| (\d+) \| \**([\d,]+) k\** \| ([\d,]+) k \|$",
        DOCUMENT.read_text(),
        re.MULTILINE,
    )
    told = {name: [int(cell.replace(",", "")) for cell in cells] for name, *cells in rows}
    expected = {name: (TIMES.get(name, 1), gas, CEILINGS[name]) for name, gas in dearest.items()} | {
        "whole dispute": (len(CEILINGS) + sum(TIMES.values()) - len(TIMES), total, WHOLE_DISPUTE)
    }
    assert told.keys() == expected.keys()
    for name, (times, gas, ceiling) in expected.items():
        assert told[name][0] == times, f"docs/GAS.md: {name} happens {times} times"
        assert told[name][1] * 1000 == pytest.approx(gas, rel=TOLERANCE), f"docs/GAS.md: {name} costs {gas:,}"
        assert told[name][2] * 1000 == ceiling, f"docs/GAS.md: the ceiling of {name} is {ceiling:,}"
    (cheaper,) = re.findall(r"its proof is (\d+) k cheaper", DOCUMENT.read_text())
    saved = dearest["prove"] - int(json.loads(TOY.read_text())["prove with the toy machine"])
    assert int(cheaper) * 1000 == pytest.approx(saved, rel=0, abs=TOLERANCE * dearest["prove"])
