"""Optimist: an optimistic rollup for margined derivatives whose law is written once and provable step by step."""
