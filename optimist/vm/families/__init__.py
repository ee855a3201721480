"""What the opcodes do, one family per file, in the order of `solidity/src/vm/families`."""
