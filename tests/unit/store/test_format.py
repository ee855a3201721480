"""A data directory says which format it has; an older one is moved on, a newer one refused."""

from pathlib import Path

import pytest

from optimist.store.format import FORMAT, UnknownFormat, prepare_directory
from optimist.store.journal import Journal
from optimist.store.segments import SegmentedJournal

IDENTITY = b"\x42" * 32


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A directory as the version before formats were numbered has left it."""
    with Journal(tmp_path / "journal", IDENTITY) as journal:
        journal.append([b"promised", b"this too"])
    (tmp_path / "state").mkdir()
    return tmp_path


def read(directory: Path) -> list[bytes]:
    with SegmentedJournal(directory / "journal", IDENTITY) as journal:
        return [record for _, record in journal.read()]


def test_empty_directory_gets_the_present_format(tmp_path: Path) -> None:
    assert prepare_directory(tmp_path) == FORMAT
    assert (tmp_path / "FORMAT").read_text() == f"{FORMAT}\n"
    assert prepare_directory(tmp_path) == FORMAT


def test_old_directory_is_moved_on_and_keeps_every_byte_of_its_journal(old: Path) -> None:
    before = (old / "journal").read_bytes()
    assert prepare_directory(old) == 1
    assert (old / "journal" / f"{0:020d}").read_bytes() == before
    assert read(old) == [b"promised", b"this too"]
    assert prepare_directory(old) == FORMAT


class Cut(BaseException):
    """A crash, for a test."""


@pytest.mark.parametrize("step", range(1, 7))
def test_move_that_is_cut_off_at_any_step_is_finished_at_the_next_start(
    old: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    left = step

    def count(real: object) -> object:
        def call(*arguments: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                raise Cut
            assert callable(real)
            return real(*arguments, **named)

        return call

    with monkeypatch.context() as crash:
        for name in ("rename", "mkdir"):
            crash.setattr(Path, name, count(getattr(Path, name)))
        crash.setattr("os.fsync", count(lambda _: None))
        with pytest.raises(Cut):
            prepare_directory(old)
    prepare_directory(old)
    assert read(old) == [b"promised", b"this too"]
    assert (old / "FORMAT").read_text() == f"{FORMAT}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [("3", "a newer version has written it"), ("x2", "instead of a number"), ("", "instead of a number")],
)
def test_newer_and_strange_formats_are_refused_and_left_alone(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "FORMAT").write_text(text)
    with pytest.raises(UnknownFormat, match=words):
        prepare_directory(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["FORMAT"]
