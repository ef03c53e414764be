"""The cache: objects, their pieces and bodies, their lifetimes, and request collapsing."""
