"""The law: the state transition function, written once in provable Python. It alone decides money."""
