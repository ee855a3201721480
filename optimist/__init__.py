"""Optimist: an optimistic rollup for margined derivatives; one law, written once, provable step by step."""
