"""What the operator runs: order actions, journal, acknowledge, post batches, propose state roots."""
