"""Signed cookies: their names, their values, and the attributes of `Set-Cookie`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypedDict, Unpack

from keyfront.core import misuse
from keyfront.errors import InputError

NAMES: Final = tuple(
    f"CloudFront-{name}" for name in ("Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm")
)
"""Every signed cookie's name."""

_VALUE = re.compile(r"[^\x00-\x1f\x7f;,\s]+")


class CookieAttributes(TypedDict, total=False):
    """The attributes of `Set-Cookie` as keyword arguments (see `Attributes`)."""

    domain: str | None
    path: str
    secure: bool
    http_only: bool
    same_site: str | None
    max_age: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """The attributes of `Set-Cookie`, with the defaults of signed cookies. `str` returns them as in a header.

    If `max_age` (seconds) is not given, they are session cookies, as the guide advises: the browser deletes them when
    it is closed. Raises `InputError` for an attribute that a browser would drop.
    """

    domain: str | None = None
    path: str = "/"
    secure: bool = True
    http_only: bool = True
    same_site: str | None = None
    max_age: int | None = None

    def __post_init__(self) -> None:
        _check("path", self.path)
        if not self.path.startswith("/"):
            raise InputError(f"path is {self.path!r}: browsers ignore a path that does not start with '/'")
        if self.domain is not None:
            if "://" in self.domain or "/" in self.domain or ":" in self.domain:
                raise InputError(f"domain is {self.domain!r}: give the bare name, such as media.example.com")
            _check("domain", self.domain)
        if self._mode not in (None, "Lax", "Strict", "None"):
            raise InputError(f"same_site is {self.same_site!r}: choose Lax, Strict or None")
        if self._mode == "None" and not self.secure:
            raise InputError("SameSite=None needs Secure, or browsers refuse the cookie")

    @property
    def _mode(self) -> str | None:
        return None if self.same_site is None else self.same_site.capitalize()

    def __str__(self) -> str:
        given = (
            f"Path={self.path}",
            "" if self.domain is None else f"Domain={self.domain}",
            "" if self.max_age is None else f"Max-Age={int(self.max_age)}",
            "Secure" if self.secure else "",
            "HttpOnly" if self.http_only else "",
            "" if self._mode is None else f"SameSite={self._mode}",
        )
        return "; ".join(filter(None, given))


class SignedCookies(Mapping[str, str]):
    """The names and values of signed cookies, and how to set them."""

    def __init__(self, values: Mapping[str, str], resource: str | None = None) -> None:
        self._values = dict(values)
        self._resource = resource

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"SignedCookies({', '.join(self._values)})"

    def attributes(self, **given: Unpack[CookieAttributes]) -> Attributes:
        """Return the attributes for setting these cookies.

        Raises as `Attributes` does. Warns (`SigningWarning`) if a browser would not send the cookies to the URLs that
        they unlock.
        """
        made = Attributes(**given)
        if self._resource is not None:
            seen = misuse.of_cookie_attributes(self._resource, domain=made.domain, path=made.path, secure=made.secure)
            misuse.warn(seen)
        return made

    def set_cookie_headers(self, **attributes: Unpack[CookieAttributes]) -> list[str]:
        """Return one `Set-Cookie` value for each cookie. Send them unchanged: encoding them again breaks them.

        Takes `domain`, `path="/"`, `secure=True`, `http_only=True`, `same_site` and `max_age` (seconds). Raises and
        warns as `attributes` does.
        """
        tail = self.attributes(**attributes)
        return [f"{name}={value}; {tail}" for name, value in self._values.items()]


def set_cookie_values(cookies: SignedCookies, **attributes: Unpack[CookieAttributes]) -> list[str]:
    """Return one `Set-Cookie` value for each of the five names. Names that are not in `cookies` are deleted.

    Otherwise an old policy in the browser would count instead of a new expiry, and an old hash algorithm would make
    every new signature wrong. Raises `InputError` for an attribute that a browser would drop.
    """
    rest = [name for name in NAMES if name not in cookies]
    return [*cookies.set_cookie_headers(**attributes), *_deleting(rest, attributes)]


def delete_cookie_values(**attributes: Unpack[CookieAttributes]) -> list[str]:
    """Return the `Set-Cookie` values that delete all signed cookies. Give the domain and path they were set with."""
    return _deleting(NAMES, attributes)


def _deleting(names: Iterable[str], attributes: CookieAttributes) -> list[str]:
    gone: CookieAttributes = {**attributes, "max_age": 0}
    return SignedCookies(dict.fromkeys(names, "")).set_cookie_headers(**gone)


def _check(name: str, value: str) -> None:
    if not _VALUE.fullmatch(value):
        raise InputError(f"{name} is {value!r}: it must not be empty or hold spaces, commas or semicolons")
