"""A guide whose commands are typed line by line into a shell in an empty directory, and what they print.

Only the ports are others, so that several tests can run at once.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from devnet.anvil import NODE_MODULES

REPOSITORY = Path(__file__).parents[2]
PARTS = re.compile(
    r"^(?P<heading>## [^\n]*)$|^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
PATIENCE = 180.0  # s for one block


@dataclass
class Block:
    """A block of commands, the heading above it, and what has to be in its output, in this order."""

    heading: str
    commands: str
    expected: list[str] = field(default_factory=list)


def read_blocks(text: str) -> list[Block]:
    """The blocks of a guide, or of the part of it that is for typing."""
    blocks: list[Block] = []
    heading = ""
    for found in PARTS.finditer(text):
        if found["heading"]:
            heading = found["heading"]
        elif found["kind"] == "sh":
            blocks.append(Block(heading, found["text"]))
        elif found["kind"] == "output":
            blocks[-1].expected += found["text"].splitlines()
        else:
            raise AssertionError(f"{heading}: a block of kind {found['kind']!r} would be run by nobody")
    return blocks


class Shell:
    """A shell that somebody types into."""

    def __init__(
        self, directory: Path, ports: Sequence[str] = (), variables: Mapping[str, str] | None = None
    ) -> None:
        """`ports`: replaced by free ones wherever they stand; `variables` of its environment."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("OPTIMIST_")}
        tools = [str(Path(sys.executable).parent), str(NODE_MODULES / ".bin")]
        environment["PATH"] = os.pathsep.join([*tools, environment["PATH"]])
        environment["PYTHONPATH"] = str(REPOSITORY)
        environment |= variables or {}
        self._ports = {port: str(find_free_port()) for port in ports}
        self._log = directory.with_name(f"{directory.name}-shell.log")
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [shutil.which("bash") or "bash", "-eu"],
                cwd=directory,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._count = 0

    def type(self, commands: str) -> str:
        """What they print. Fails when one of them does, or does not end."""
        assert self._process.stdin is not None
        for port, ours in self._ports.items():
            commands = commands.replace(port, ours)
        self._count += 1
        mark = f"--- block {self._count} done"
        begin = self._log.stat().st_size
        self._process.stdin.write(f"{commands}\necho '{mark}'\n".encode())
        self._process.stdin.flush()
        deadline = time.monotonic() + PATIENCE
        while mark not in (said := self._log.read_bytes()[begin:].decode()):
            assert self._process.poll() is None, f"a command failed:\n{commands}\n{said}"
            assert time.monotonic() < deadline, f"no end:\n{commands}\n{said}"
            time.sleep(0.05)
        for port, ours in self._ports.items():
            said = said.replace(ours, port)
        return said.partition(mark)[0]

    def close(self) -> None:
        """End it and whatever it has started."""
        assert self._process.stdin is not None
        with suppress(ProcessLookupError):  # it ended by itself: a command failed
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.stdin.close()
        self._process.wait()


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def open_shell(
    directory: Path, ports: Sequence[str] = (), variables: Mapping[str, str] | None = None
) -> Iterator[Shell]:
    """See `Shell`; closed at the end."""
    shell = Shell(directory, ports, variables)
    try:
        yield shell
    finally:
        shell.close()


def check_output(block: Block, said: str) -> None:
    """Every expected line is there, one below the other; … stands for anything, a space for any."""
    position = 0
    for line in block.expected:
        parts = [r"\s+".join(map(re.escape, part.split())) for part in line.split("…")]
        pattern = ".*".join(parts)
        found = re.compile(pattern).search(said, position)
        assert found, f"{block.heading}: {line!r} is not in what was printed:\n{said}"
        position = found.end()


def walk(shell: Shell, blocks: Sequence[Block]) -> None:
    """Type them all, and compare."""
    for block in blocks:
        said = shell.type(block.commands)
        print(f"$ {block.commands}{said}")
        check_output(block, said)
