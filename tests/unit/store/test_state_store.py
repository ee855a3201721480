"""The node's cache: one look is one write, and what does not belong to this deployment is refused."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from optimist.store.state_store import Change, ForeignState, StateStore

IDENTITY = b"\x42" * 32
RECORD = b"\1" * 256


def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    with StateStore(tmp_path / "db", IDENTITY) as store:
        assert store.load() is None
        store.write(
            Change(b"one", {1: b"a", 300: b"c", 2: b"b"}, {7 << 40 | 5: RECORD, 1: RECORD}, {0: b"log"})
        )
        store.write(Change(b"two", {300: None}, {1: None}, {1: b"next"}))
    with StateStore(tmp_path / "db", IDENTITY) as store:
        kept = store.load()
        assert kept is not None
        assert (kept.cursor, kept.batches) == (b"two", [b"a", b"b"])
        assert (kept.records, kept.logs) == ({7 << 40 | 5: RECORD}, [b"log", b"next"])


def test_state_of_another_deployment_is_refused(tmp_path: Path) -> None:
    StateStore(tmp_path / "db", IDENTITY).close()
    with pytest.raises(ForeignState, match="another deployment"):
        StateStore(tmp_path / "db", b"\x43" * 32)


def test_cleared_store_is_empty_and_usable(tmp_path: Path) -> None:
    with StateStore(tmp_path / "db", IDENTITY) as store:
        store.write(Change(b"one", {1: b"a"}))
        store.clear()
        assert store.load() is None
        store.write(Change(b"two"))
        kept = store.load()
        assert kept is not None
        assert kept.cursor == b"two"


def test_killed_writer_leaves_a_whole_state(tmp_path: Path) -> None:
    """Every change writes its number to all four places; after kill -9 they agree."""
    program = """
import sys
from pathlib import Path
from optimist.store.state_store import Change, StateStore
store = StateStore(Path(sys.argv[1]), bytes([0x42]) * 32)
number = 0
while True:
    text = b"%d" % number
    store.write(Change(text, {1: text}, {1: text.rjust(256)}, {1: text}))
    number += 1
    if number == 200:
        print("busy", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "db")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"busy\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    with StateStore(tmp_path / "db", IDENTITY) as store:
        kept = store.load()
    assert kept is not None
    assert int(kept.cursor) >= 199
    assert kept.batches == [kept.cursor]
    assert kept.logs == [kept.cursor]
    assert [record.strip() for record in kept.records.values()] == [kept.cursor]
