"""Jobs over an account: audit, rotation, and the operations on its key groups."""
