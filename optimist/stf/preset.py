"""The sizes of this law. `law.py` puts one of `presets/` in this module's place; left alone: `minimal`."""

from optimist.stf.presets.minimal import ORDER_SLOTS, POSITION_SLOTS

__all__ = ["ORDER_SLOTS", "POSITION_SLOTS"]
