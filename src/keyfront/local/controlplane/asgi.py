"""The control plane as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from keyfront.local.controlplane.plane import BODY_BYTES, ControlPlane

if TYPE_CHECKING:
    from keyfront.web.types import ASGIApp

_DISCARDED_BYTES = 64 * 1024 * 1024
"""How many bytes of a body that is too large are received and discarded. A client that is still sending would not see
the refusal."""


def application(control_plane: ControlPlane) -> ASGIApp:
    """Return an ASGI application that serves `control_plane` over HTTP."""

    async def app(
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http":
            raise ValueError(f"the control plane supports HTTP only, not {scope['type']}")
        body = await _read(receive)
        if body is None:
            return
        response = await asyncio.to_thread(
            control_plane.handle,
            scope["method"],
            scope["raw_path"].decode("latin-1"),
            scope["query_string"].decode("latin-1"),
            _joined(scope["headers"]),
            body,
        )
        headers = [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
        if response.status != 204:
            headers.append((b"content-length", str(len(response.body)).encode()))
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})

    return app


async def _read(receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> bytes | None:
    """Return the body, cut to one byte more than the control plane takes. None if the client has disconnected."""
    kept, seen, more = bytearray(), 0, True
    while more and seen <= _DISCARDED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        seen += len(chunk)
        kept += chunk[: BODY_BYTES + 1 - len(kept)]
        more = message.get("more_body", False)
    return bytes(kept)


def _joined(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by name. The values of a repeated header are joined with commas, as in HTTP."""
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
