"""Custom error responses: the pages that a distribution shows in place of errors.

Source: Developer Guide, "Generate custom error responses".
"""

import logging
from collections.abc import Callable

from keyfront.core.paths import normalise
from keyfront.edge.behaviors import Behavior
from keyfront.edge.cache.entries import lifetime_of, viewer_headers, whole
from keyfront.edge.cache.objects import Cache, Entry
from keyfront.edge.configuration import Distribution
from keyfront.edge.origin.client import Origins
from keyfront.edge.origin.failover import ask_for_page
from keyfront.edge.origin.failures import BrokenBodyError, OriginError
from keyfront.edge.request.forwarding import cache_key
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import EdgeResponse

_log = logging.getLogger(__name__)


class ErrorPages:
    """Error pages from origins, cached like other objects."""

    def __init__(self, origins: Origins, cache: Cache, clock: Callable[[], float]) -> None:
        """`clock` returns seconds since the epoch."""
        self._origins = origins
        self._cache = cache
        self._clock = clock

    async def page(self, distribution: Distribution, status: int, viewer: Request) -> EdgeResponse | None:
        """Return the page that `distribution` has for `status`, or `None`.

        The page comes from the behavior that its path matches. If the origin does not have it, the response has the
        origin's status instead.
        """
        custom = distribution.errors.get(status)
        if custom is None or not custom.page_path:
            return None
        behavior = distribution.behavior(normalise(custom.page_path))
        if behavior.origin is None:
            return None
        asker = viewer.asking_for(custom.page_path)
        entry = self._cache.get(cache_key(distribution, behavior.rules, asker, asker.path, ""))
        if entry is None or entry.pieces is not None or entry.fresh_until <= self._clock():
            try:
                entry = await self._fetched(distribution, behavior, asker)
            except (OriginError, BrokenBodyError) as error:
                _log.warning(
                    "the custom error page %s of %s cannot be fetched: %s", custom.page_path, distribution.id, error
                )
                return None
        return EdgeResponse(custom.response_code if entry.status == 200 else entry.status, entry.headers, entry.body)

    async def _fetched(self, distribution: Distribution, behavior: Behavior, asker: Request) -> Entry:
        ticket = self._cache.ticket(cache_key(distribution, behavior.rules, asker, asker.path, ""))
        target, response = await ask_for_page(self._origins, behavior, distribution, asker)
        try:
            body = b"".join([chunk async for chunk in response.chunks()])
        finally:
            response.close()
        now = self._clock()
        life = lifetime_of(distribution, target, response, now)
        entry = whole(distribution, response, viewer_headers(target, response), body, life, now)
        if life.keep:
            self._cache.put(ticket, entry)
        return entry
