"""A viewer's request: as values, where it belongs, and what its origin gets to see of it."""
