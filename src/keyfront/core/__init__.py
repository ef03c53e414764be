"""Keys, policies, signing and verifying, as plain values: no I/O, no clock, and only `cryptography`."""
