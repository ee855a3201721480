"""The story that `make demo` plays: a market, a crash, money out, and two lies that L1 itself finds out."""
