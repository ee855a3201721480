"""What a player must know about a range of batches; the game asks nothing else of node and machine."""

from typing import Protocol

from challenger.game.dispute import Opening
from challenger.game.lists import History


class TraceProvider(Protocol):
    """Answers about the range that begins after batch `start`. Positions count its inputs from 0.

    An honest player is given the truth. The same interface with another truth behind it makes a liar.
    """

    def get_end_root(self, batch: int) -> bytes | None:
        """State root after `batch`; None while that batch is not known here."""
        ...

    def get_history(self, start: int, to: int) -> History:
        """Level-1 leaves after each input of the batches start + 1 to `to`, all of them known."""
        ...

    def get_opening(self, start: int, position: int) -> Opening:
        """What opens the leaf before one input, and the input."""
        ...

    def get_root_after(self, start: int, position: int) -> bytes:
        """State root after one input."""
        ...

    def get_trace(self, start: int, position: int) -> History:
        """Machine states after each step of one input; the last one is FINAL of the root after it."""
        ...

    def get_step_proof(self, start: int, position: int, step: int) -> bytes:
        """Witness for L1 of one step (from 0) of one input."""
        ...
