"""Settings of the challenger's commands."""

from challenger.game.types import Parameters
from optimist.base.presets import Preset
from optimist.ops.settings import NodeSettings, SignerSettings


class WatchSettings(NodeSettings):
    """The watcher needs an L1 and a deployment, nothing else."""


class RunSettings(SignerSettings):
    """The challenger adds a key, which holds the bond."""

    stake: bool = True
    """Lay down the bond when a false assertion needs an answer; off: only play for claims we operate."""
    until_resolved: bool = False
    """End when nothing false lives and all that we stood up for is confirmed and paid; else play for ever."""


def get_parameters(preset: Preset) -> Parameters:
    """The game's parameters of a deployment."""
    return Parameters(
        arity=preset.k,
        input_height=preset.h1,
        step_height=preset.h2,
        challenge_period=preset.challenge_period,
        grace=preset.grace,
        min_period=preset.min_period,
        bond=preset.bond,
        gas_price_cap=preset.gas_price_cap,
    )
