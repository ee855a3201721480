"""What a whole dispute costs on a real L1, the real machine's step included."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator

import pytest

from devnet.liar.faults import parse_fault
from devnet.network import Devnet
from tests.support.ringside import Town, build_town, fight

# Gas of one transaction, and of everything after both assertions up to the confirmation.
CEILINGS = {
    "reveal": 90_000,
    "openMatch": 125_000,
    "dissect": 100_000,
    "commitTrace": 125_000,
    "commitSecondTrace": 100_000,
    "prove": 250_000,
    "confirm": 70_000,
}
WHOLE_DISPUTE = 1_700_000
DISSECTIONS = 9  # heights 5 and 6, less one each


@pytest.fixture(scope="module")
def town(shared_devnet: Devnet) -> Iterator[Town]:
    with shared_devnet.anvil.snapshot():

        async def build() -> Town:
            async with shared_devnet.connect() as client:
                return await build_town(shared_devnet, client)

        yield asyncio.run(build())


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


@pytest.mark.parametrize("lie", ["step:9:400:memory.100:1", "step:17:500:state_root:1"])
def test_a_dispute_to_the_last_step_stays_below_its_ceilings(
    shared_devnet: Devnet, town: Town, lie: str
) -> None:
    async def play() -> None:
        async with shared_devnet.connect() as client:
            assert (await fight(shared_devnet, client, town, parse_fault(lie))).liar_is_out

    with shared_devnet.anvil.snapshot():
        before = shared_devnet.anvil.get_block_number()
        asyncio.run(play())
        costs = read_costs(shared_devnet, before)
    assert len(costs["dissect"]) == DISSECTIONS
    assert len(costs["prove"]) == len(costs["commitTrace"]) == len(costs["commitSecondTrace"]) == 1
    for name, ceiling in CEILINGS.items():
        assert max(costs[name]) <= ceiling, f"{name} cost {max(costs[name]):,} gas"
    total = sum(sum(costs[name]) for name in CEILINGS)
    assert total <= WHOLE_DISPUTE, f"the dispute cost {total:,} gas"
