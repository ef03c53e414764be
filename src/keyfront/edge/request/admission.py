"""Route and admit: which site a request is for, and whether CloudFront would look at it at all.

Sources: Developer Guide, "Maximum length of a request", "Quotas", "GET requests that include a body", "Viewer
protocol policy", "Allowed HTTP methods".
"""

from dataclasses import dataclass
from typing import Final

from keyfront.core.urls import MAX_URL_BYTES, split_host
from keyfront.edge.configuration import Behavior, Configuration, Site, is_loopback
from keyfront.edge.request.viewer import ViewerRequest
from keyfront.edge.response.pages import BAD_REQUEST, METHOD_NOT_ALLOWED, Answer, page, redirect

MAX_REQUEST_BYTES: Final = 20_480
"""Request line and headers. One page of the guide says 32,768."""

_TOO_OLD: Final = "The configuration is too old."
_TOO_LARGE: Final = "Request Entity Too Large."


@dataclass(frozen=True, slots=True)
class Door:
    """What a listener knows of the requests that come through it."""

    https_port: int | None = None
    """Where the same host answers HTTPS, or `None` if nowhere."""
    site_id: str = ""
    """The one distribution that the listener's port belongs to; empty for ports that the Host header rules."""
    any_host: bool = False
    """Whether that distribution answers to every host name."""


def route(configuration: Configuration, door: Door, viewer: ViewerRequest) -> Site | Answer:
    """The site that a request is for, or the answer to one that is for none."""
    if configuration.closed:
        return page(503, _TOO_OLD, "configuration-too-old", viewer.id)
    if door.site_id:
        site = configuration.sites.get(door.site_id)
        found = split_host(viewer.host.lower())
        if found is None or not (door.any_host or is_loopback(found[0]) or configuration.site(viewer.host) is site):
            site = None
    else:
        site = configuration.site(viewer.host)
    if site is None:
        # Two Host headers arrive joined and are no host name, nor is an empty one.
        invalid = split_host(viewer.host.lower()) is None
        return page(400 if invalid else 403, BAD_REQUEST, "invalid-host" if invalid else "unknown-host", viewer.id)
    if not viewer.path.startswith("/") or "%00" in viewer.path or "#" in viewer.path:
        # `*`, the authority of a CONNECT; NUL and a bare #, which end a path for some origins. Assumed.
        return page(400, BAD_REQUEST, "invalid-path", viewer.id)
    text = viewer.path + viewer.query
    if not (text.isascii() and text.isprintable()) or " " in text:
        # RFC 9112, section 3.2: a target is visible ASCII. No origin can be asked for another. Assumed.
        return page(400, BAD_REQUEST, "invalid-target", viewer.id)
    target = len(viewer.path) + len(viewer.query) + 1
    url = len(viewer.scheme) + 3 + len(viewer.host) + target
    if url > MAX_URL_BYTES or len(viewer.method) + target + viewer.header_bytes > MAX_REQUEST_BYTES:
        return page(413, _TOO_LARGE, "too-large", viewer.id, close=True)
    if not site.enabled:
        return page(403, BAD_REQUEST, "distribution-disabled", viewer.id)  # assumed
    return site


def admit(door: Door, viewer: ViewerRequest, behavior: Behavior) -> Answer | None:
    """The answer to a request that the behavior turns away before any signature is looked at, or `None`."""
    if viewer.scheme == "http" and behavior.viewer_protocol_policy != "allow-all":
        if behavior.viewer_protocol_policy == "redirect-to-https":
            return redirect(_https_location(door, viewer), keep_method=viewer.method not in ("GET", "HEAD"))
        return page(403, BAD_REQUEST, "https-only", viewer.id)
    if viewer.method not in behavior.methods:
        return page(403, METHOD_NOT_ALLOWED, "method-not-allowed", viewer.id)
    if viewer.method in ("GET", "HEAD") and viewer.has_body:
        return page(403, BAD_REQUEST, "body-not-allowed", viewer.id)  # for HEAD: assumed
    return None


def _https_location(door: Door, viewer: ViewerRequest) -> str:
    name = (split_host(viewer.host.lower()) or ("", None))[0]
    port = "" if door.https_port in (None, 443) else f":{door.https_port}"
    query = f"?{viewer.query}" if viewer.query else ""
    return f"https://{name}{port}{viewer.path}{query}"
