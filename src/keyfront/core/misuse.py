"""Input that can be signed but is rarely meant. Each caution has the id of a finding, a section of `docs/findings.md`.

A signer warns about them, `keyfront policy lint` lists them, and `keyfront explain` finds them in signed URLs.
"""

import ipaddress
import math
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Final

from keyfront.core.resource import covers
from keyfront.core.s3 import is_s3
from keyfront.core.showing import in_words, told
from keyfront.core.urls import shown
from keyfront.errors import PolicyError

_PACKAGE: Final = __name__.partition(".")[0]

MAX_LIFETIME: Final = 7 * 24 * 3600
"""Seconds: a longer lifetime warns (see `Signer`)."""

EVERYBODY: Final = "0.0.0.0/0"
"""The network that looks like all viewers. It does not include viewers over IPv6."""

_MAX_COOKIE_BYTES: Final = 4096  # RFC 6265bis, 5.6: browsers drop a cookie whose name and value are longer.
_S3_DOMAIN: Final = "amazonaws.com"
# On this machine, plain HTTP is not a mistake.
_HERE = re.compile(r"(?:(?:.+\.)?localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?$")
# A folder or file of one host, over https. Unless the host is S3's, there is nothing to warn about.
_ORDINARY = re.compile(r"https://[^/*?]++/[^/*?]")
_WILDCARD = re.compile(r"[*?]")
_MANIFEST = re.compile(r"\.(?:m3u8?|mpd)$|\.isml?/manifest", re.IGNORECASE)
_WHOLE_HOST = re.compile(r"/?\*+(?:\?\*?)?")
_PRIVATE: Final = tuple(
    ipaddress.IPv4Network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10")
)


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing that is rarely meant."""

    finding: str
    """Its id in `docs/findings.md`."""
    text: str


class SigningWarning(UserWarning):
    """Input that can be signed but is rarely meant. `finding` is its id in `docs/findings.md`."""

    def __init__(self, text: str, finding: str = "") -> None:
        super().__init__(f"{text} [{finding}]" if finding else text)
        self.finding = finding


def of_url(url: str) -> Iterator[Caution]:
    """Return the cautions about a URL to be signed, as `keyfront.core.urls.viewer_url` returns it."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    if is_s3(host):
        yield Caution(
            "origin-host-signed",
            f"{shown(url)} names a bucket, and S3 does not check CloudFront's signatures: "
            "sign the distribution's domain name, d….cloudfront.net, or an alias of it",
        )
    if scheme == "http" and not _HERE.match(host):
        yield Caution(
            "protocol-differs",
            f"{shown(url)} is signed for http: a request over https, also after a redirect, is refused; sign https://…",
        )


def of_canned_url(url: str) -> Iterator[Caution]:
    """Return the cautions about the URL of a canned policy.

    A `*` in a query string is usually meant, as in `filename*=UTF-8''…` (RFC 5987) or `q=a*`: only a parameter that is
    nothing but `*` is not.
    """
    location, _, query = url.partition("?")
    starred = next((segment for segment in location.split("/") if "*" in segment), None)
    if starred is None and "*" in query.split("&"):
        starred = "?*"
    if starred is not None:
        yield Caution(
            "wildcard-in-canned-policy",
            f"{shown(url)} has {_around(starred)!r}, and '*' is not a wildcard in a canned policy: "
            "for a wildcard give resource=, for the character itself write %2A",
        )


def _around(starred: str) -> str:
    """Return a part of a URL that shows its `*`, shortened."""
    at = starred.index("*")
    start, end = max(0, at - 30), at + 30
    return ("…" if start else "") + starred[start:end] + ("…" if starred[end:] else "")


def of_object(key: str) -> Iterator[Caution]:
    """Return the cautions about an S3 object's key."""
    if key.startswith("/"):
        yield Caution(
            "slashes-differ",
            f"the key {told(key)} begins with '/', so the URL has '//' after the host, and S3 looks for a key with "
            f"that slash: most keys have none, so give {told(key.lstrip('/'))}",
        )


def of_cookie_resource(resource: str) -> Iterator[Caution]:
    """Return the cautions about one URL, without `*`, as the resource of cookies."""
    location = resource.partition("?")[0]
    host, _, path = location.partition("://")[2].partition("/")
    if not host or resource.endswith("?"):
        return
    if not path or path.endswith("/"):
        every = f"{location.rstrip('/')}/*"
        yield Caution(
            "resource-does-not-cover",
            f"the cookies open {shown(resource)} alone, and no file in that folder: for its files sign {shown(every)}",
        )
    elif _MANIFEST.search(path):
        every = f"{location.rpartition('/')[0]}/*"
        yield Caution(
            "resource-does-not-cover",
            f"the cookies open the manifest {shown(resource)} alone, and none of its segments: "
            f"sign its folder, {shown(every)}",
        )
    if "|" in path:
        yield Caution(
            "path-encoding-differs",
            f"{shown(resource)} has '|' in its path, which Chromium sends as %7C and other browsers as it is: "
            "write %7C here and in the page",
        )


def of_resource(resource: str | None) -> Iterable[Caution]:
    """Return the cautions about a custom policy's `Resource` (`None`: it has none)."""
    ordinary = resource is not None and _ORDINARY.match(resource) and _S3_DOMAIN not in resource
    return () if ordinary else _of_wide_resource(resource)


def _of_wide_resource(resource: str | None) -> Iterator[Caution]:
    if covers_everything(resource):
        yield Caution(
            "resource-covers-everything",
            f"the policy {'has no Resource' if resource is None else f'covers {shown(resource)}'}: it opens every file "
            "of every distribution that trusts the key; name the host and the folder",
        )
    elif resource is not None and covers_host(resource):
        yield Caution(
            "resource-covers-host",
            f"{shown(resource)} opens every file of its host: name a folder, such as https://host/folder/*",
        )
    elif resource is not None and "://" in resource:
        yield from of_url(resource)


def of_lifetime(seconds: float) -> Iterator[Caution]:
    """Return the cautions about a signature with this lifetime in seconds."""
    if seconds > MAX_LIFETIME + 1:  # one second for rounding
        yield Caution(
            "long-lived",
            f"this lives for {seconds / 86400:.0f} days, and a signature cannot be taken back: sign for less, or give "
            "max_lifetime (--max-lifetime) to allow it",
        )


def bounded(seconds: float, most: timedelta) -> None:
    """Raise `PolicyError` if a lifetime of `seconds` is longer than `most`, the user's limit."""
    if not isinstance(most, timedelta) or most <= timedelta(0):
        text = f"max_lifetime is {most!r}: give a timedelta, such as timedelta(days=30)"
        raise PolicyError(text, reason="time-malformed", member="max_lifetime", value=most)
    if seconds > most.total_seconds() + 1:  # one second for rounding
        life = in_words(timedelta(seconds=math.ceil(seconds)))
        raise PolicyError(
            f"this would live for {life}, and max_lifetime is {in_words(most)}: "
            "choose an earlier time, or a longer max_lifetime (--max-lifetime) [long-lived]",
            reason="long-lived",
            member="expires",
            value=seconds,
        )


@lru_cache(maxsize=1024)
def of_network(ip: str, *, ipv6: bool | None = None) -> tuple[Caution, ...]:
    """Return the cautions about a policy's IPv4 network. `ipv6`: whether the distribution accepts IPv6."""
    if ip == EVERYBODY:
        text = f"ip={ip} would still shut out every viewer who connects over IPv6: "
        return (Caution("viewer-over-ipv6", f"{text}leave it out to allow every viewer (a Signer leaves it out)"),)
    private = Caution(
        "private-address-in-policy",
        f"{ip} is a private network, and no viewer reaches CloudFront from one: give the viewer's public address",
    )
    unreachable = Caution(
        "viewer-over-ipv6",
        f"ip={ip}, but the distribution accepts IPv6, and viewers who connect over it are refused: "
        "turn IPv6 off for the distribution, or leave ip out",
    )
    return (private,) * is_private(ip) + (unreachable,) * bool(ipv6)


def of_cookie(policy: str) -> Iterator[Caution]:
    """Return the cautions about an encoded policy as the value of a cookie."""
    size = len("CloudFront-Policy") + len(policy)
    if size > _MAX_COOKIE_BYTES:
        yield Caution(
            "cookies-incomplete",
            f"the cookie that holds the policy would be {size:,} bytes, and browsers drop one over "
            f"{_MAX_COOKIE_BYTES:,}: sign a shorter resource, with wildcards",
        )


def of_cookie_attributes(resource: str, *, domain: str | None, path: str, secure: bool) -> Iterator[Caution]:
    """Return the cautions about the attributes of cookies for `resource`, as `keyfront.core.urls` returns it."""
    scheme, _, rest = resource.rpartition("://")
    host, slash, tail = rest.partition("/")
    name = host.partition(":")[0].lower()
    wanted = (domain or "").lstrip(".").lower()
    if wanted == "cloudfront.net":
        yield Caution(
            "cookie-domain-differs",
            "domain=cloudfront.net: browsers accept no cookies for it; serve the files under your own domain",
        )
    elif wanted and not _WILDCARD.search(name) and name != wanted and not name.endswith(f".{wanted}"):
        yield Caution(
            "cookie-domain-differs",
            f"domain={domain}, and the cookies open {shown(resource)}: browsers do not send them there; "
            "give the part of the host name that the site and the files share",
        )
    opened, below = f"/{tail}" if slash or not host.endswith("*") else "/*", f"{path.rstrip('/')}/"
    literal = _WILDCARD.split(opened, maxsplit=1)[0]
    if not (literal == path or literal.startswith(below) or (literal != opened and below.startswith(literal))):
        yield Caution(
            "cookie-path-differs",
            f"path={path}, and the cookies open {shown(resource)}: browsers do not send them there; give path=/",
        )
    if not secure and scheme == "https" and not _HERE.match(host):
        yield Caution(
            "cookie-not-secure",
            f"the cookies open {shown(resource)} and are not Secure: browsers also send them over http, where "
            "anyone on the network can read them; leave secure=False out",
        )


def warn(seen: Iterable[Caution]) -> None:
    """Warn at the line that called keyfront, however many of its own functions lie between."""
    for caution in seen:
        warnings.warn(SigningWarning(caution.text, caution.finding), stacklevel=_frames_to_caller())


def _frames_to_caller() -> int:
    """Return the distance from `warn` to the first frame outside of keyfront, as `warnings.warn` counts."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    return level


def covers_everything(resource: str | None) -> bool:
    """Return whether `resource` covers every URL of every host."""
    return resource is None or all(
        covers(resource, probe) for probe in ("https://a.example/b/c", "https://z.example.org/y?x=1")
    )


def covers_host(resource: str) -> bool:
    """Return whether a pattern covers every path of its host or hosts."""
    rest = resource.partition("://")[2] or resource
    domain, slash, path = rest.partition("/")
    return bool(_WHOLE_HOST.fullmatch(path)) if slash else domain.endswith("*")


def is_private(ip: str) -> bool:
    """Return whether this IPv4 network is private. Documentation networks do not count."""
    network = ipaddress.IPv4Network(ip)
    return any(network.subnet_of(each) for each in _PRIVATE)
