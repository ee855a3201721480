"""Ground floor: hashing, trees, signatures, units. Knows nothing of finance, of machines or of Ethereum nodes."""
