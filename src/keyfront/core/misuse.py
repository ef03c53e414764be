"""What can be signed and is seldom meant. Each caution has the id of its finding, a section of `docs/findings.md`.

A signer warns of them, `keyfront policy lint` lists them, and `keyfront explain` finds them in what was signed.
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
from keyfront.core.urls import shown
from keyfront.errors import PolicyError

_PACKAGE: Final = __name__.partition(".")[0]

MAX_LIFETIME: Final = 7 * 24 * 3600
"""Seconds: a longer life is warned of (see `Signer`)."""

EVERYBODY: Final = "0.0.0.0/0"
"""The network that looks like anybody, and is not: nobody over IPv6 is in it."""

_MAX_COOKIE_BYTES: Final = 4096  # RFC 6265bis, 5.6: browsers drop a cookie whose name and value are longer.
_S3_DOMAIN: Final = "amazonaws.com"
# Where plain HTTP is no mistake: this machine.
_HERE = re.compile(r"(?:(?:.+\.)?localhost|127\.[0-9.]+|\[::1\])(?::[0-9]+)?$")
# A folder or file of a host that is named, over https: with S3's names aside there is nothing to say.
_ORDINARY = re.compile(r"https://[^/*?]++/[^/*?]")
_WILDCARD = re.compile(r"[*?]")
_WHOLE_HOST = re.compile(r"/?\*+(?:\?\*?)?")
_PRIVATE: Final = tuple(
    ipaddress.IPv4Network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10")
)


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing that is seldom meant."""

    finding: str
    """Its id in `docs/findings.md`."""
    text: str


class SigningWarning(UserWarning):
    """Something that can be signed and is seldom meant. `finding` is its id in `docs/findings.md`."""

    def __init__(self, text: str, finding: str = "") -> None:
        super().__init__(f"{text} [{finding}]" if finding else text)
        self.finding = finding


def of_url(url: str) -> Iterator[Caution]:
    """What is seldom meant about a URL that is signed, as `keyfront.core.urls.viewer_url` gives it."""
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    if is_s3(host):
        yield Caution(
            "origin-host-signed",
            f"{shown(url)} names a bucket, and S3 knows nothing of CloudFront's signatures: "
            "sign the distribution's domain name, d….cloudfront.net, or an alias of it",
        )
    if scheme == "http" and not _HERE.match(host):
        yield Caution(
            "protocol-differs",
            f"{shown(url)} is signed for http: a viewer that asks over https, or is redirected to it, is refused; "
            "sign https://…",
        )


def of_canned_url(url: str) -> Iterator[Caution]:
    """What is seldom meant about the URL of a canned policy."""
    if "*" in url:
        yield Caution(
            "wildcard-in-canned-policy",
            f"{shown(url)} holds '*', which in a canned policy stands for nothing but itself: "
            "for a wildcard give resource=, for the character itself write %2A",
        )


def of_resource(resource: str | None) -> Iterable[Caution]:
    """What is seldom meant about a custom policy's `Resource` (`None`: it has none)."""
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
    """What is seldom meant about a signature that lives for so many seconds."""
    if seconds > MAX_LIFETIME + 1:  # what was rounded
        yield Caution(
            "long-lived",
            f"this lives for {seconds / 86400:.0f} days, and a signature cannot be taken back: sign for less, or give "
            "max_lifetime (--max-lifetime) to say that it is meant",
        )


def bounded(seconds: float, most: timedelta) -> None:
    """Raise `PolicyError` if a signature that lives for `seconds` lives longer than `most`, the bound somebody set."""
    if not isinstance(most, timedelta) or most <= timedelta(0):
        text = f"max_lifetime is {most!r}: give a timedelta, such as timedelta(days=30)"
        raise PolicyError(text, reason="time-malformed", member="max_lifetime", value=most)
    if seconds > most.total_seconds() + 1:  # what was rounded
        raise PolicyError(
            f"this would live for {timedelta(seconds=math.ceil(seconds))}, and max_lifetime is {most}: "
            "choose a nearer time, or a longer max_lifetime (--max-lifetime) [long-lived]",
            reason="long-lived",
            member="expires",
            value=seconds,
        )


@lru_cache(maxsize=1024)
def of_network(ip: str, *, ipv6: bool | None = None) -> tuple[Caution, ...]:
    """What is seldom meant about a policy's IPv4 network. `ipv6`: whether the distribution answers over IPv6."""
    if ip == EVERYBODY:
        text = f"ip={ip} would still shut out every viewer that arrives over IPv6: "
        return (Caution("viewer-over-ipv6", f"{text}leave it out to let anybody in (a Signer does so by itself)"),)
    private = Caution(
        "private-address-in-policy",
        f"{ip} is a private network, from which nobody reaches CloudFront: give the viewer's public address",
    )
    unreachable = Caution(
        "viewer-over-ipv6",
        f"ip={ip}, and the distribution answers over IPv6: viewers who come that way are refused; "
        "turn IPv6 off for the distribution, or leave ip out",
    )
    return (private,) * is_private(ip) + (unreachable,) * bool(ipv6)


def of_cookie(policy: str) -> Iterator[Caution]:
    """What is wrong with an encoded policy as the value of a cookie."""
    size = len("CloudFront-Policy") + len(policy)
    if size > _MAX_COOKIE_BYTES:
        yield Caution(
            "cookies-incomplete",
            f"the cookie that holds the policy would be {size:,} bytes, and browsers drop one over "
            f"{_MAX_COOKIE_BYTES:,}: sign a shorter resource, with wildcards",
        )


def of_cookie_attributes(resource: str, *, domain: str | None, path: str, secure: bool) -> Iterator[Caution]:
    """What is seldom meant about the attributes of cookies that open `resource`, as `keyfront.core.urls` gives it."""
    scheme, _, rest = resource.rpartition("://")
    host, slash, tail = rest.partition("/")
    name = host.partition(":")[0].lower()
    wanted = (domain or "").lstrip(".").lower()
    if wanted == "cloudfront.net":
        yield Caution(
            "cookie-domain-differs",
            "domain=cloudfront.net: browsers take no cookies for it; serve the files under a name of your own domain",
        )
    elif wanted and not _WILDCARD.search(name) and name != wanted and not name.endswith(f".{wanted}"):
        yield Caution(
            "cookie-domain-differs",
            f"domain={domain}, and the cookies open {shown(resource)}: browsers do not send them there; "
            "give the part of the name that the site and the files share",
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
            f"the cookies open {shown(resource)} and are not Secure: browsers send them over http as well, where "
            "anybody on the way reads them; leave secure=False out",
        )


def warn(seen: Iterable[Caution]) -> None:
    """Warn where keyfront was called, however many of its own functions lie between."""
    for caution in seen:
        warnings.warn(SigningWarning(caution.text, caution.finding), stacklevel=_frames_to_caller())


def _frames_to_caller() -> int:
    """How far `warn` is from the first frame outside of keyfront, as `warnings.warn` counts."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    return level


def covers_everything(resource: str | None) -> bool:
    """Whether any URL of any host is covered."""
    return resource is None or all(
        covers(resource, probe) for probe in ("https://a.example/b/c", "https://z.example.org/y?x=1")
    )


def covers_host(resource: str) -> bool:
    """Whether a pattern covers every path of its host or hosts."""
    rest = resource.partition("://")[2] or resource
    domain, slash, path = rest.partition("/")
    return bool(_WHOLE_HOST.fullmatch(path)) if slash else domain.endswith("*")


def is_private(ip: str) -> bool:
    """Whether nobody on the Internet has an address of this IPv4 network. Documentation networks do not count."""
    network = ipaddress.IPv4Network(ip)
    return any(network.subnet_of(each) for each in _PRIVATE)
