import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimist.store.journal import (
    FILE_HEADER_BYTES,
    Journal,
    JournalBroken,
    JournalCorrupt,
)

IDENTITY = b"\x42" * 32
GROUPS = [[b"first"], [b"second", b"", b"third"], [b"\x00" * 9], [b"last"]]


def records(journal: Journal) -> list[bytes]:
    return [record for _, record in journal.read()]


@pytest.fixture
def written(tmp_path: Path) -> tuple[bytes, list[int]]:
    """A journal of several frames as bytes, and the offset after each frame (after the file header first)."""
    ends = [FILE_HEADER_BYTES]
    with Journal(tmp_path / "whole", IDENTITY) as journal:
        for group in GROUPS:
            journal.append(group)
            ends.append(journal.size)
    return (tmp_path / "whole").read_bytes(), ends


def flat(groups: list[list[bytes]]) -> list[bytes]:
    return [record for group in groups for record in group]


def test_records_come_back_in_order_with_their_numbers(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", IDENTITY) as journal:
        assert [journal.append(group) for group in GROUPS] == [0, 1, 4, 5]
        assert list(journal.read(start=3)) == [(3, b"third"), (4, bytes(9)), (5, b"last")]
        link = journal.link
    with Journal(tmp_path / "j", IDENTITY) as again:
        assert (records(again), again.next_sequence, again.link, again.dropped) == (flat(GROUPS), 6, link, 0)
        assert again.append([b"more"]) == 6


def test_file_cut_at_every_offset_keeps_every_whole_frame(
    tmp_path: Path, written: tuple[bytes, list[int]]
) -> None:
    data, ends = written
    for cut in range(len(data) + 1):
        path = tmp_path / "cut"
        path.write_bytes(data[:cut])
        if cut < FILE_HEADER_BYTES:
            with pytest.raises(JournalCorrupt, match="does not begin like a journal"):
                Journal(path, IDENTITY)
            continue
        whole = sum(end <= cut for end in ends[1:])
        with Journal(path, IDENTITY) as journal:
            assert records(journal) == flat(GROUPS[:whole])
            assert journal.dropped == cut - ends[whole]
            journal.append([b"after the crash"])
        with Journal(path, IDENTITY) as journal:
            assert records(journal) == [*flat(GROUPS[:whole]), b"after the crash"]
            assert journal.dropped == 0


def test_file_lengthened_with_zeros_but_not_written_keeps_every_whole_frame(
    tmp_path: Path, written: tuple[bytes, list[int]]
) -> None:
    data, ends = written
    path = tmp_path / "zeros"
    for cut in range(ends[-2], len(data)):
        path.write_bytes(data[:cut].ljust(len(data), b"\0"))
        with Journal(path, IDENTITY) as journal:
            assert records(journal) == flat(GROUPS[:-1])
    path.write_bytes(data + bytes(5_000))
    with Journal(path, IDENTITY) as journal:
        assert records(journal) == flat(GROUPS)


def test_every_single_flipped_bit_is_a_loud_error(tmp_path: Path, written: tuple[bytes, list[int]]) -> None:
    data, _ = written
    path = tmp_path / "flipped"
    for bit in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(JournalCorrupt):
            Journal(path, IDENTITY)
        assert path.read_bytes() == damaged, "a damaged journal must be left as it is"


@pytest.mark.parametrize("order", [[0, 2, 3], [1, 2, 3], [0, 1, 1, 2, 3], [0, 2, 1, 3]])
def test_frames_that_vanish_repeat_or_change_places_are_a_loud_error(
    tmp_path: Path, written: tuple[bytes, list[int]], order: list[int]
) -> None:
    data, ends = written
    frames = [data[ends[i] : ends[i + 1]] for i in range(len(GROUPS))]
    path = tmp_path / "shuffled"
    path.write_bytes(data[:FILE_HEADER_BYTES] + b"".join(frames[i] for i in order))
    with pytest.raises(JournalCorrupt, match="out of its place"):
        Journal(path, IDENTITY)


def test_journal_of_another_deployment_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "j", IDENTITY).close()
    with pytest.raises(JournalCorrupt, match="another deployment"):
        Journal(tmp_path / "j", b"\x43" * 32)


@settings(max_examples=25)
@given(groups=st.lists(st.lists(st.binary(max_size=60), min_size=1, max_size=4), max_size=6), data=st.data())
def test_damage_in_any_place_never_loses_a_safe_record_in_silence(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[bytes]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    with Journal(path, IDENTITY) as journal:
        for group in groups:
            journal.append(group)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    try:
        with Journal(path, IDENTITY) as journal:
            # Only a last frame whose END byte reads zero may pass for torn.
            assert (content[-1], at, records(journal)) == (0, len(content) - 1, flat(groups[:-1]))
    except JournalCorrupt:
        pass


def test_empty_group_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", IDENTITY) as journal, pytest.raises(ValueError, match="a group has"):
        journal.append([])


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from optimist.store.journal import Journal, JournalFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal(Path(sys.argv[1]), bytes([0x42]) * 32)
journal.append([b"fits"])
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (journal.size + 100, hard))
try:
    journal.append([bytes(1_000)])
except JournalFull as error:
    print(error)
journal.append([b"small"])
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
journal.append([b"room again"])
"""


def test_full_disk_refuses_and_recovers_when_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "j"
    result = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True
    )
    assert "File too large" in result.stdout
    with Journal(path, IDENTITY) as journal:
        assert records(journal) == [b"fits", b"small", b"room again"]
        assert journal.dropped == 0


def test_failed_sync_breaks_the_journal_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with Journal(tmp_path / "j", IDENTITY) as journal:
        monkeypatch.setattr(os, "fdatasync", fail)
        with pytest.raises(JournalBroken, match="cannot make"):
            journal.append([b"lost?"])
        monkeypatch.undo()
        with pytest.raises(JournalBroken, match="failed before"):
            journal.append([b"never"])


WRITER = """
import sys
from pathlib import Path
from optimist.store.journal import Journal
journal = Journal(Path(sys.argv[1]), bytes([0x42]) * 32)
while True:
    number = journal.next_sequence
    journal.append([b"record %d" % number, b"record %d" % (number + 1)])
    print(number + 1, flush=True)
"""


def kill_writer(path: Path, after: int) -> int:
    """Run a writer, kill -9 it after some acknowledgements, and return the last record it acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
        return int([line for line in lines if line.endswith("\n")][-1])


@pytest.mark.parametrize("rounds", [3, pytest.param(40, marks=pytest.mark.long)])
def test_killed_writer_loses_nothing_that_it_acknowledged(tmp_path: Path, rounds: int) -> None:
    path = tmp_path / "j"
    for round_ in range(rounds):
        acknowledged = kill_writer(path, after=3 + round_ % 7)
        with Journal(path, IDENTITY) as journal:
            assert journal.next_sequence > acknowledged
            assert all(record == b"record %d" % number for number, record in journal.read())
