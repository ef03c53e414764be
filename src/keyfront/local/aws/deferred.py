"""Where a WSGI application leaves an answer that takes its time: a thread need not wait for it."""

from typing import Final

DEFERRED: Final = "keyfront.deferred"
"""In a WSGI environ: a function that makes an awaitable of the answer, which takes the place of what was returned."""
