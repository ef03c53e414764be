"""The resource types that stacks can have. A type that is not here fails the stack by its name."""
