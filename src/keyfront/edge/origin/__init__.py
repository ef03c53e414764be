"""Origins: their addresses, the connections to them, and the handling of their responses."""
