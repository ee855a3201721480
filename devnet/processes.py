"""Child processes that never survive us: anvil and the services run under a guard (see `guard.py`)."""

import atexit
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")
POLL_INTERVAL = 0.02  # s


class ProcessFailed(Exception):
    """A child process ended, or did not get ready, when it should have been running."""


class _Guard:
    """The one guard of this process, started with the first child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def tell(self, line: str) -> None:
        """Send one line; starts the guard when there is none (or it was killed)."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(GUARD)], stdin=subprocess.PIPE, start_new_session=True
                )
                atexit.register(self._process.communicate)  # closes the pipe and waits
            pipe = self._process.stdin
            if pipe is None:
                raise ProcessFailed("the guard has no standard input")
            pipe.write(f"{line}\n".encode())
            pipe.flush()


_guard = _Guard()


class Process:
    """A running child. Its output goes to a log file, never to our terminal; Ctrl-C does not reach it."""

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start `command`; `environment` replaces ours when given. Raises OSError."""
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )
        _guard.tell(f"+{self._process.pid}")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while running; negative: the signal that ended it."""
        return self._process.poll()

    def read_log(self) -> str:
        """All that it has printed so far."""
        return self.log.read_text(errors="replace")

    def wait_for_line(self, text: str, timeout: float = 30) -> str:
        """Wait until a complete line with `text` is in the log, and return that line.

        Raises ProcessFailed, with the end of the log, when the process ends or `timeout` seconds pass first.
        """
        deadline = time.monotonic() + timeout
        while True:
            ended = self.exit_code is not None  # looked at before the log, so that a last line is not missed
            for line in self.read_log().splitlines(keepends=True):
                if text in line and line.endswith("\n"):
                    return line.rstrip("\n")
            if ended or time.monotonic() > deadline:
                raise self.failure(f"waited for {text!r} in its log")
            time.sleep(POLL_INTERVAL)

    def failure(self, why: str) -> ProcessFailed:
        """An error that says what became of this process, with the end of its log."""
        state = "still running" if self.exit_code is None else f"exit code {self.exit_code}"
        tail = "\n".join(self.read_log().splitlines()[-20:])
        return ProcessFailed(f"{self.name} ({state}): {why}; the end of {self.log}:\n{tail}")

    def check_alive(self) -> None:
        """Raise ProcessFailed when the process has ended."""
        if self.exit_code is not None:
            raise self.failure("should be running")

    def kill(self) -> None:
        """SIGKILL, as a crash would; returns when the process is gone."""
        self._process.kill()
        self._reap()

    def stop(self, timeout: float = 10) -> int:
        """Ask to end (SIGTERM), wait, and after `timeout` seconds kill; returns the exit code."""
        self._process.terminate()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
        return self._reap()

    def _reap(self) -> int:
        code = self._process.wait()
        _guard.tell(f"-{self._process.pid}")
        return code
