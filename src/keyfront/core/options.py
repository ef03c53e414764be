"""What a caller says about a signature or about its cookies, as keyword arguments that are passed on whole.

For rooms that hand them to `Signer` and to `SignedCookies.set_cookie_headers`, where each is explained. A type checker
finds a missing `expires` in all of them.
"""

from datetime import timedelta
from typing import Required, TypedDict

from keyfront.core.policy import Moment


class Terms(TypedDict, total=False):
    """Until when, from when, and from where."""

    expires: Required[Moment]
    starts: Moment | None
    ip: str | None
    max_lifetime: timedelta | None


class URLTerms(Terms, total=False):
    """As `Terms`, for one URL: `resource` is signed in its place."""

    resource: str | None


class CookieAttributes(TypedDict, total=False):
    """The attributes of `Set-Cookie`."""

    domain: str | None
    path: str
    secure: bool
    http_only: bool
    same_site: str | None
    max_age: int | None
