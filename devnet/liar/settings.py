"""Settings of `python -m devnet.liar`."""

from typing import Literal

from challenger.settings import RunSettings


class LiarSettings(RunSettings):
    """A challenger's settings, and what to lie about."""

    fault: str
    """What to lie about: the name of a patched law, or a form such as state:INPUT:TABLE:ROW:WORD:DELTA."""
    manner: Literal["quiet", "eager"] = "quiet"
    """A quiet liar leaves it to others to open matches and to ask L1 who is right; an eager one does both."""
    insist: bool = False
    """Go on with a false root where the fault itself would leave no trace in the state."""
