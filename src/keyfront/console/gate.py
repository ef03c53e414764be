"""Who may use the console, and what they may do: the token, the cookie, the CSRF token, and the read-only mode.

The rules of `keyfront.web.local` come first: only this machine, by a loopback name, and no page of another site. Then:

- The address that the terminal prints has a token. It is exchanged for a cookie (HttpOnly, SameSite).
- Every request that is not GET or HEAD needs the CSRF token, which only our own pages have.
- In read-only mode all of these are refused, except the paths below `/ask/`, which change nothing.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response

from keyfront.web.page_headers import page_headers
from keyfront.web.types import ASGIApp, Message, Receive, Scope, Send

ASKING: Final = "/ask/"
"""Requests with a body below this path change nothing."""
ASSETS: Final = "/assets/"
MOST_BYTES: Final = 16 * 1024 * 1024
"""Enough for a HAR file of a long session."""
_SAFE: Final = ("GET", "HEAD")
_FORM: Final = "application/x-www-form-urlencoded"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = page_headers(_POLICY)


def _secret() -> str:
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The random values of one run. The first is in the printed address, the others only in the browser."""

    token: str = field(default_factory=_secret, repr=False)
    cookie: str = field(default_factory=_secret, repr=False)
    csrf: str = field(default_factory=_secret, repr=False)


class Gate:
    """Lets a request through to the pages, or refuses it. The form of a request is in `scope["state"]["form"]`."""

    def __init__(self, app: ASGIApp, known: Secrets, *, read_only: bool) -> None:
        self._app = app
        self._known = known
        self._read_only = read_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS:
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._at_the_door(scope)
        if refusal is None and scope["method"] not in _SAFE:
            refusal = await self._with_form(scope, receive)
        await (refusal or self._app)(scope, receive, send_with_headers)

    def _at_the_door(self, scope: Scope) -> Response | None:
        """Return a response to a request of another site's page, or without a valid cookie. `None` lets it in."""
        headers = Headers(scope=scope)
        if headers.get("origin", f"http://{headers.get('host')}") != f"http://{headers.get('host')}":
            return _page(403, "Pages of other sites cannot use the console.")
        if scope["path"].startswith(ASSETS):
            return None
        name = f"keyfront_console_{scope['server'][1] if scope.get('server') else 0}"
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        token = next((value for key, value in query if key == "token"), None)
        if token is not None and scope["method"] in _SAFE and _same(token, self._known.token):
            rest = urlencode([pair for pair in query if pair[0] != "token"])
            path = "/" + scope["path"].lstrip("/\\")  # never another host's address
            answer = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
            # Not strict: a browser would leave it out of the redirect after a link from another program's page.
            answer.set_cookie(name, self._known.cookie, httponly=True, samesite="lax")
            return answer
        cookies = cookie_parser(headers.get("cookie", ""))
        return None if _same(cookies.get(name, ""), self._known.cookie) else _page(401, _UNKNOWN)

    async def _with_form(self, scope: Scope, receive: Receive) -> Response | None:
        """Read the form into the scope. Return a response if the request must not be served."""
        headers = Headers(scope=scope)
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return _page(403, "Only the console's own pages can change something.")
        if headers.get("content-type", _FORM).partition(";")[0].strip().lower() != _FORM:
            return _page(415, f"A form is needed here: {_FORM}.")
        body = await _body(receive)
        if body is None:
            return _page(413, f"This is too much text: at most {MOST_BYTES // 1024**2} MB can be read.")
        try:
            form = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1000)
        except ValueError:
            return _page(400, "The form has too many fields.")
        given = headers.get("x-csrf-token") or (form.pop("csrf", [""])[0])
        if not _same(given, self._known.csrf):
            return _page(403, "This page is from an earlier run of the console. Reload it, then try again.")
        if self._read_only and not scope["path"].startswith(ASKING):
            return _page(403, "The console is read-only: start it without --read-only to change something.")
        scope.setdefault("state", {})["form"] = form
        return None


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


async def _body(receive: Receive) -> bytes | None:
    """Return the request's body; `None` if it is too large."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


_UNKNOWN: Final = (
    "Open the address that the terminal printed when the console started. It has a token, so that nobody else on this "
    "machine can use the console."
)


def _page(status: int, text: str) -> Response:
    heading = "The console needs its token" if status == 401 else "This was not done"
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading} · keyfront</title>"
        f'<link rel="stylesheet" href="{ASSETS}console.css"></head>'
        f'<body class="plain"><main><h1>{heading}</h1><p>{text}</p></main></body></html>',
        status,
    )
