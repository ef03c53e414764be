"""Security headers for browsers, and the check for requests that another site sent."""

from typing import Final
from urllib.parse import urlsplit

from keyfront.backend.service.exchange import HeaderValues
from keyfront.backend.service.page import STYLE_SOURCE
from keyfront.web.page_headers import page_headers

MAX_BODY_BYTES: Final = 64 * 1024
"""More than any valid request needs."""
SAFE_METHODS: Final = ("GET", "HEAD", "OPTIONS")

_POLICY: Final = (
    f"default-src 'none'; style-src 'self' {STYLE_SOURCE}; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = page_headers(_POLICY)
"""Defaults: a response may set its own values."""


def is_ours(headers: HeaderValues) -> bool:
    """Return whether an unsafe request comes from our own pages or from a program, not from another site's page.

    Browsers send where a request comes from (Fetch Metadata; `Origin`, RFC 6454), and pages cannot change that. A
    request without these headers does not come from a browser. A request with an Authorization header was not made by a
    form, and does not rely on cookies.
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
