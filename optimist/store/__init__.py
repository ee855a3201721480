"""The only room that touches disk: the journal, which is the truth, and the state, which is a cache."""
