"""Which format a data directory has: written down in it, checked at every start, moved on where that is safe.

    1   one file `journal`; no file FORMAT yet
    2   a directory `journal` (`segments.py`), and FORMAT

A step to the next format renames files, can be cut off at any point and begun again, and changes no byte of
what was promised: the journal checks its own chain afterwards, the state hashes to its root or is derived
anew, and the sequencer's gate audits what comes out.

    UnknownFormat       written by a newer version, or no data directory of ours
"""

from pathlib import Path
from typing import Final

from optimist.store.journal import create, sync_directory
from optimist.store.state_store import ForeignState

FORMAT: Final = 2
FORMAT_FILE: Final = "FORMAT"
_JOURNAL: Final = "journal"
_FIRST_SEGMENT: Final = f"{0:020d}"
_ASIDE: Final = "journal-of-format-1"


class UnknownFormat(ForeignState):
    """A data directory that only another version can read."""


def prepare_directory(directory: Path) -> int:
    """Bring a data directory that is locked already to the present format; the format that it had.

    A directory without anything in it gets the present one. Raises UnknownFormat.
    """
    found = read_format(directory)
    if found > FORMAT:
        raise UnknownFormat(
            f"{directory} has format {found}, this version knows formats up to {FORMAT}: "
            "a newer version has written it, use that one"
        )
    if found < FORMAT:
        _move_journal_into_directory(directory)
    if found < FORMAT or not (directory / FORMAT_FILE).exists():
        create(directory / FORMAT_FILE, f"{FORMAT}\n".encode())
    return found


def read_format(directory: Path) -> int:
    """The format of a data directory; the present one where it holds nothing yet. Raises UnknownFormat."""
    file = directory / FORMAT_FILE
    if file.exists():
        text = file.read_text(errors="replace").strip()
        if not (text.isascii() and text.isdigit() and int(text) > 1):
            raise UnknownFormat(f"{file} says {text[:20]!r} instead of a number: is this a data directory?")
        return int(text)
    has_journal = (directory / _ASIDE).exists() or (directory / _JOURNAL).is_file()
    return 1 if has_journal or (directory / "state").exists() else FORMAT


def _move_journal_into_directory(directory: Path) -> None:
    journal, aside = directory / _JOURNAL, directory / _ASIDE
    if journal.is_file():
        journal.rename(aside)
        sync_directory(directory)
    if aside.exists():
        journal.mkdir(exist_ok=True)
        aside.rename(journal / _FIRST_SEGMENT)
        sync_directory(journal)
        sync_directory(directory)
