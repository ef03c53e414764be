"""The signature and everything about it, as values: no I/O, no clock, and `cryptography` alone."""
