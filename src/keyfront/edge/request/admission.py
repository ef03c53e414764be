"""Route and admit: the distribution that a request is for, and whether CloudFront would admit the request.

Sources: Developer Guide, "Maximum length of a request", "Quotas", "GET requests that include a body", "Viewer
protocol policy", "Allowed HTTP methods". `keyfront.core.access` has the responses' status codes.
"""

from dataclasses import dataclass
from typing import Final

from keyfront.core import access
from keyfront.core.access import Rejection
from keyfront.core.urls import MAX_URL_BYTES
from keyfront.edge.behaviors import Behavior
from keyfront.edge.configuration import Configuration, Distribution, is_loopback
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import BAD_REQUEST, METHOD_NOT_ALLOWED, EdgeResponse, page, redirect

MAX_REQUEST_BYTES: Final = 20_480
"""Request line and headers. One page of the guide says 32,768."""

_TOO_OLD: Final = Rejection(503, "configuration-too-old")
_WORDS: Final = {
    _TOO_OLD: "The configuration is too old.",
    access.TOO_LARGE: "Request Entity Too Large.",
    access.BAD_METHOD: METHOD_NOT_ALLOWED,
    access.BAD_COUNTRY: "The Amazon CloudFront distribution is configured to block access from your country.",
}
"""The texts of the pages. Any other page has `BAD_REQUEST`."""


@dataclass(frozen=True, slots=True)
class Door:
    """What a listener knows about its requests."""

    https_port: int | None = None
    """The HTTPS port of the same host; `None` if there is none."""
    distribution_id: str = ""
    """The distribution that owns the listener's port. If empty, the Host header names the distribution."""
    any_host: bool = False
    """Whether that distribution answers to every host name."""


def route(configuration: Configuration, door: Door, viewer: Request) -> Distribution | Rejection:
    """Return the distribution that a request is for, or why it is refused."""
    if configuration.closed:
        return _TOO_OLD
    if viewer.authority is None:
        return access.BAD_HOST
    distribution = _distribution(configuration, door, *viewer.authority)
    if distribution is None or distribution.staging:
        return access.UNKNOWN_HOST
    if not viewer.path.startswith("/") or "%00" in viewer.path or "#" in viewer.path:
        # `*`, the authority of a CONNECT, and NUL and a bare #, which end a path for some origins. Assumed.
        return access.BAD_PATH
    text = viewer.path + viewer.query
    if not (text.isascii() and text.isprintable()) or " " in text:
        # RFC 9112, section 3.2: a target is visible ASCII. No origin can be sent anything else. Assumed.
        return access.BAD_TARGET
    target = len(viewer.path) + len(viewer.query) + 1
    url = len(viewer.scheme) + 3 + len(viewer.host) + target
    if url > MAX_URL_BYTES or len(viewer.method) + target + viewer.header_bytes > MAX_REQUEST_BYTES:
        return access.TOO_LARGE
    return distribution if distribution.enabled else access.DISABLED


def admit(viewer: Request, behavior: Behavior) -> Rejection | None:
    """Return why the behavior refuses a request before any signature check, or `None`."""
    rejection = access.refuse(viewer.scheme, viewer.method, behavior.viewer_protocol_policy, behavior.methods)
    if rejection is None and viewer.method in ("GET", "HEAD") and viewer.has_body:
        return access.BAD_BODY
    return rejection


def rejected(rejection: Rejection, door: Door, viewer: Request) -> EdgeResponse:
    """Return CloudFront's response: a page, or a redirect to the HTTPS port in `door`."""
    if rejection in access.REDIRECTS:
        return redirect(_https_location(door, viewer), rejection.status)
    words = _WORDS.get(rejection, BAD_REQUEST)
    return page(rejection.status, words, rejection.reason, viewer.id, close=rejection is access.TOO_LARGE)


def _distribution(configuration: Configuration, door: Door, name: str, port: int | None) -> Distribution | None:
    if not door.distribution_id:
        return configuration.distribution(name, port)
    distribution = configuration.distributions.get(door.distribution_id)
    answers = door.any_host or is_loopback(name) or configuration.distribution(name, port) is distribution
    return distribution if answers else None


def _https_location(door: Door, viewer: Request) -> str:
    name = viewer.authority[0] if viewer.authority else ""
    port = "" if door.https_port in (None, 443) else f":{door.https_port}"
    query = f"?{viewer.query}" if viewer.query else ""
    return f"https://{name}{port}{viewer.path}{query}"
