"""Pages over an account's public keys, key groups and behaviors, for a browser on this machine."""
