"""L1 bytes and ordered inputs; typed actions and their bytes. Pure."""
