"""The node's cache: one look is one write, and what does not belong to this deployment is refused."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from optimist.store.state_store import Change, ForeignState, StateDamaged, StateStore

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


def write_many(path: Path) -> None:
    """Enough to have table files, not only a log."""
    with StateStore(path, IDENTITY) as store:
        for number in range(400):
            data = os.urandom(256)
            store.write(Change(b"%d" % number, {number: data}, {number: data}, {number: data}))
        store._db.flush()


def test_damaged_block_of_a_table_is_noticed_and_not_taken_for_the_end(tmp_path: Path) -> None:
    write_many(tmp_path / "db")
    table = next((tmp_path / "db").glob("*.sst"))
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    table.write_bytes(data)
    with StateStore(tmp_path / "db", IDENTITY) as store:
        with pytest.raises(StateDamaged, match="Corruption"):
            store.load()
        store.clear()
        assert store.load() is None


@pytest.mark.parametrize("file", ["CURRENT", "MANIFEST-*", "*.sst"])
def test_damaged_database_is_begun_anew(tmp_path: Path, file: str) -> None:
    write_many(tmp_path / "db")
    victim = next((tmp_path / "db").glob(file))
    if file == "*.sst":
        victim.unlink()
    else:
        victim.write_bytes(victim.read_bytes()[:10])
    with StateStore(tmp_path / "db", IDENTITY) as store:
        assert store.was_damaged
        assert store.load() is None
        store.write(Change(b"new"))
    with StateStore(tmp_path / "db", IDENTITY) as store:
        assert not store.was_damaged
        assert store.load() is not None


def test_second_opener_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    write_many(tmp_path / "db")
    with StateStore(tmp_path / "db", IDENTITY) as store:
        with pytest.raises(Exception, match="lock hold by current process"):
            StateStore(tmp_path / "db", IDENTITY)
        kept = store.load()
        assert kept is not None
        assert len(kept.batches) == 400


def test_full_disk_is_an_error_of_its_own_and_what_was_written_before_is_whole(tmp_path: Path) -> None:
    program = """
import resource, sys
from pathlib import Path
from optimist.store.state_store import Change, StateStore, StateUnwritable
store = StateStore(Path(sys.argv[1]), b"\\x42" * 32)
store.write(Change(b"kept", {1: b"batch"}))
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
try:
    store.write(Change(b"lost", {2: bytes(100_000)}))
except StateUnwritable as error:
    print(error)
try:
    store.close()
except StateUnwritable:
    print("closed")
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "db")], capture_output=True, text=True, check=True
    )
    assert "File too large" in done.stdout
    assert "make room or mend it, then start again" in done.stdout
    with StateStore(tmp_path / "db", IDENTITY) as store:
        kept = store.load()
    assert kept is not None
    assert (kept.cursor, kept.batches) == (b"kept", [b"batch"])
