"""Plays of the model on the contracts: each call has the same outcome, and all ends where the model says."""

from collections import Counter

import pytest

from tests.model.plays import sample_plays
from tests.model.replay import Replayer
from tests.model.world import Config

CONFIGS = [
    Config(
        adversaries=adversaries,
        period=period,
        censored=1,
        habit=habit,
        rounds=rounds,
        false_ends=ends,
        money=True,
    )
    for habit in ("watcher", "always")
    for adversaries, period, rounds, ends in ((1, 6, 1, 1), (2, 6, 1, 1), (3, 7, 1, 2), (3, 6, 2, 1))
]


def replay(config: Config, seeds: range) -> Counter[str]:
    """Replay one play for each seed; counts calls by outcome."""
    counts: Counter[str] = Counter()
    replayer: Replayer | None = None
    for play in sample_plays(config, seeds):
        replayer = replayer or Replayer(play.world)
        try:
            replayer.replay(play)
        except AssertionError as error:
            again = f"replay({config!r}, range({play.seed}, {play.seed + 1}))"
            error.add_note(f"replay: python -c 'from tests.model.test_plays_on_contracts import *; {again}'")
            raise
        counts["plays"] += 1
        for call in play.calls:
            counts[call.error or type(call.act).__name__] += 1
    return counts


def replay_all(count: int) -> str:
    """So many plays of each configuration; what happened in them."""
    counts: Counter[str] = Counter()
    for config in CONFIGS:
        counts += replay(config, range(count))
    plays = counts.pop("plays")
    assert plays == count * len(CONFIGS)
    listed = ", ".join(f"{name} {number}" for name, number in counts.most_common())
    return f"{plays} plays, {counts.total()} calls, the whole state compared after each that landed: {listed}"


@pytest.mark.timeout(600)
def test_sampled_plays_are_the_same_on_the_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    report = replay_all(12)
    with capsys.disabled():
        print(f"\n{report}")


@pytest.mark.long
@pytest.mark.timeout(7200)
def test_thousands_of_plays_are_the_same_on_the_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    report = replay_all(640)
    with capsys.disabled():
        print(f"\n{report}")
