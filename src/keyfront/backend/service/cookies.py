"""Signed cookies for an item's area, and which domain they must name so that browsers send them to the distribution."""

import ipaddress
import math
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from keyfront.core.signing import Signer
from keyfront.core.urls import object_url
from keyfront.errors import InputError

_SHARED_SUFFIXES: Final = ("cloudfront.net", "amazonaws.com", "on.aws")
"""Domains that strangers share: browsers drop a cookie for them. Source: the Public Suffix List."""
_ADVICE: Final = (
    "give the distribution an alias and this service a host under one domain (media.example.com, api.example.com), "
    "set CLOUDFRONT_DOMAIN=media.example.com and COOKIE_DOMAIN=example.com"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """An area that a browser was given cookies for."""

    url: str
    """Where it goes on: without a signature, which the cookies are."""
    set_cookie: tuple[str, ...] = field(repr=False)
    """Whoever has them can download: they belong in no log."""
    expires: int
    """Seconds since the epoch."""


def area(base_url: str, key: str) -> tuple[str, str]:
    """What opens with the object `key`, as a pattern to sign and as a cookie's path.

    That is the folder it lies in, for a stream's playlists and segments; for an object in no folder itself alone,
    because the folder would be the whole distribution.
    """
    folder = key.rpartition("/")[0]
    url = object_url(base_url, f"{folder}/" if folder else key)
    return f"{url}*" if folder else url, url.removeprefix(base_url)


def open_area(
    signer: Signer, base_url: str, key: str, *, host: str, domain: str | None, seconds: int, now: float
) -> Opened:
    """Cookies for the area of `key`, good for `seconds` from `now` (seconds since the epoch), and its address.

    `host` is who sets them. Raises `InputError` when a browser would not bring them to the distribution.
    """
    _check_reach(host, base_url, domain)
    pattern, path = area(base_url, key)
    expires = math.ceil(now + seconds)
    cookies = signer.sign_cookies(pattern, expires=expires)
    secure = base_url.startswith("https:")
    lines = cookies.set_cookie_headers(domain=domain, path=path, secure=secure, same_site="Lax", max_age=seconds)
    return Opened(object_url(base_url, key), tuple(lines), expires)


def shared_domain(domain: str, base_url: str) -> str:
    """COOKIE_DOMAIN in lower case, without a dot in front, or `InputError` when it does not fit the distribution."""
    name = domain.lower().strip(".")
    if not name or any(character in name for character in "/:;, \t*"):
        raise InputError(f"COOKIE_DOMAIN is {domain!r}: give a bare domain, such as example.com")
    if any(name == suffix or name.endswith(f".{suffix}") for suffix in _SHARED_SUFFIXES) or "." not in name:
        raise InputError(f"COOKIE_DOMAIN is {domain!r}, for which browsers take no cookies from strangers: {_ADVICE}")
    host = urlsplit(base_url).hostname or ""
    if not _is_below(host, name):
        raise InputError(f"COOKIE_DOMAIN is {domain!r}, and the distribution {host} is not under it: {_ADVICE}")
    return name


def _check_reach(host: str, base_url: str, domain: str | None) -> None:
    ours, theirs = _name(host), urlsplit(base_url).hostname or ""
    if domain is None:
        if ours != theirs:
            raise InputError(f"COOKIE_DOMAIN is not set: cookies of {ours!r} would never reach {theirs!r}; {_ADVICE}")
    elif not _is_below(ours, domain):
        raise InputError(
            f"this service was asked as {ours!r}, which may set no cookies for COOKIE_DOMAIN {domain!r}: {_ADVICE}"
        )


def _is_below(host: str, domain: str) -> bool:
    """Whether a cookie for `domain` goes to `host`: RFC 6265, section 5.1.3."""
    if host == domain:
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.endswith(f".{domain}")
    return False


def _name(host: str) -> str:
    """A Host header without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
