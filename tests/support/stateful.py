"""Runs of Hypothesis' state machines that go on until all has happened often enough, and can be replayed."""

import os
import random
from collections.abc import Iterable
from typing import Final

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from tests.support.mirror import compile_game
from tests.support.twin_table import Tally

REPLAY: Final = "TWIN_SEED"  # the environment variable that names a seed to be replayed
EXAMPLES: Final = 10  # deployments of one seed
STEPS: Final = 15  # rules of one deployment
SHRUNK: Final = (Phase.generate, Phase.shrink)


def choose_seeds(count: int) -> range:
    """Other ones at every run, but for continuous integration, which must not fail by luck."""
    first = 0 if os.environ.get("CI") else random.SystemRandom().randrange(10**6)
    return range(first, first + count)


def play(number: int, machine: type[RuleBasedStateMachine], phases: Iterable[Phase] = SHRUNK) -> None:
    """The deployments of one seed. A failure says how to replay it."""
    profile = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=tuple(phases),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    try:
        run_state_machine_as_test(seed(number)(machine), settings=profile)
    except Exception as error:
        error.add_note(
            f"replay: {REPLAY}={number} pytest tests/property -k 'one_seed and {machine.__name__}'"
        )
        raise


def get_functions(contract: str) -> set[str]:
    """Every function of a contract that changes something: contract.function."""
    return {
        f"{contract}.{entry['name']}"
        for entry in compile_game()[contract].abi
        if entry["type"] == "function" and entry["stateMutability"] in ("nonpayable", "payable")
    }


def get_errors(contract: str) -> set[str]:
    """Every custom error of a contract's ABI."""
    return {entry["name"] for entry in compile_game()[contract].abi if entry["type"] == "error"}


def find_rare(tally: Tally, functions: dict[str, int], errors: dict[str, int]) -> dict[str, int]:
    """What has happened less often than wanted, and how often."""
    rare = {name: tally.functions[name] for name, least in functions.items() if tally.functions[name] < least}
    return rare | {name: tally.errors[name] for name, least in errors.items() if tally.errors[name] < least}


def describe(tally: Tally) -> str:
    """The counts, rarest first."""
    lines = [f"{tally.calls} calls, the whole state compared after each"]
    for title, counts in (("landed", tally.functions), ("refused", tally.errors)):
        listed = ", ".join(f"{name} {count}" for name, count in reversed(counts.most_common()))
        lines.append(f"{title}: {listed}")
    lines.append(f"{len(tally.places)} pairs of function and error")
    return "\n".join(lines)
