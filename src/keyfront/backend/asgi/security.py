"""What stands before and behind every request: no forged posts, no endless bodies, and headers that limit a page."""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyfront.backend.service.refusals import Refusal, cross_site
from keyfront.backend.service.security import MAX_BODY_BYTES, SAFE_METHODS, SECURITY_HEADERS, is_ours


class Headed:
    """Adds `SECURITY_HEADERS` to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def send_headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_headed)


class Guarded:
    """Refuses posts that another site's page sent, and bodies that are longer than anything this service asks for."""

    def __init__(self, app: ASGIApp, refuse: Callable[[Request, Refusal], Response]) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if scope["method"] not in SAFE_METHODS and not is_ours(headers):
            await self._refuse(Request(scope), cross_site())(scope, receive, send)
            return
        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_bounded, send)
