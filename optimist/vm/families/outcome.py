"""How a step ends."""

from enum import Enum


class Outcome(Enum):
    """CONTINUES: pc already points at the next instruction. HALTED keeps the state, REJECTED the base."""

    CONTINUES = 0
    HALTED = 1
    REJECTED = 2
