"""A viewer's request: its values, its distribution and behavior, and what its origin gets."""
