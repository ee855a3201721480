"""Ground floor: hashing, trees, signatures. Knows nothing of finance, of machines or of Ethereum nodes."""
