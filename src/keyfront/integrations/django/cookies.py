"""Signed cookies on a Django response, and a note that shows when to renew them.

The site may not see the signed cookies again, because they are for the distribution's paths. So the site keeps a note
in a second cookie, signed with Django's key: the user and the expiry. The note unlocks nothing.
"""

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Final, Unpack

from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

from keyfront.core.cookies import NAMES, Attributes, CookieAttributes, SignedCookies
from keyfront.integrations.django.settings import CookieSettings

_SALT: Final = "keyfront.integrations.django.cookies"
_RENEWED_AT: Final = 0.5
"""Cookies are renewed after this part of their lifetime."""


def set_signed_cookies(
    response: HttpResponseBase, cookies: SignedCookies, **attributes: Unpack[CookieAttributes]
) -> None:
    """Set `cookies` on `response`. The attributes are those of `SignedCookies.set_cookie_headers`.

    Of the five cookie names, those that `cookies` does not need are deleted: an old policy would override a new expiry.
    """
    made = cookies.attributes(**attributes)
    for name in NAMES:
        _set(response, name, cookies.get(name), made)


def delete_signed_cookies(response: HttpResponseBase, **attributes: Unpack[CookieAttributes]) -> None:
    """Delete all signed cookies that were set with this domain and path."""
    for name in NAMES:
        _set(response, name, None, Attributes(**attributes))


@dataclass(frozen=True, slots=True)
class Due:
    """Cookies to make: they unlock `resource` for `user` until `ends` (seconds since the epoch)."""

    user: str
    resource: str
    ends: int


def due(request: HttpRequest, response: HttpResponseBase, asked: CookieSettings, user: str | None) -> Due | None:
    """Return the cookies that `response` must set for `user`; `None` while the browser's cookies are still good.

    If `user` is `None`, or has no resource, the browser's cookies are deleted.
    """
    if "CloudFront-Signature" in response.cookies:  # set by a view or a decorator
        return None
    patch_vary_headers(response, ("Cookie",))
    resource = asked.resource if isinstance(asked.resource, str) else user and asked.resource(request)
    if user is None or not resource:
        if request.COOKIES.get(_note(asked)):
            delete_signed_cookies(response, **_attributes(asked))
            response.set_cookie(_note(asked), "", max_age=0, secure=asked.secure, httponly=True, samesite="Lax")
            patch_cache_control(response, private=True)
        return None
    life, now = asked.lifetime.total_seconds(), time.time()
    ends, mark = _noted(request, asked)
    if mark == _mark(user, resource, asked) and ends - now > life * (1 - _RENEWED_AT):
        return None
    return Due(user, resource, int(now + life))


def put(response: HttpResponseBase, cookies: SignedCookies, made: Due, asked: CookieSettings) -> None:
    """Set `cookies`, which were made for `made`, and their note."""
    set_signed_cookies(response, cookies, **_attributes(asked))
    note = signing.dumps([made.ends, _mark(made.user, made.resource, asked)], salt=_SALT)
    response.set_cookie(_note(asked), note, secure=asked.secure, httponly=True, samesite="Lax")
    patch_cache_control(response, private=True)


def _noted(request: HttpRequest, asked: CookieSettings) -> tuple[float, str]:
    """Return the expiry of the browser's cookies and their mark; 0 and an empty mark if it has none."""
    try:
        ends, mark = signing.loads(request.COOKIES.get(_note(asked), ""), salt=_SALT)
        return float(ends), str(mark)
    except (signing.BadSignature, ValueError, TypeError):
        return 0.0, ""


def _note(asked: CookieSettings) -> str:
    """Return the note's name, which differs for each cookie domain and path."""
    return f"keyfront-{_digest(asked.domain, asked.path)[:8]}"


def _mark(user: str, resource: str, asked: CookieSettings) -> str:
    return _digest(user, resource, asked.lifetime.total_seconds())[:32]


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _attributes(asked: CookieSettings) -> CookieAttributes:
    return {"domain": asked.domain, "path": asked.path, "secure": asked.secure, "same_site": asked.same_site}


def _set(response: HttpResponseBase, name: str, value: str | None, made: Attributes) -> None:
    """Set one cookie, or delete it if it has no value."""
    response.set_cookie(
        name,
        value or "",
        max_age=0 if value is None else made.max_age,
        path=made.path,
        domain=made.domain,
        secure=made.secure,
        httponly=made.http_only,
        samesite=made.same_site,
    )
