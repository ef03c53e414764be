"""The simplest ASGI application: it answers every request with 1 KiB."""

from collections.abc import Awaitable, Callable
from typing import Any

_START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1024")]}
_BODY = {"type": "http.response.body", "body": b"x" * 1024}


async def app(_scope: Any, _receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
    """Answer with 1 KiB."""
    await send(_START)
    await send(_BODY)
