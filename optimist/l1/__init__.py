"""The only room that speaks to Ethereum."""
