"""The game as L1 tells it: events to facts, acts to transactions."""
