"""What stands before and behind every request: no forged posts, no endless bodies, and headers that limit a page."""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keyfront.backend.refusals import Refusal, cross_site

_MAX_BODY_BYTES: Final = 64 * 1024
_SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with that, browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise."""


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
        if scope["method"] not in _SAFE_METHODS and not is_ours(headers):
            await self._refuse(Request(scope), cross_site())(scope, receive, send)
            return
        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > _MAX_BODY_BYTES:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_bounded, send)


def is_ours(headers: Headers) -> bool:
    """Whether an unsafe request comes from our own pages or from a program, rather than from another site's page.

    Browsers say where a request comes from (Fetch Metadata; `Origin`, RFC 6454), and pages cannot change that. A
    request that says nothing comes from no browser. One with an Authorization header was not made by a form, and no
    cookie speaks for it.
    """
    if "authorization" in headers:
        return True
    if (site := headers.get("sec-fetch-site")) is not None:
        return site in ("same-origin", "none")
    if (origin := headers.get("origin")) is None:
        return True
    try:
        return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""
    except ValueError:
        return False
