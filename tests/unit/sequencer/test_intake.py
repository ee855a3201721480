"""The door: what is not worth sequencing is refused before it rests in a book."""

import asyncio

import pytest

from optimist.api.errors import ApiError
from optimist.base.presets import get_preset
from optimist.derive.actions import SignedOrder
from optimist.sequencer.intake import Intake
from optimist.sequencer.recoverer import Recoverer
from optimist.stf.codes import Code
from tests.support.world import FREE, OK, World

TRADE, CANCEL = 1, 2


def judge(world: World, order: SignedOrder) -> int:
    """The code with which the door refuses an order; 0 when it lets it in."""

    async def ask() -> int:
        recoverer = Recoverer()
        try:
            intake = Intake(
                world.domain, recoverer, get_preset("minimal"), lambda: world.state, lambda: world.second
            )
            (answer,) = await intake.check([order])
        finally:
            recoverer.close()
        return answer.number if isinstance(answer, ApiError) else OK

    return asyncio.run(ask())


@pytest.fixture
def world() -> World:
    world = World(markets=(FREE,))
    world.deposit(1, 1_000)
    world.price(0, 50_000)
    return world


@pytest.mark.parametrize(
    ("rights", "lasts", "nonce", "code"),
    [
        (TRADE, 5, (1 << 63) - 1, OK),
        (CANCEL, 5, 1, Code.SESSION_RIGHTS),
        (TRADE, 4, 1, Code.SESSION_EXPIRED),
        (TRADE, 5, 1 << 63, Code.SESSION_NONCE),
    ],
)
def test_order_that_no_fill_could_ever_use_does_not_rest(
    world: World, rights: int, lasts: int, nonce: int, code: int
) -> None:
    """Others would see it as money to trade with."""
    assert world.lend_key(1, 3, "bot", rights, expiry=world.second + lasts) == OK
    world.second += 5
    assert judge(world, world.order(1, True, 1_000, 50_000, signer="bot", key=3, nonce=nonce)) == code


def test_owner_may_use_every_nonce(world: World) -> None:
    assert judge(world, world.order(1, True, 1_000, 50_000, nonce=(1 << 64) - 1)) == OK
