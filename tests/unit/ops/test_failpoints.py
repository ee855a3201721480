"""Failpoints kill the way kill -9 does, where asked, and only there."""

import signal
import subprocess
import sys

import pytest

from optimist.ops.failpoints import Failpoints

PROGRAM = """
from optimist.ops.failpoints import Failpoints
points = Failpoints.from_environment(dev={dev})
points.reach("before-journal")
points.reach("after-journal")
print("between", flush=True)
points.reach("after-journal")
print("alive", flush=True)
"""


def run(armed: str, *, dev: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM.format(dev=dev)],
        env={"OPTIMIST_FAILPOINT": armed, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_dies_at_the_arrival_that_was_asked_for() -> None:
    done = run("after-journal:2")
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "between\n")


def test_is_inert_without_dev() -> None:
    done = run("after-journal", dev=False)
    assert (done.returncode, done.stdout) == (0, "between\nalive\n")


def test_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no failpoint 'nowhere'"):
        Failpoints("nowhere")
