"""The machine: a small register machine whose every step a contract can check. Knows neither law nor language."""
