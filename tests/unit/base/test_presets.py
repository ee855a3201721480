"""The presets hold what the contracts and the proofs rest on, and say what docs/PROTOCOL.md says."""

import re
from pathlib import Path

import pytest

from optimist.base.presets import ETHER, GWEI, PRESETS, Preset, get_preset

PROTOCOL = Path(__file__).parents[3] / "docs" / "PROTOCOL.md"


def read_table() -> dict[str, tuple[str, str]]:
    """Rows of the table of section 7: parameter -> (minimal, mainnet)."""
    section = PROTOCOL.read_text().split("## 7. Presets")[1].split("## 8.")[0]
    rows = re.findall(r"^\| (?!parameter|---)(.+?) \| (.+?) \| (.+?) \| .* \|$", section, re.MULTILINE)
    return {name: (minimal, mainnet) for name, minimal, mainnet in rows}


def numbers(cell: str) -> list[int]:
    """The integers in a cell; `10^13` counts as a power."""
    parts = [part.replace(",", "") for part in re.split(r",\s+", cell)]
    return [int(base) ** int(exponent or 1) for base, _, exponent in (part.partition("^") for part in parts)]


def in_table_units(preset: Preset) -> dict[str, list[int]]:
    return {
        "POSITION_SLOTS, ORDER_SLOTS": [preset.position_slots],
        "K, H1, H2": [preset.k, preset.h1, preset.h2],
        "MAX_BATCH": [preset.max_batch],
        "MAX_QUEUE_ITEMS": [preset.max_queue_items],
        "FORCED_DEADLINE": [preset.forced_deadline],
        "MAX_DELAY": [preset.max_delay],
        "DRIFT": [preset.drift],
        "CHALLENGE_PERIOD (T)": [preset.challenge_period],
        "GRACE": [preset.grace],
        "MIN_PERIOD": [preset.min_period],
        "BOND": [preset.bond // ETHER],
        "GAS_PRICE_CAP": [preset.gas_price_cap // GWEI],
        "MAX_DEPOSIT, MAX_TOTAL": [preset.max_deposit, preset.max_total],
    }


@pytest.mark.parametrize("column", [0, 1])
def test_presets_are_the_table_of_the_protocol(column: int) -> None:
    preset = PRESETS[("minimal", "mainnet")[column]]
    assert in_table_units(preset) == {name: numbers(cells[column]) for name, cells in read_table().items()}


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_presets_keep_the_bounds_of_the_protocol(preset: Preset) -> None:
    assert preset.order_slots == preset.position_slots <= 16  # a slot has 4 bits of the row
    assert 1 + preset.max_queue_items <= preset.max_batch <= preset.k**preset.h1
    assert preset.max_deposit <= preset.max_total < 2**62
    assert preset.drift <= 60
    assert preset.forced_deadline > preset.drift
    assert preset.grace + preset.min_period < preset.challenge_period


def test_get_preset_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'main'; use one of: mainnet, minimal"):
        get_preset("main")
