"""The WSGI environ key for a slow response, so that no thread waits for it."""

from typing import Final

DEFERRED: Final = "keyfront.deferred"
"""In a WSGI environ: a function that returns an awaitable response, which replaces the response returned."""
