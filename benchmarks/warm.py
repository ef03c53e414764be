"""Warm up caches before a measurement."""

import http.client
from urllib.parse import urlsplit

from benchmarks.contest import PeerError
from benchmarks.wrk import Target

_IN_A_ROW = 20
_ATTEMPTS = 200


def up(target: Target, *, large: bool = False) -> bool:
    """Send requests over new connections until every worker answers from its cache.

    Raises `PeerError` if that never happens. For a `large` object it returns false instead, because the cache may not
    keep it.
    """
    asked, headers = target.requests[0]
    hits = 0
    for _ in range(_ATTEMPTS if not large else _ATTEMPTS // 5):
        connection = http.client.HTTPConnection(urlsplit(target.url).netloc, timeout=30)
        connection.request("GET", asked, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        is_hit = answer.status in (200, 206) and answer.headers["X-Cache"] == "Hit from cloudfront"
        hits = hits + 1 if is_hit else 0
        if hits == (_IN_A_ROW if not large else _IN_A_ROW // 2):
            return True
    if large:
        return False
    raise PeerError(f"the edge answers {answer.status} with X-Cache {answer.headers['X-Cache']!r}, not with a hit")
