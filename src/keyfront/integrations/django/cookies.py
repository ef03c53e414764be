"""Signed cookies on a Django response, and the note beside them that says when they have to be renewed.

Signed cookies live on the distribution's path, where the site does not see them again. So a cookie of the site's own,
signed with Django's key, notes for whom they are and until when. It opens nothing.
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
"""The part of their life after which cookies are made anew."""


def set_signed_cookies(
    response: HttpResponseBase, cookies: SignedCookies, **attributes: Unpack[CookieAttributes]
) -> None:
    """Set `cookies` on `response`; the attributes are those of `SignedCookies.set_cookie_headers`.

    Of the five names, those that it does not hold are deleted: an old policy would count in place of a new expiry.
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
    """Cookies that have to be made: `user` opens `resource` with them until `ends` (seconds since the epoch)."""

    user: str
    resource: str
    ends: int


def due(request: HttpRequest, response: HttpResponseBase, asked: CookieSettings, user: str | None) -> Due | None:
    """The cookies that `response` has to bring to `user`; `None` while those that were set last are good.

    For nobody (`None`), and for a user with no resource, the cookies that the browser has are deleted.
    """
    if "CloudFront-Signature" in response.cookies:  # a view's own, or those of a decorator
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
    """Set `cookies`, which were made for what was due, and the note of them."""
    set_signed_cookies(response, cookies, **_attributes(asked))
    note = signing.dumps([made.ends, _mark(made.user, made.resource, asked)], salt=_SALT)
    response.set_cookie(_note(asked), note, secure=asked.secure, httponly=True, samesite="Lax")
    patch_cache_control(response, private=True)


def _noted(request: HttpRequest, asked: CookieSettings) -> tuple[float, str]:
    """Until when the browser has cookies, and for what; the past and nothing where it has none."""
    try:
        ends, mark = signing.loads(request.COOKIES.get(_note(asked), ""), salt=_SALT)
        return float(ends), str(mark)
    except (signing.BadSignature, ValueError, TypeError):
        return 0.0, ""


def _note(asked: CookieSettings) -> str:
    """The note's name: one for each place where browsers keep cookies apart."""
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
