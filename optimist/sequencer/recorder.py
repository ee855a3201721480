"""From memory to the disk: what the engine has made, record by record, and what to do when no more is taken.

    a full disk      the record is not kept: the engine goes back to what the journal holds, and waits
    a failing disk   nobody knows what was kept: the process must end, and open the journal again

Either way nothing more is taken, and nobody is told what is not safe.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from optimist.api.errors import ApiError, ErrorCode, api_error
from optimist.sequencer.engine import Outcome
from optimist.sequencer.entries import Entry, Opened, encode_record
from optimist.sequencer.watchers import Watchers
from optimist.store.group_commit import GroupCommit
from optimist.store.journal import JournalBroken, JournalFull
from optimist.store.segments import SegmentedJournal

log = structlog.get_logger(__name__)

DISK_IS_FULL: Final = "the disk is full"
JOURNAL_IS_BROKEN: Final = "the journal is broken"
DISK_POLL: Final = 1.0  # seconds between two looks at whether there is room again


class Recorder:
    """What was made and is not in the journal's hands yet. Use from one event loop."""

    def __init__(self, journal: SegmentedJournal, watchers: Watchers) -> None:
        """`watchers` are told what was made once it is safe."""
        self._journal = journal
        self._watchers = watchers
        self._commit = GroupCommit(journal)
        self._entries: list[Entry] = []
        self._made: list[Outcome] = []  # what some of the entries came of
        self._is_ahead = False  # the engine is, of a journal that took no more
        self._looked_at_disk = 0.0
        self.trouble = ""  # why nothing is taken; empty while the disk is well

    @property
    def has_entries(self) -> bool:
        """Whether anything waits to be given to the journal."""
        return bool(self._entries)

    @property
    def has_outcomes(self) -> bool:
        """Whether anything waits that somebody wants to know of, beyond the opening of a batch."""
        return bool(self._made)

    @property
    def ends_with_opening(self) -> bool:
        """Whether a batch was opened, and nothing has happened in it."""
        return bool(self._entries) and isinstance(self._entries[-1], Opened)

    def add(self, entry: Entry) -> None:
        """Something that nobody waits for: a batch was opened or closed."""
        self._entries.append(entry)

    def take(self, outcome: Outcome) -> None:
        """What came of an action."""
        if outcome.entries:
            self._entries += outcome.entries
            self._made.append(outcome)

    def take_back_opening(self) -> None:
        """As if the batch that was opened last had not been."""
        self._entries.pop()

    def start_over(self, entries: Sequence[Entry] = ()) -> None:
        """Forget what was not given yet; the engine was made anew and comes with these entries."""
        self._entries, self._made = list(entries), []

    def give(self, then: Callable[[], None] | None = None) -> "asyncio.Future[int]":
        """Give what waits to the journal as one record; done once it is safe, and the watchers know of it.

        `then`: what is to be done to the journal right behind it. Raises ApiError when it is full or broken.
        """
        record, made = encode_record(self._entries), self._made
        self.start_over()
        try:
            future = self._commit.put(record, then)
        except (JournalFull, JournalBroken) as error:
            raise self._note_trouble(error) from error
        future.add_done_callback(lambda done: self._tell(done, made))
        return future

    async def wait(self, future: "asyncio.Future[int]") -> None:
        """Until it is safe. Raises ApiError if it never will be. A cancelled caller's is written too."""
        try:
            await asyncio.shield(future)
        except (JournalFull, JournalBroken) as error:
            raise self._note_trouble(error) from error

    async def write(self) -> None:
        """`give`, and `wait` for it."""
        await self.wait(self.give())

    async def flush(self) -> None:
        """Until everything that was given is safe, or has failed."""
        await self._commit.flush()

    async def close(self) -> None:
        """Let the journal finish; it takes nothing more."""
        await self._commit.close()

    def look_for_room(self, go_back: Callable[[], None]) -> bool:
        """After a full disk: `go_back` to what the journal holds, once; True when it takes records again.

        Raises JournalBroken when only a new start can tell what it holds.
        """
        if self.trouble == JOURNAL_IS_BROKEN:
            raise JournalBroken(
                "the disk failed while the journal was written: start again to learn what it holds"
            )
        if self._is_ahead:
            go_back()  # what was not acknowledged is gone
            self._is_ahead = False
        now = asyncio.get_running_loop().time()
        if now - self._looked_at_disk < DISK_POLL:
            return False
        self._looked_at_disk = now
        if not self._journal.has_room():
            return False
        self._commit.resume()
        self.trouble = ""
        return True

    def _tell(self, done: "asyncio.Future[int]", made: Sequence[Outcome]) -> None:
        error = done.exception()
        if isinstance(error, JournalFull | JournalBroken):
            self._note_trouble(error)
        elif error is None:
            self._watchers.tell(made)

    def _note_trouble(self, error: JournalFull | JournalBroken) -> ApiError:
        """Take nothing more from now on; what to answer to who waits."""
        if isinstance(error, JournalFull):
            if self.trouble != DISK_IS_FULL:
                log.warning("journal_full", error=str(error))
            self.trouble, self._is_ahead = DISK_IS_FULL, True
            return api_error(
                ErrorCode.JOURNAL_FULL, "the action is NOT taken: the disk is full, try again later"
            )
        self.trouble = JOURNAL_IS_BROKEN
        return api_error(
            ErrorCode.NOT_READY, "the journal is broken: nobody knows whether the action was taken"
        )
