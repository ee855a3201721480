import signal
import subprocess
import sys
from pathlib import Path

import pytest

from optimist.store.lock import DirectoryInUse, DirectoryLock

HOLDER = """
import sys, time
from pathlib import Path
from optimist.store.lock import DirectoryLock
lock = DirectoryLock(Path(sys.argv[1]))
print("locked", flush=True)
time.sleep(60)
"""


def test_second_process_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(directory)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(DirectoryInUse, match=f"in use by process {holder.pid}"):
            DirectoryLock(directory)
        holder.send_signal(signal.SIGKILL)
    DirectoryLock(directory).release()


def test_released_directory_can_be_locked_again(tmp_path: Path) -> None:
    with DirectoryLock(tmp_path):
        pass
    with DirectoryLock(tmp_path), pytest.raises(DirectoryInUse):
        DirectoryLock(tmp_path)
