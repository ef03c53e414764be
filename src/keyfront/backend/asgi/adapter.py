"""The ASGI adapter: it turns a scope into a request for the router, and the response into messages."""

import time
from collections.abc import Callable

from starlette.requests import Request

from keyfront.backend.service.exchange import ServiceResponse
from keyfront.backend.service.router import Router
from keyfront.web.types import ASGIApp, Receive, Scope, Send


class ASGIRequest(Request):
    """A Starlette request with the interface that the router needs."""

    @property
    def path(self) -> str:
        """The decoded path, without the application's mount point."""
        path, root = str(self.scope["path"]), str(self.scope.get("root_path", ""))
        return path[len(root) :] if root and path.startswith(f"{root}/") else path

    @property
    def address(self) -> str:
        """The viewer's address; empty if the server does not know it."""
        return self.client.host if self.client else ""

    async def read(self, most: int) -> bytes:
        """Return the body; if it is longer than `most` bytes, the bytes received until then."""
        body = b""
        async for chunk in self.stream():
            body += chunk
            if len(body) >= most:
                break
        return body


Observe = Callable[[ASGIRequest, ServiceResponse, float], None]
"""Called after each response, with the seconds that it took."""


def application(router: Router[ASGIRequest], observe: Observe | None = None) -> ASGIApp:
    """Return the ASGI application for `router`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            began, request = time.monotonic(), ASGIRequest(scope, receive)
            answer = await router.answer(request)
            await _send(answer, scope["method"], send)
            if observe is not None:
                observe(request, answer, time.monotonic() - began)
        elif scope["type"] == "lifespan":
            await _live(receive, send)
        else:
            await send({"type": "websocket.close"})

    return app


async def _send(answer: ServiceResponse, method: str, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    if answer.status != 304:
        headers.append((b"content-length", str(len(answer.body)).encode("ascii")))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else answer.body})


async def _live(receive: Receive, send: Send) -> None:
    """Answer the server's lifespan events. There is nothing to start or stop."""
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
