"""The machine: small, of registers, each step checkable by a contract. Knows neither law nor language."""
