"""Sizes of the `mainnet` preset."""

from typing import Final

# 16 markets at once in an account: 2**SLOT_BITS, the most that a row can name
POSITION_SLOTS: Final = 16

# 16 orders at once that an account can have partly filled: 2**SLOT_BITS
ORDER_SLOTS: Final = 16
