"""What L1 alone proves about a rollup's life: batches, liquidations, payments, assertions, and every lie.

Nothing here asks a sequencer, a node or a log file. `devnet.check` compares it with what the demo wrote.
"""
