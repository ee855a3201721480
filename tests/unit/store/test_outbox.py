"""An outbox that has grown long is written anew, shorter; a crash or a full disk meanwhile costs nothing."""

import asyncio
import resource
from collections.abc import Sequence
from pathlib import Path

import pytest

from optimist.l1.fees import Fees
from optimist.l1.outbox import KEPT_NONCES, Attempt, keep_recent
from optimist.store.outbox import JournalOutbox

IDENTITY = b"\x42" * 32
COUNT = 600


def make(nonce: int, bump: int = 0) -> Attempt:
    hash_ = nonce.to_bytes(31, "big") + bytes((bump,))
    return Attempt(nonce, f"batch:{nonce}:0011223344556677", hash_, 1_000_000, Fees(10**9 + bump, 10**9))


def keep_last(attempts: Sequence[Attempt]) -> list[Attempt]:
    return list(attempts[-(COUNT - 400) :])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An outbox of so many attempts."""
    path = tmp_path / "outbox"
    outbox = JournalOutbox(path, IDENTITY, Attempt)
    asyncio.run(fill(outbox))
    outbox.close()
    return path


async def fill(outbox: JournalOutbox[Attempt]) -> None:
    await asyncio.gather(*(outbox.record(make(nonce)) for nonce in range(COUNT)))


def load(path: Path, **options: int) -> list[int]:
    outbox = JournalOutbox(path, IDENTITY, Attempt, keep_last, **options)
    try:
        return [attempt.nonce for attempt in outbox.load()]
    finally:
        outbox.close()


def test_long_outbox_is_written_anew_with_what_is_needed_and_goes_on(path: Path) -> None:
    before = path.stat().st_size
    assert load(path) == list(range(COUNT)), "it is not long yet"
    assert load(path, long=1_000) == list(range(400, COUNT))
    assert path.stat().st_size < before
    outbox = JournalOutbox(path, IDENTITY, Attempt)
    asyncio.run(outbox.record(make(COUNT, 1)))
    outbox.close()
    assert load(path) == list(range(400, COUNT + 1))
    assert [each.name for each in path.parent.iterdir()] == ["outbox"]


class Cut(BaseException):
    """A crash, for a test."""


@pytest.mark.parametrize("point", ["append", "rename", "sync_directory"])
def test_outbox_that_was_cut_off_while_it_was_written_anew_is_the_old_or_the_new_one(
    path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    def die(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as crash:
        if point == "append":
            crash.setattr("optimist.store.outbox.Journal.append", die)
        elif point == "rename":
            crash.setattr(Path, "rename", die)
        else:
            crash.setattr("optimist.store.outbox.sync_directory", die)
        with pytest.raises(Cut):
            load(path, long=1_000)
    assert load(path) == list(range(400 if point == "sync_directory" else 0, COUNT))
    assert [each.name for each in path.parent.iterdir()] == ["outbox"]


def test_outbox_stays_as_it_is_on_a_full_disk(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        assert load(path, long=1_000) == list(range(COUNT))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [each.name for each in path.parent.iterdir()] == ["outbox"]


def test_what_may_still_be_asked_for_is_kept_with_every_bump() -> None:
    attempts = [make(nonce, bump) for nonce in (0, 5, KEPT_NONCES, KEPT_NONCES + 4) for bump in (0, 1)]
    assert keep_recent(attempts) == attempts[2:]
    assert keep_recent([]) == []
