"""What every test stands on: hypothesis profiles and a loop that must not block."""

import inspect
import os
from collections.abc import Iterator

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, Verbosity, settings

# print_blob: a failing random test prints the line that replays it.
settings.register_profile("default", max_examples=50, deadline=None, print_blob=True)
settings.register_profile("long", parent=settings.get_profile("default"), max_examples=2000)
settings.register_profile(
    "debug", parent=settings.get_profile("default"), max_examples=10, verbosity=Verbosity.verbose
)
# Continuous integration must not fail by luck: the same examples on every run.
settings.register_profile(
    "ci",
    parent=settings.get_profile("default"),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
os.environ["OPTIMIST_OPS_PORT"] = "0"  # any number of programs run here at once
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "default"))


@pytest.fixture(autouse=True)
def _loop_never_blocks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail an async test in which our own code makes a blocking call on the event loop."""
    if not inspect.iscoroutinefunction(request.function):
        yield
        return
    with blockbuster_ctx(["optimist", "challenger"]):
        yield
