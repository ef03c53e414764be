"""What every answer of the service says for a browser's sake, and which requests are not a browser's own idea."""

from typing import Final
from urllib.parse import urlsplit

from keyfront.backend.service.exchange import HeaderValues
from keyfront.backend.service.page import STYLE_SOURCE

MAX_BODY_BYTES: Final = 64 * 1024
"""Longer than anything that this service asks for."""
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")

_POLICY: Final = (
    f"default-src 'none'; style-src 'self' {STYLE_SOURCE}; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    # Not no-referrer: with that, browsers send `Origin: null` with our own forms.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("cache-control", "no-store"),
)
"""On every answer that does not say otherwise."""


def is_ours(headers: HeaderValues) -> bool:
    """Whether an unsafe request comes from our own pages or from a program, rather than from another site's page.

    Browsers say where a request comes from (Fetch Metadata; `Origin`, RFC 6454), and pages cannot change that. A
    request that says nothing comes from no browser. One with an Authorization header was not made by a form, and no
    cookie speaks for it.
    """
    if "authorization" in headers:
        return True
    if "sec-fetch-site" in headers:
        return headers.get("sec-fetch-site", "") in ("same-origin", "none")
    if "origin" not in headers:
        return True
    try:
        return urlsplit(headers.get("origin", "")).netloc.lower() == headers.get("host", "").lower() != ""
    except ValueError:
        return False
