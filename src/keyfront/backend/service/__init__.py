"""The download service itself, without a web framework: customers, purchases and signed links."""
