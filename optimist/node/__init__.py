"""The node that everybody shares: it follows L1, derives inputs, applies the law, answers questions."""
