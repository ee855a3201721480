import asyncio
import os
from pathlib import Path

import pytest

from optimist.store.group_commit import GroupCommit
from optimist.store.journal import Journal, JournalBroken, JournalFull
from optimist.store.segments import SegmentedJournal

IDENTITY = b"\x42" * 32


@pytest.mark.asyncio
async def test_concurrent_appends_share_frames_and_keep_their_order(tmp_path: Path) -> None:
    journal = await asyncio.to_thread(Journal, tmp_path / "j", IDENTITY)
    commit = GroupCommit(journal)
    numbers = await asyncio.gather(*(commit.append(b"%d" % i) for i in range(200)))
    assert numbers == list(range(200))
    await commit.close()
    found = await asyncio.to_thread(lambda: [record for _, record in journal.read()])
    assert found == [b"%d" % i for i in range(200)]
    frame_overhead = 53
    # One frame for the first, one for the 199 that came while it was written.
    assert journal.size < 44 + 3 * frame_overhead + sum(4 + len(record) for record in found)
    journal.close()


@pytest.mark.asyncio
async def test_cancelled_caller_harms_nobody_else(tmp_path: Path) -> None:
    journal = await asyncio.to_thread(Journal, tmp_path / "j", IDENTITY)
    commit = GroupCommit(journal)
    tasks = [asyncio.create_task(commit.append(b"%d" % i)) for i in range(3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[0] == 0
    assert isinstance(results[1], asyncio.CancelledError)
    assert results[2] == 2
    await commit.close()
    journal.close()


@pytest.mark.asyncio
async def test_broken_disk_fails_every_waiter_and_all_who_come_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    journal = await asyncio.to_thread(Journal, tmp_path / "j", IDENTITY)
    commit = GroupCommit(journal)
    monkeypatch.setattr(os, "fdatasync", fail)
    results = await asyncio.gather(*(commit.append(b"x") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, JournalBroken) for result in results)
    with pytest.raises(JournalBroken):
        await commit.append(b"later")
    await commit.close()
    with pytest.raises(JournalBroken, match="closed"):
        await commit.append(b"after closing")
    journal.close()


@pytest.mark.asyncio
async def test_full_disk_fails_what_may_build_on_the_lost_record_until_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record behind a lost one must not become safe: replayed without it, it would mean something else."""

    def fail(descriptor: int, data: bytes, offset: int) -> int:
        raise OSError(28, "No space left on device")

    journal = await asyncio.to_thread(Journal, tmp_path / "j", IDENTITY)
    commit = GroupCommit(journal)
    with monkeypatch.context() as disk:
        disk.setattr(os, "pwrite", fail)
        results = await asyncio.gather(*(commit.append(b"x") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(result, JournalFull) for result in results)
    with pytest.raises(JournalFull):
        await commit.append(b"there is room again, but nobody has gone back yet")
    commit.resume()
    assert await commit.append(b"anew") == 0
    await commit.close()
    journal.close()


@pytest.mark.asyncio
async def test_what_is_to_be_done_behind_a_record_is_done_before_the_next_one_is_written(
    tmp_path: Path,
) -> None:
    journal = await asyncio.to_thread(SegmentedJournal, tmp_path / "j", IDENTITY)
    commit = GroupCommit(journal)

    def snapshot() -> None:
        assert journal.next_sequence == 2
        journal.roll([b"snapshot"])

    numbers = await asyncio.gather(
        commit.append(b"0"), commit.append(b"1", snapshot), *(commit.append(b"later") for _ in range(3))
    )
    assert (numbers, journal.starts) == ([0, 1, 3, 4, 5], (0, 2))
    await commit.close()
    journal.close()
