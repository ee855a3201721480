"""Which invariant an assertion belongs to, so that a judge can say what is broken.

    with judging("I13"):
        assert filled <= order.size

The innermost block names it. Inside `collect_broken` nothing is raised: all that is broken is collected.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_COLLECTED: ContextVar[set[str] | None] = ContextVar("collected", default=None)


class BrokenInvariantError(AssertionError):
    """An invariant does not hold; `invariant` is its name in docs/INVARIANTS.md."""

    def __init__(self, invariant: str, problem: str) -> None:
        super().__init__(invariant, problem)
        self.invariant = invariant

    def __str__(self) -> str:
        return ": ".join(self.args)


@contextmanager
def judging(invariant: str) -> Iterator[None]:
    """What fails in here breaks `invariant`; as a decorator, what fails in the function."""
    try:
        yield
    except BrokenInvariantError:
        raise
    except AssertionError as error:
        collected = _COLLECTED.get()
        if collected is None:
            raise BrokenInvariantError(invariant, str(error)) from error
        collected.add(invariant)


@contextmanager
def collect_broken() -> Iterator[set[str]]:
    """The names of all that is broken in here, instead of the first one as an error."""
    broken: set[str] = set()
    token = _COLLECTED.set(broken)
    try:
        yield broken
    finally:
        _COLLECTED.reset(token)
