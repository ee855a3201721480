"""From source text to a checked, typed tree in which every integer carries its interval. See the README."""
