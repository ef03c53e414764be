"""Range, If-Range and conditional requests.

Sources: RFC 9110, sections 13 and 14; Developer Guide, "How CloudFront processes partial requests for an object
(range GETs)": with a malformed Range header, the viewer gets the whole object.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from keyfront.edge.cache.freshness import http_date

_SPEC = re.compile(r"(\d{0,18})-(\d{0,18})")
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", re.IGNORECASE)
_TAG = re.compile(r'(?:W/)?"[^"]*"')


class Span(NamedTuple):
    """The bytes from `start` to before `end`."""

    start: int
    end: int


def well_formed(header: str) -> bool:
    """Return whether CloudFront accepts a Range header: bytes, ascending, not overlapping."""
    specs = _specs(header)
    if not specs:
        return False
    reached = -1
    for first, last in specs:
        if first is None:
            # The last bytes of an object: another range cannot be known to come after them.
            if len(specs) > 1:
                return False
            continue
        if first <= reached or reached is None:
            return False
        reached = last if last is not None else 10**18
    return True


def spans(header: str, length: int) -> list[Span] | None:
    """Return the ranges that `header` asks for, of an object of `length` bytes.

    `None` means the whole object (no range, or one that CloudFront does not accept). An empty list means that no range
    is inside the object. Ranges outside the object are left out (RFC 9110, section 14.1.1).
    """
    if not well_formed(header):
        return None
    found = []
    for first, last in _specs(header):
        if first is None:
            wanted = last or 0
            span = Span(max(0, length - wanted), length) if wanted else Span(length, length)
        else:
            span = Span(first, length if last is None else min(last + 1, length))
        if span.start < span.end:
            found.append(span)
    return found


def content_range(header: str) -> tuple[Span, int] | None:
    """Return the part that a `Content-Range` names, and the object's length; `None` if it does not have both."""
    found = _CONTENT_RANGE.fullmatch(header.strip())
    if not found:
        return None
    first, last, length = map(int, found.groups())
    return (Span(first, last + 1), length) if first <= last < length else None


def range_applies(if_range: str, etag: str, modified: str) -> bool:
    """Return whether an If-Range header lets a Range count: the viewer's part is of the current object."""
    if not if_range:
        return True
    if if_range.startswith(('"', "W/")):
        return if_range == etag and not etag.startswith("W/")
    return bool(modified) and http_date(if_range) is not None and http_date(if_range) == http_date(modified)


def not_modified(request: Mapping[bytes, bytes], etag: str, modified: float | None) -> bool:
    """Return whether the viewer has this object already, by If-None-Match, or without it by If-Modified-Since."""
    tags = request.get(b"if-none-match")
    if tags is not None:
        text = tags.decode("latin-1")
        return text.strip() == "*" or bool(etag and _weak(etag) in map(_weak, _TAG.findall(text)))
    since = request.get(b"if-modified-since")
    if since is None or modified is None:
        return False
    known = http_date(since.decode("latin-1"))
    return known is not None and modified <= known


def _weak(tag: str) -> str:
    return tag.removeprefix("W/")


def _specs(header: str) -> list[tuple[int | None, int | None]]:
    """Return the first and last byte of each range; nothing if any of them is malformed."""
    unit, equals, text = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return []
    specs: list[tuple[int | None, int | None]] = []
    for part in text.split(","):
        found = _SPEC.fullmatch(part.strip())
        if not found or found[0] == "-":
            return []
        first, last = (int(group) if group else None for group in found.groups())
        if first is not None and last is not None and first > last:
            return []
        specs.append((first, last))
    return specs
