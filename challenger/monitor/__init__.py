"""What there is to see, what we think of it, how it can end, and what is wrong. Pure; holds no key."""
