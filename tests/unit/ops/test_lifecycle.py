import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from optimist.ops.lifecycle import EXIT_FORCED, PartEnded, Switch

PROGRAM = """
import asyncio, sys, time
from optimist.ops import lifecycle
lifecycle.STOP_SECONDS = 0.8

async def work():
    print("ready", flush=True)
    await asyncio.sleep(60)

async def main():
    await lifecycle.run_until_signal([work()])
    print("cleaning", flush=True)
    {cleaning}
    print("clean", flush=True)

asyncio.run(main())
"""


def start(cleaning: str) -> subprocess.Popen[str]:
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(cleaning=cleaning)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    wait_for(program, "ready")
    return program


def wait_for(program: subprocess.Popen[str], line: str) -> None:
    assert program.stdout is not None
    while (found := program.stdout.readline()) != line + "\n":
        assert found, f"ended before {line!r}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_first_signal_stops_in_good_order(number: signal.Signals) -> None:
    program = start("await asyncio.sleep(0.1)")
    program.send_signal(number)
    output, _ = program.communicate(timeout=30)
    assert output.endswith("clean\n")
    assert program.returncode == 0


def test_second_signal_stops_at_once() -> None:
    program = start("await asyncio.sleep(60)")
    program.send_signal(signal.SIGTERM)
    wait_for(program, "cleaning")
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=30)
    assert program.returncode == -signal.SIGTERM


@pytest.mark.parametrize("cleaning", ["await asyncio.sleep(60)", "time.sleep(60)"])
def test_whoever_does_not_end_in_good_order_is_ended(cleaning: str) -> None:
    program = start(cleaning)
    begun = time.monotonic()
    program.send_signal(signal.SIGTERM)
    program.communicate(timeout=30)
    assert program.returncode == EXIT_FORCED
    assert time.monotonic() - begun < 5


def test_failing_part_ends_the_program_with_its_error() -> None:
    code = """
import asyncio
from optimist.ops.lifecycle import run_until_signal
async def fail(): raise RuntimeError("the disk is gone")
async def work(): await asyncio.sleep(60)
asyncio.run(run_until_signal([work(), fail()]))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False, env=os.environ
    )
    assert ended.returncode == 1
    assert "the disk is gone" in ended.stderr


@pytest.mark.asyncio
async def test_switch_stops_and_starts_its_work() -> None:
    begun, ended = [], []

    async def work() -> None:
        begun.append(1)
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(1)

    async def settle() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    switch = Switch("worker", work, is_on=False)
    running = asyncio.create_task(switch.run())
    await settle()
    assert begun == []
    for number in (1, 2):
        switch.start()
        switch.start()
        await settle()
        assert (len(begun), len(ended), switch.is_on) == (number, number - 1, True)
        switch.stop()
        await settle()
        assert (len(ended), switch.is_on) == (number, False)
    switch.start()
    await settle()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(ended) == 3


@pytest.mark.asyncio
async def test_switch_passes_on_the_failure_of_its_work() -> None:
    async def fail() -> None:
        raise RuntimeError("the bond is lost")

    async def end() -> None:
        return

    with pytest.raises(RuntimeError, match="the bond is lost"):
        await Switch("proposer", fail).run()
    with pytest.raises(PartEnded, match="the proposer has ended"):
        await Switch("proposer", end).run()
