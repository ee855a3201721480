"""Sizes of the `minimal` preset: tests and the devnet."""

from typing import Final

# 4 markets at once in an account
POSITION_SLOTS: Final = 4

# 4 orders at once that an account can have partly filled
ORDER_SLOTS: Final = 4
