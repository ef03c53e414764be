"""How long an origin's response may be kept.

Sources: Developer Guide, "Manage how long content stays in the cache (expiration)" and "How CloudFront processes
HTTP 4xx and 5xx status codes from your origin". All durations are seconds.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple

from keyfront.edge.cache_rules import CacheRules

ALWAYS_CACHED_ERRORS = frozenset({404, 414, 500, 501, 502, 503, 504})
ERRORS_CACHED_ON_REQUEST = frozenset({400, 403, 405, 412, 415})
DEFAULT_ERROR_TTL = 10

_NOT_KEPT = ("no-store", "no-cache", "private")
_NEVER_STALE = frozenset({"must-revalidate", "proxy-revalidate", "no-cache"})
_DIRECTIVE = re.compile(r'([^\s,=]+)(?:\s*=\s*(?:"([^"]*)"|([^\s,]*)))?')


class Lifetime(NamedTuple):
    """Whether to keep a response, and for how many seconds it is fresh."""

    keep: bool
    seconds: float = 0


_GONE = Lifetime(False)
_LONGEST_DATE = 64


def directives(cache_control: str) -> dict[str, str]:
    """Return the directives of a Cache-Control header, with names in lower case and values without quotes."""
    found: dict[str, str] = {}
    for name, quoted, plain in _DIRECTIVE.findall(cache_control):
        found.setdefault(name.lower(), quoted or plain)
    return found


def withheld(headers: Mapping[str, str]) -> frozenset[str]:
    """Return the headers (in lower case) that must not be kept, such as `Set-Cookie` in `no-cache="Set-Cookie"`."""
    control = directives(headers.get("cache-control", ""))
    named = ",".join(control.get(name, "") for name in _NOT_KEPT)
    return frozenset(name.strip().lower() for name in named.split(",") if name.strip())


def lifetime(status: int, headers: Mapping[str, str], rules: CacheRules, error_ttl: int, now: float) -> Lifetime:
    """Return how long the origin's response is fresh under a behavior's rules.

    `headers` has names in lower case. `error_ttl` is the error caching minimum TTL for `status`. A response with a
    lifetime of 0 that can be revalidated is kept, and revalidated for each request.
    """
    if not rules.caches or headers.get("vary", "").strip() == "*":
        return _GONE
    control = directives(headers.get("cache-control", ""))
    stated = _stated(control, headers, now)
    if status >= 400:
        asked = "max-age" in control or "s-maxage" in control
        if status not in ALWAYS_CACHED_ERRORS and not (status in ERRORS_CACHED_ON_REQUEST and asked):
            return _GONE
        seconds = max(float(error_ttl), min(stated or 0, rules.max_ttl))
        return Lifetime(seconds > 0, seconds)
    if status in (206, 304):
        return _GONE
    if "no-store" in control or any(name in control and not control[name] for name in _NOT_KEPT):
        return Lifetime(rules.min_ttl > 0, rules.min_ttl)
    if stated is None:
        seconds = max(rules.min_ttl, rules.default_ttl)
    else:
        seconds = max(rules.min_ttl, min(stated - _age(headers), rules.max_ttl))
    return Lifetime(seconds > 0 or "etag" in headers or "last-modified" in headers, max(0, seconds))


def serves_stale(headers: Mapping[str, str]) -> bool:
    """Return whether an expired object may be served while its origin fails (5xx, or no response)."""
    control = directives(headers.get("cache-control", ""))
    return not _NEVER_STALE & control.keys() and control.get("stale-if-error") != "0"


def _stated(control: Mapping[str, str], headers: Mapping[str, str], now: float) -> float | None:
    """Return the lifetime that the origin asks for: s-maxage, else max-age, else Expires; `None` without any."""
    for name in ("s-maxage", "max-age"):
        if name in control:
            return float(control[name]) if control[name].isdecimal() else 0.0
    if "expires" in headers:
        expires = http_date(headers["expires"])
        sent = http_date(headers.get("date", ""))
        return max(0.0, expires - (now if sent is None else sent)) if expires is not None else 0.0
    return None


def _age(headers: Mapping[str, str]) -> float:
    """Return the seconds that the response already spent in other caches."""
    age = headers.get("age", "")
    return float(age) if age.isdecimal() else 0.0


def http_date(text: str) -> float | None:
    """Return the seconds since the epoch of an HTTP date, or `None` if it is not one."""
    return _parsed_date(text) if len(text) <= _LONGEST_DATE else None


# Origins send the same dates again and again.
@lru_cache(1024)
def _parsed_date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, TypeError, OverflowError):
        return None
