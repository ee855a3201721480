"""A whole rollup on one machine: anvil, deployment, actors (honest ones, a liar), and their story."""
