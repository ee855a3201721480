"""A journal in several files: cut behind snapshots, whole after every crash, loud about every hole."""

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from optimist.store.journal import JournalBroken, JournalCorrupt, JournalFull
from optimist.store.segments import SegmentedJournal

IDENTITY = b"\x42" * 32


def records(journal: SegmentedJournal, start: int = 0) -> list[tuple[int, bytes]]:
    return list(journal.read(start))


def names(path: Path) -> list[int]:
    return sorted(int(each.name) for each in path.iterdir())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three files: records 0-1, 2-4, 5-6; the second and third begin with a snapshot."""
    with SegmentedJournal(tmp_path / "journal", IDENTITY) as journal:
        journal.append([b"0", b"1"])
        assert journal.roll([b"snapshot 2", b"more of it"]) == 2
        journal.append([b"4"])
        assert journal.roll([b"snapshot 5"]) == 5
        journal.append([b"6"])
    return tmp_path / "journal"


WHOLE = list(enumerate([b"0", b"1", b"snapshot 2", b"more of it", b"4", b"snapshot 5", b"6"]))


def test_records_come_back_from_every_start_across_files(path: Path) -> None:
    with SegmentedJournal(path, IDENTITY) as journal:
        for start in range(len(WHOLE) + 1):
            assert records(journal, start) == WHOLE[start:]
        assert (journal.starts, journal.next_sequence) == ((0, 2, 5), 7)


def test_what_lies_before_a_snapshot_can_be_deleted_and_the_rest_goes_on(path: Path) -> None:
    with SegmentedJournal(path, IDENTITY) as journal:
        assert journal.forget(before=5) == 2
        assert (names(path), records(journal)) == ([5], WHOLE[5:])
        with pytest.raises(ValueError, match="no file of the journal begins"):
            journal.forget(before=6)
    with SegmentedJournal(path, IDENTITY) as journal:
        assert journal.append([b"7"]) == 7
        assert records(journal) == [*WHOLE[5:], (7, b"7")]


def test_snapshot_larger_than_a_frame_is_read_back_whole(tmp_path: Path) -> None:
    parts = [bytes([number]) * 300_000 for number in range(9)]
    with SegmentedJournal(tmp_path / "j", IDENTITY) as journal:
        journal.append([b"first"])
        journal.roll(iter(parts))
    with SegmentedJournal(tmp_path / "j", IDENTITY) as journal:
        assert [record for _, record in journal.read(1)] == parts


def test_hole_strange_link_and_renamed_file_are_loud_errors(path: Path, tmp_path: Path) -> None:
    (path / f"{2:020d}").rename(tmp_path / "aside")
    with pytest.raises(JournalCorrupt, match="does not go on where"):
        SegmentedJournal(path, IDENTITY)
    (tmp_path / "aside").rename(path / f"{3:020d}")
    with pytest.raises(JournalCorrupt, match="it was renamed"):
        SegmentedJournal(path, IDENTITY)
    (path / f"{3:020d}").rename(path / f"{2:020d}")
    with SegmentedJournal(path, IDENTITY) as journal:
        assert records(journal) == WHOLE


def test_earlier_file_cut_at_any_offset_is_a_loud_error_and_the_last_one_loses_only_a_torn_frame(
    path: Path,
) -> None:
    earlier, last = path / f"{2:020d}", path / f"{5:020d}"
    whole = earlier.read_bytes()
    for cut in range(len(whole)):
        earlier.write_bytes(whole[:cut])
        with pytest.raises(JournalCorrupt):
            SegmentedJournal(path, IDENTITY)
        assert earlier.stat().st_size == cut, "a damaged file must be left as it is"
    earlier.write_bytes(whole)
    last.write_bytes(last.read_bytes()[:-1])
    with SegmentedJournal(path, IDENTITY) as journal:
        assert (records(journal), journal.dropped > 0) == (WHOLE[:-1], True)


def test_every_flipped_bit_of_a_later_file_is_a_loud_error(path: Path) -> None:
    file = path / f"{5:020d}"
    whole = file.read_bytes()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        with pytest.raises(JournalCorrupt):
            SegmentedJournal(path, IDENTITY)


KILLED = """
import os, signal, sys
from pathlib import Path
from optimist.store.segments import SegmentedJournal
left = int(sys.argv[2])
def reach(name):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
journal = SegmentedJournal(Path(sys.argv[1]), bytes([0x42]) * 32, reach)
journal.append([b"7"])
journal.roll([b"snapshot 8"])
"""


@pytest.mark.parametrize(("arrival", "is_taken"), [(1, False), (2, False), (3, True)])
def test_killed_in_a_snapshot_the_journal_is_whole_with_it_or_without_it(
    path: Path, arrival: int, is_taken: bool
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), str(arrival)], check=False)
    assert done.returncode == -signal.SIGKILL
    drafts = [each for each in path.iterdir() if not each.name.isdecimal()]
    assert len(drafts) == (not is_taken)
    with SegmentedJournal(path, IDENTITY) as journal:
        assert records(journal) == [*WHOLE, (7, b"7"), *([(8, b"snapshot 8")] if is_taken else [])]
        assert journal.append([b"goes on"]) == 8 + is_taken
    assert all(each.name.isdecimal() for each in path.iterdir()), "what the crash has left is cleared away"


@pytest.fixture
def short_files() -> Iterator[None]:
    """No file may grow beyond 4 KiB: what a full disk says, as any user can have it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_snapshot_on_a_full_disk_changes_nothing(path: Path, short_files: None) -> None:
    with SegmentedJournal(path, IDENTITY) as journal:
        with pytest.raises(JournalFull, match="File too large"):
            journal.roll([bytes(10_000)])
        assert not journal.has_room()
        assert journal.append([b"7"]) == 7
        assert records(journal) == [*WHOLE, (7, b"7")]
    assert names(path) == [0, 2, 5]


def test_failed_rename_breaks_the_journal_until_it_is_opened_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with SegmentedJournal(path, IDENTITY) as journal:
        with monkeypatch.context() as disk:
            disk.setattr(Path, "rename", lambda *_: fail(0))
            with pytest.raises(JournalBroken, match="cannot make"):
                journal.roll([b"snapshot 7"])
        with pytest.raises(JournalBroken, match="failed before"):
            journal.append([b"never"])
    with SegmentedJournal(path, IDENTITY) as journal:
        assert records(journal) == WHOLE
    assert names(path) == [0, 2, 5], "and no draft is left"
