"""Tasks on a whole account: audit, rotation, and changes to its key groups."""
