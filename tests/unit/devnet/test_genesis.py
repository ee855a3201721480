"""What would deploy a dead rollup is refused before it is deployed."""

from dataclasses import replace

import pytest

from devnet.accounts import get_cast
from devnet.genesis import make_init
from optimist.derive.actions import Init
from optimist.operator.rollup_file import BadInit, check_init
from optimist.stf.law import get_law


@pytest.fixture
def init() -> Init:
    cast = get_cast()
    return make_init(
        chain_id=1,
        vault=bytes(20),
        second=1,
        backstop_owner=cast.backstop.address,
        signers=[key.address for key in cast.oracle],
    )


@pytest.mark.parametrize("preset", ["minimal", "mainnet"])
def test_the_devnets_parameters_are_lawful(init: Init, preset: str) -> None:
    check_init(get_law(preset), init)


def test_parameters_that_the_law_refuses_are_named(init: Init) -> None:
    with pytest.raises(BadInit, match="BAD_SIGNERS"):
        check_init(get_law("minimal"), replace(init, quorum=3))
    with pytest.raises(BadInit, match="BAD_PRICE_RULE"):
        check_init(get_law("minimal"), replace(init, markets=(replace(init.markets[0], step_ppm=0),)))
