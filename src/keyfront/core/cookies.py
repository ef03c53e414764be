"""Setting signed cookies on a framework's response: as they are, and without what an earlier set left behind."""

from typing import Final, Unpack

from keyfront.core.options import CookieAttributes
from keyfront.core.signing import SignedCookies

NAMES: Final = tuple(
    f"CloudFront-{name}" for name in ("Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm")
)
"""Every signed cookie's name."""


def set_cookie_values(cookies: SignedCookies, **attributes: Unpack[CookieAttributes]) -> list[str]:
    """One `Set-Cookie` value for each of the five names: those that `cookies` does not hold are deleted.

    A policy that an earlier set left in the browser would count in place of a new expiry, and a hash algorithm would
    make every new signature wrong. Raises `InputError` for an attribute that a browser would drop.
    """
    return [*cookies.set_cookie_headers(**attributes), *_deleted(set(NAMES) - set(cookies), attributes)]


def delete_cookie_values(**attributes: Unpack[CookieAttributes]) -> list[str]:
    """The `Set-Cookie` values that delete all signed cookies: domain and path have to be those they were set with."""
    return _deleted(set(NAMES), attributes)


def _deleted(names: set[str], attributes: CookieAttributes) -> list[str]:
    empty = SignedCookies({name: "" for name in NAMES if name in names})
    gone: CookieAttributes = {**attributes, "max_age": 0}
    return empty.set_cookie_headers(**gone)
