"""Settings of `challenger run`: which key, which sources, for whom."""

import pytest

from challenger.settings import RunSettings
from optimist.base.presets import MAINNET, MINIMAL
from optimist.l1.types import from_hex
from optimist.ops.config import ConfigError

NEEDED = {"l1_rpc": "http://127.0.0.1:1", "deployment": "d.json"}
KEY = {"dev": True, "key": {"secret": "0x" + "11" * 32}}
SOMEBODY = "0x" + "Ab" * 20


def test_every_mode_but_watch_needs_a_key() -> None:
    for mode in ("defend", "resolve", "propose"):
        with pytest.raises(ConfigError, match="exactly one key"):
            RunSettings.load({**NEEDED, "mode": mode})
        assert RunSettings.load({**NEEDED, **KEY, "mode": mode}).mode == mode
    assert not RunSettings.load({**NEEDED, "mode": "watch"}).needs_key


def test_a_watcher_takes_no_key() -> None:
    with pytest.raises(ConfigError, match="give it no key"):
        RunSettings.load({**NEEDED, **KEY, "mode": "watch"})


def test_one_endpoint_is_enough_for_play_money_only() -> None:
    settings = RunSettings.load({**NEEDED, **KEY})
    assert settings.get_least_sources(MINIMAL) == 1
    assert settings.get_least_sources(MAINNET) == 2
    chosen = RunSettings.load({**NEEDED, **KEY, "min_sources": 3})
    assert chosen.get_least_sources(MINIMAL) == chosen.get_least_sources(MAINNET) == 3


def test_a_bond_is_put_on_safe_data_unless_one_says_otherwise() -> None:
    assert RunSettings.load({**NEEDED, **KEY}).l1_tag == "safe"


def test_owners_are_addresses() -> None:
    settings = RunSettings.load({**NEEDED, **KEY, "operate_for": f"{SOMEBODY}, 0x{'00' * 20}"})
    assert settings.owners == {from_hex(SOMEBODY), bytes(20)}
    with pytest.raises(ConfigError, match="40 hexadecimal digits"):
        RunSettings.load({**NEEDED, **KEY, "operate_for": "0x12"})


def test_what_is_urgent_always_finds_a_place_in_the_sender() -> None:
    assert RunSettings.load({**NEEDED, **KEY}).limit == 128
    assert RunSettings.load({**NEEDED, **KEY, "max_acts_per_block": 5}).limit == 5
    narrow = RunSettings.load({**NEEDED, **KEY, "tx": {"max_pending": 10}})
    assert narrow.limit == 8
    assert RunSettings.load({**NEEDED, **KEY, "tx": {"max_pending": 1}}).limit == 1
    assert RunSettings.load({**NEEDED, **KEY, "tx": {"confirmations": 2}}).limit == 128, "another setting"
