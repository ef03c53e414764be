"""Decides who may use a local port: the programs on this machine, but no web page.

Every page in a browser can send requests to 127.0.0.1. Three facts keep pages away from a port:

- With DNS rebinding, a page makes its own name resolve to this machine, but the browser still sends that name as
  `Host`. So a port accepts only names that nobody outside can point here: loopback addresses, `localhost`, and names
  under `localhost` that the port serves. Over plain HTTP every other name can be spoofed, even Amazon's.
- Browsers mark requests to such names with `Sec-Fetch-*` headers (Fetch Metadata), and cross-origin ones with `Origin`.
  Programs send neither. A page cannot remove them.
- 0.0.0.0 and `::` reach loopback on Linux, but browsers do not mark requests to them. A port does not accept them.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Final

from keyfront.web.types import ASGIApp, Headers, Receive, Scope, Send

_HOST: Final = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\s\[\]:@/?#\\]+)(?::[0-9]{1,5})?")
_LOOPBACK: Final = ipaddress.IPv4Network("127.0.0.0/8")
_LOOPBACK_6: Final = ipaddress.IPv6Address("::1")
_FETCH_METADATA: Final = b"sec-fetch-"


def host_name(headers: Headers) -> str | None:
    """Return the name in the `Host` header in lower case, without port and brackets.

    Returns `None` unless there is exactly one well-formed `Host` header.
    """
    hosts = [value for name, value in headers if name == b"host"]
    found = _HOST.fullmatch(hosts[0].decode("latin-1").lower()) if len(hosts) == 1 else None
    return found["name"].strip("[]") if found else None


def is_loopback(name: str) -> bool:
    """Return whether `name` is `localhost`, an address in 127.0.0.0/8 (as four decimal numbers), or ::1."""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost"
    return address in _LOOPBACK if isinstance(address, ipaddress.IPv4Address) else address == _LOOPBACK_6


def host_refusal(headers: Headers, serves: Callable[[str], object] = lambda _: False) -> str | None:
    """Return why the request's `Host` is refused, or `None`. `serves` says whether a name is one of the port's own."""
    name = host_name(headers)
    if name is None:
        return "The request needs exactly one Host header, with a valid name."
    if is_loopback(name) or serves(name):
        return None
    return f"This port does not accept the host {name!r}, so that no web page can reach it. Use 127.0.0.1."


def browser_refusal(headers: Headers) -> str | None:
    """Return why a browser's request is refused, or `None` for a program's request."""
    if any(name.startswith(_FETCH_METADATA) or name == b"origin" for name, _ in headers):
        return "This port serves programs, not web browsers, so that no web page can use it. Try curl."
    return None


def foreign_page_refusal(headers: Headers) -> str | None:
    """Return why a background request from another site's page is refused, or `None` for other requests.

    It is for ports that browsers should reach: people may follow a link to the port, and its own pages may do anything.
    """
    said = {name: value for name, value in headers if name.startswith(_FETCH_METADATA)}
    if said.get(b"sec-fetch-site", b"none") in (b"same-origin", b"none"):
        return None
    if said.get(b"sec-fetch-mode") == b"navigate" and said.get(b"sec-fetch-dest") == b"document":
        return None
    return "Pages of other sites cannot use this port."


class LocalOnly:
    """An ASGI application that serves only programs of this machine, and answers 403 to others."""

    def __init__(self, app: ASGIApp, *, browsers: bool = False) -> None:
        """`browsers` says whether people open the application's pages in a browser."""
        self._app = app
        self._refusal = foreign_page_refusal if browsers else browser_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "http":
            headers = list(scope["headers"])
            if reason := host_refusal(headers) or self._refusal(headers):
                await _refuse(reason, send)
                return
        await self._app(scope, receive, send)


async def _refuse(reason: str, send: Send) -> None:
    body = f"{reason}\n".encode()
    named = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": named})
    await send({"type": "http.response.body", "body": body})
