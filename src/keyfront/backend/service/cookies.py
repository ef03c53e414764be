"""Signed cookies for an item's area, with a domain for which browsers send them to the distribution."""

import ipaddress
import math
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from keyfront.core.objects import object_url
from keyfront.core.signing import Signer
from keyfront.errors import InputError

_SHARED_SUFFIXES: Final = ("cloudfront.net", "amazonaws.com", "on.aws")
"""Domains that unrelated sites share: browsers drop a cookie for them. Source: the Public Suffix List."""
_ADVICE: Final = (
    "give the distribution an alias and this service a host under one domain (media.example.com, api.example.com), "
    "set CLOUDFRONT_DOMAIN=media.example.com and COOKIE_DOMAIN=example.com"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """An area, and the cookies that unlock it."""

    url: str
    """The item's address, unsigned: the cookies are the signature."""
    set_cookie: tuple[str, ...] = field(repr=False)
    """Anyone with these can download: never log them."""
    expires: int
    """Seconds since the epoch."""


def area(base_url: str, key: str) -> tuple[str, str]:
    """Return the area of the object `key`, as a pattern to sign and as a cookie's path.

    The area is the object's folder, so that a stream's playlists and segments are in it. For an object outside any
    folder it is the object alone, because the folder would be the whole distribution.
    """
    folder = key.rpartition("/")[0]
    url = object_url(base_url, f"{folder}/" if folder else key)
    return f"{url}*" if folder else url, url.removeprefix(base_url)


def open_area(
    signer: Signer, base_url: str, key: str, *, host: str, domain: str | None, seconds: int, now: float
) -> Opened:
    """Return cookies for the area of `key`, valid for `seconds` from `now` (seconds since the epoch), and its address.

    `host` is the host that sets them. Raises `InputError` if a browser would not send them to the distribution.
    """
    _check_reach(host, base_url, domain)
    pattern, path = area(base_url, key)
    expires = math.ceil(now + seconds)
    cookies = signer.sign_cookies(pattern, expires=expires)
    secure = base_url.startswith("https:")
    lines = cookies.set_cookie_headers(domain=domain, path=path, secure=secure, same_site="Lax", max_age=seconds)
    return Opened(object_url(base_url, key), tuple(lines), expires)


def shared_domain(domain: str, base_url: str) -> str:
    """Return COOKIE_DOMAIN in lower case, without a leading dot. Raises `InputError` if the distribution is outside."""
    name = domain.lower().strip(".")
    if not name or any(character in name for character in "/:;, \t*"):
        raise InputError(f"COOKIE_DOMAIN is {domain!r}: give a bare domain, such as example.com")
    if any(name == suffix or name.endswith(f".{suffix}") for suffix in _SHARED_SUFFIXES) or "." not in name:
        raise InputError(f"COOKIE_DOMAIN is {domain!r}, for which browsers accept no cookies: {_ADVICE}")
    host = urlsplit(base_url).hostname or ""
    if not _is_below(host, name):
        raise InputError(f"COOKIE_DOMAIN is {domain!r}, but the distribution {host} is not under it: {_ADVICE}")
    return name


def _check_reach(host: str, base_url: str, domain: str | None) -> None:
    ours, theirs = _name(host), urlsplit(base_url).hostname or ""
    if domain is None:
        if ours != theirs:
            raise InputError(f"COOKIE_DOMAIN is not set: cookies of {ours!r} would never reach {theirs!r}; {_ADVICE}")
    elif not _is_below(ours, domain):
        raise InputError(
            f"the request's host is {ours!r}, which cannot set cookies for COOKIE_DOMAIN {domain!r}: {_ADVICE}"
        )


def _is_below(host: str, domain: str) -> bool:
    """Return whether browsers send a cookie for `domain` to `host`: RFC 6265, section 5.1.3."""
    if host == domain:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.endswith(f".{domain}")
    return False


def _name(host: str) -> str:
    """Return a Host header without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
