"""The guard: a child process that outlives its parent only to end the parent's other children.

Run as a script, `python -I -S guard.py`. It reads lines `+PID` (watch) and `-PID` (forget) on its standard
input. When that pipe closes, which happens however the parent dies (also by kill -9), it ends what is still
watched: SIGTERM, then SIGKILL to what is left after two seconds. Standard library only: it must start in
milliseconds.
"""

import os
import signal
import sys
import time

PATIENCE = 2.0  # seconds between asking and killing; anvil writes its state within this time


def send(process: int, number: int) -> bool:
    """Send a signal (0: only look) to a process; whether it still exists."""
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    """Watch until the parent is gone, then end its children."""
    watched: set[int] = set()
    for line in sys.stdin:
        process = int(line[1:])
        if line.startswith("+"):
            watched.add(process)
        else:
            watched.discard(process)
    alive = {process for process in watched if send(process, signal.SIGTERM)}
    deadline = time.monotonic() + PATIENCE
    while alive and time.monotonic() < deadline:
        time.sleep(0.05)
        alive = {process for process in alive if send(process, 0)}
    for process in alive:
        send(process, signal.SIGKILL)


if __name__ == "__main__":
    # The terminal's Ctrl-C is for the parent, which ends its children in order and then closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main()
