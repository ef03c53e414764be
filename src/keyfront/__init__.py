"""Private content on Amazon CloudFront, from a key to a download."""

__version__ = "0.1.0"
