"""The ASGI adapter: it turns a scope into a request for the router, and the response into messages."""

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

    async def read(self, most: int) -> bytes:
        """Return the body; if it is longer than `most` bytes, the bytes received until then."""
        body = b""
        async for chunk in self.stream():
            body += chunk
            if len(body) >= most:
                break
        return body


def application(router: Router[ASGIRequest]) -> ASGIApp:
    """Return the ASGI application for `router`."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _send(await router.answer(ASGIRequest(scope, receive)), scope["method"], send)
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
