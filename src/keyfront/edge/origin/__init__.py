"""Asking origins: where they are, the connections to them, and what is done with their responses."""
