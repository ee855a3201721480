"""People and programs that use a rollup: traders, a market maker, oracle keys, a keeper that liquidates."""
