"""The dispute game, off chain: the pure twin of the Rollup and Dispute contracts."""
