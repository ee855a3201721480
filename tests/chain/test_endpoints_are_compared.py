"""A program with several L1 endpoints, of which one lies about the contracts: it does not start at all."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from devnet.network import Devnet
from optimist.l1.types import from_hex, to_hex
from tests.support.deployed_code import flip
from tests.support.fault_proxy import FaultProxy

BYTE = 5_000
PATIENCE = 90  # s


def tell_other_code(network: Devnet, name: str) -> Callable[[Any, Any], Any]:
    address = to_hex(network.deployment.addresses[name])

    def lie(call: Any, result: Any) -> Any:
        is_meant = call["method"] == "eth_getCode" and call["params"][0] == address
        return to_hex(flip(from_hex(result), BYTE)) if is_meant else result

    return lie


def forget_transactions(call: Any, result: Any) -> Any:
    return None if call["method"] == "eth_getTransactionByHash" else result


async def watch(network: Devnet, *proxies: FaultProxy) -> tuple[int, str]:
    """`challenger watch --once` with keys in its URLs: exit code and output."""
    urls = ",".join(f"{proxy.url}?key=secret{i}" for i, proxy in enumerate(proxies))
    command = [sys.executable, "-m", "challenger", "watch", "--once", "--l1-tag", "latest", "--l1-rpc", urls]
    process = await asyncio.to_thread(
        subprocess.run,
        [*command, "--deployment", str(network.deployment_file)],
        env={**os.environ, "COLUMNS": "400"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return process.returncode, " ".join(process.stdout.split())


def test_of_three_endpoints_one_is_dead_and_one_lies_about_one_byte_of_code(devnet: Devnet) -> None:
    """With the liar no program starts, and it says which; without it one does, and says who was not asked."""

    async def inside() -> None:
        async with AsyncExitStack() as stack:
            honest, dead, liar, forgetful = [
                await stack.enter_async_context(FaultProxy(devnet.anvil.url, i, 0.0)) for i in range(4)
            ]
            dead.is_dead = True
            liar.lie = tell_other_code(devnet, "Rollup")
            forgetful.lie = forget_transactions
            (code, text), (good_code, good_text) = await asyncio.gather(
                watch(devnet, honest, dead, liar), watch(devnet, honest, dead, forgetful)
            )

        def name(place: int, proxy: FaultProxy) -> str:
            return f"{place} ({proxy.url.removeprefix('http://').rstrip('/')})"

        assert code == 2, text
        address = to_hex(devnet.deployment.addresses["Rollup"])
        assert (
            f"L1 endpoint {name(3, liar)}: Rollup at {address} is not ours: its code differs in 1 of" in text
        )
        assert f"from byte {BYTE} on" in text
        assert f"but L1 endpoint {name(1, honest)}: as in the file" in text
        assert "take those that are wrong out of --l1-rpc" in text

        assert good_code == 0, good_text
        assert good_text.count("l1_endpoint_not_compared") == 3
        assert f"endpoint='{name(2, dead)}'" in good_text
        assert f"endpoint='{name(3, forgetful)}'" in good_text

        assert "secret" not in text
        assert "secret" not in good_text

    asyncio.run(inside())
