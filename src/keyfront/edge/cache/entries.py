"""Makes cache entries from an origin's responses."""

from email.utils import formatdate
from typing import Final

from keyfront.edge.behaviors import Behavior
from keyfront.edge.cache.freshness import DEFAULT_ERROR_TTL, Lifetime, http_date, lifetime, withheld
from keyfront.edge.cache.objects import Entry
from keyfront.edge.cache.pieces import Pieces
from keyfront.edge.configuration import Distribution
from keyfront.edge.origin.client import OriginResponse
from keyfront.edge.response.pages import ERROR, HIT, EdgeResponse, Headers
from keyfront.edge.response.responding import hit_headers, passed_on

_REMEMBERED: Final = ("cache-control", "date", "etag", "expires", "last-modified", "vary")
_OF_A_PART: Final = frozenset({b"content-range", b"content-length"})


def viewer_headers(behavior: Behavior, response: OriginResponse) -> Headers:
    """Return those of the origin's headers that viewers get."""
    cookies = behavior.rules.sent_cookies.mode != "none"
    s3 = behavior.origin is not None and behavior.origin.custom is None
    return passed_on(response.headers, cookies=cookies, s3=s3)


def error_ttl(distribution: Distribution, status: int) -> int:
    """Return the error caching minimum TTL, in seconds."""
    custom = distribution.errors.get(status)
    return custom.caching_min_ttl if custom else DEFAULT_ERROR_TTL


def lifetime_of(distribution: Distribution, behavior: Behavior, response: OriginResponse, now: float) -> Lifetime:
    """Return how long a response is kept. A part of an object is kept as long as the whole would be."""
    status = 200 if response.status == 206 else response.status
    return lifetime(status, response.fields, behavior.rules, error_ttl(distribution, status), now)


def whole(
    distribution: Distribution, response: OriginResponse, headers: Headers, body: bytes, life: Lifetime, now: float
) -> Entry:
    """Return an entry for a response with its whole body. Viewers get `headers`."""
    return _entry(distribution, response, response.status, headers, life, now, body=body)


def pieced(
    distribution: Distribution, response: OriginResponse, headers: Headers, pieces: Pieces, life: Lifetime, now: float
) -> Entry:
    """Return an entry for an object on disk or not complete. `response` may have only a part of it."""
    kept = [item for item in headers if item[0] not in _OF_A_PART]
    return _entry(distribution, response, 200, kept, life, now, pieces=pieces)


def standing_for_error(
    distribution: Distribution, answer: EdgeResponse, response: OriginResponse | None, life: Lifetime, now: float
) -> Entry:
    """Return an entry for the page that viewers get when an origin sent an error or did not respond."""
    return _entry(distribution, response, answer.status, answer.headers, life, now, body=answer.body)


def refreshed(
    distribution: Distribution, behavior: Behavior, known: Entry, response: OriginResponse, now: float
) -> tuple[Entry, bool]:
    """Return `known` with the headers of the 304 that confirmed it, and whether it may be kept.

    Source: RFC 9111, section 4.3.4.
    """
    said = {name for name, _ in response.headers if not name.startswith(b"content-")}
    if known.etag != known.fields.get("etag", ""):
        # Compressed here: keep its own ETag and Vary.
        said -= {b"etag", b"vary"}
    newer = [item for item in viewer_headers(behavior, response) if item[0] in said]
    names = {name for name, _ in newer}
    headers = [item for item in known.headers if item[0] not in names] + newer
    response.fields = {**known.fields, "date": formatdate(now, usegmt=True), **response.fields}
    response.status = known.status
    life = lifetime_of(distribution, behavior, response, now)
    return _entry(
        distribution, response, known.status, headers, life, now, body=known.body, pieces=known.pieces
    ), life.keep


def _entry(
    distribution: Distribution,
    response: OriginResponse | None,
    status: int,
    headers: Headers,
    life: Lifetime,
    now: float,
    *,
    body: bytes = b"",
    pieces: Pieces | None = None,
) -> Entry:
    fields = response.fields if response is not None else {}
    unkept = withheld(fields)
    kept = [item for item in headers if item[0].decode("latin-1") not in unkept] if unkept else headers
    age = fields.get("age", "")
    # A custom error response can have a status below 400, so the origin's status counts.
    error = response is None or response.status >= 400
    etag = next((value for name, value in headers if name == b"etag"), b"")
    return Entry(
        status=status,
        headers=kept,
        body=body,
        fields={name: fields[name] for name in _REMEMBERED if name in fields},
        born=now - (int(age) if age.isdecimal() else 0),
        fresh_until=now + life.seconds,
        hit_headers=hit_headers(kept, body, status, ERROR if error else HIT, distribution.marks),
        error=error,
        etag=etag.decode("latin-1"),
        modified=http_date(fields.get("last-modified", "")),
        pieces=pieces,
    )
