"""The alarm comes before the money is gone, at the pace at which it goes, and ends when somebody pays in."""

import asyncio
from typing import cast

import pytest
from structlog.testing import capture_logs

from optimist.l1.client import L1Client
from optimist.l1.runway import HOUR, Runway, RunwayPolicy
from optimist.l1.sender import Sender

ETHER = 10**18


class Purse:
    """The two figures that the runway reads, and its clock."""

    address = b"\x11" * 20

    def __init__(self) -> None:
        self.balance = 10 * ETHER
        self.spent = 0
        self.now = 0.0

    async def get_balance(self, address: bytes) -> int:
        assert address == self.address
        return self.balance

    def spend(self, wei: int, seconds: float) -> None:
        self.balance -= wei
        self.spent += wei
        self.now += seconds


@pytest.fixture
def purse() -> Purse:
    return Purse()


def watch(purse: Purse) -> Runway:
    policy = RunwayPolicy(least_balance=ETHER, least_time=24 * HOUR)
    return Runway(cast("L1Client", purse), cast("Sender", purse), policy, clock=lambda: purse.now)


def look(runway: Runway) -> list[str]:
    with capture_logs() as logs:
        asyncio.run(runway.look())
    return [line["event"] for line in logs]


def test_nothing_spent_is_no_alarm_and_no_estimate(purse: Purse) -> None:
    runway = watch(purse)
    assert look(runway) == []
    assert runway.estimate() is None


def test_alarm_is_raised_when_the_pace_leaves_less_than_a_day(purse: Purse) -> None:
    runway = watch(purse)
    purse.spend(ETHER // 5, HOUR)  # 9.8 left: 49 hours
    assert look(runway) == []
    assert runway.estimate() == 49 * HOUR
    purse.spend(ETHER, HOUR)  # 8.8 left at 0.6 an hour
    assert look(runway) == ["runway_short"]
    estimate = runway.estimate()
    assert estimate is not None
    assert 14 * HOUR < estimate < 15 * HOUR


def test_alarm_is_raised_below_the_least_balance_whatever_the_pace(purse: Purse) -> None:
    runway = watch(purse)
    purse.balance = ETHER - 1
    assert look(runway) == ["runway_short"]
    assert look(runway) == ["runway_short"], "as long as it lasts"
    purse.balance = 10 * ETHER
    assert look(runway) == ["runway_restored"]
    assert look(runway) == []


def test_pace_of_long_ago_is_forgotten(purse: Purse) -> None:
    runway = watch(purse)
    purse.spend(5 * ETHER, HOUR)
    assert look(runway) == ["runway_short"]
    for _ in range(7):
        purse.now += HOUR
        look(runway)
    assert runway.estimate() is None
    assert not runway.is_short
