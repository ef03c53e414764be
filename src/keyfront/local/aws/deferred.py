"""Where a WSGI application leaves a slow response, so that no thread waits for it."""

from typing import Final

DEFERRED: Final = "keyfront.deferred"
"""In a WSGI environ: a function that makes an awaitable of the answer, which takes the place of what was returned."""
