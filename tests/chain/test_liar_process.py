"""The liar as a process of its own: its assertion stands on L1 with a bond, or it says why it cannot lie."""

import asyncio

import pytest

from devnet.evidence.dispute import describe_assertions, find_lies
from devnet.network import Devnet
from devnet.processes import ProcessFailed
from devnet.services import start_liar

# Batch 1 holds one input, INIT: number 0.


@pytest.mark.parametrize("fault", ["state:0:3:0:0:1", "step:0:5:state_root:1"])
def test_a_false_root_is_asserted_with_a_bond(devnet: Devnet, fault: str) -> None:
    liar = start_liar(devnet, devnet.cast.liars[1], fault, options=["--l1-tag", "latest"])
    try:
        devnet.anvil.increase_time(devnet.deployment.preset.min_period)
        told = liar.wait_for("lie_told")
    finally:
        liar.stop()

    async def read() -> tuple[list[str], list[bytes], bool]:
        async with devnet.connect() as client:
            history = await devnet.read_history(client)
            [assertion] = describe_assertions(history)
            [lie] = find_lies(history)
            owners = [claim.owner for claim in lie.claims.values()]
            return [assertion["node"], assertion["root"]], owners, assertion["is_true"]

    stands, owners, is_true = asyncio.run(read())
    assert stands == [told["node"], told["root"]]
    assert owners == [devnet.cast.liars[1].address]
    assert is_true is False


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("leaf:7:batch:1", "input 7 is not among inputs 0 to 0, about which one can still lie"),
        ("skip-fees", "skip-fees changes nothing about the batches up to 1"),
        ("nonsense", "there is no fault 'nonsense'"),
    ],
)
def test_a_fault_without_an_effect_is_refused_with_a_reason(devnet: Devnet, fault: str, reason: str) -> None:
    devnet.anvil.increase_time(devnet.deployment.preset.min_period)
    liar = start_liar(devnet, devnet.cast.liars[1], fault, options=["--l1-tag", "latest"])
    with pytest.raises(ProcessFailed, match="exit code 2"):
        liar.wait_for("lie_told")
    assert reason in " ".join(liar.process.read_log().split())
