"""Fetch: what the cache does not hold is asked of the origin, passed on while it comes, and kept if it may be."""

import logging
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from typing import Final

from keyfront.edge.answers import BAD_ANSWER, ERROR, HIT, MISS, NO_CONNECTION, REFRESH_HIT, TIMED_OUT, Answer, Headers
from keyfront.edge.answers import page as error_page
from keyfront.edge.cache import Cache, Entry, Key
from keyfront.edge.configuration import Behavior, Site
from keyfront.edge.exchange import Exchange
from keyfront.edge.forwarding import cache_key, origin_headers, select_query
from keyfront.edge.freshness import DEFAULT_ERROR_TTL, Lifetime, http_date, lifetime, serves_stale, withheld
from keyfront.edge.origins import BrokenBodyError, OriginError, OriginRequest, OriginResponse, Origins
from keyfront.edge.ranges import well_formed
from keyfront.edge.responding import edge_headers, hit_headers, passed_on, send_answer, send_entry, send_stream
from keyfront.edge.viewer import ViewerRequest
from keyfront.inventory import Origin
from keyfront.routes import normalise

_log = logging.getLogger(__name__)

Report = Callable[[Exchange, int, bytes], None]
"""Takes an exchange, the status and the `X-Cache` that the viewer is about to get."""

_NOT_KEPT: Final = Lifetime(False)
_PART: Final = frozenset({b"range", b"if-range"})
_CONDITION: Final = frozenset({b"if-none-match", b"if-modified-since"})
_REMEMBERED: Final = ("cache-control", "date", "etag", "expires", "last-modified", "vary")
_GATEWAY_TEXTS: Final = {502: NO_CONNECTION, 504: TIMED_OUT}
_UNREACHABLE: Final = range(500, 505)


class Fetcher:
    """Origins on one side, the cache on the other."""

    def __init__(
        self, origins: Origins, cache: Cache, *, object_bytes: int, clock: Callable[[], float], report: Report
    ) -> None:
        """Objects over `object_bytes` are passed on and never kept; `clock` gives seconds since the epoch."""
        self._origins = origins
        self._cache = cache
        self._object_bytes = object_bytes
        self._clock = clock
        self._report = report

    async def fetch(self, exchange: Exchange, stale: Entry | None) -> None:
        """Answer from the origin. `stale` is the expired object that the cache holds, if any.

        Raises `BrokenBodyError` when the origin's body breaks off under way: the connection to the viewer has to
        break as well, or a part would be taken for the whole.
        """
        behavior, viewer = exchange.behavior, exchange.viewer
        known = stale if stale is not None and viewer.method == "GET" and _can_be_asked(stale) else None
        try:
            if behavior.origin is None:
                raise OriginError(502, f"distribution {exchange.site.id} has no origin for {behavior.pattern}")
            asked = _origin_request(exchange, known)
            response = await self._origins.ask(behavior.origin, behavior, viewer, asked)
        except OriginError as error:
            await self._failed(exchange, stale, error.status, error)
            return
        try:
            await self._respond(exchange, response, stale, known)
        finally:
            await response.aclose()

    async def page(self, site: Site, status: int, viewer: ViewerRequest) -> Answer | None:
        """The custom error page that `site` has for `status`, or `None`.

        The page comes from the behavior that its path matches, through the cache. A page that its origin does not
        have gives that origin's status instead (Developer Guide, "Generate custom error responses").
        """
        custom = site.errors.get(status)
        if custom is None or not custom.page_path:
            return None
        behavior = site.behavior(normalise(custom.page_path))
        if behavior.origin is None:
            return None
        asker = viewer.asking_for(custom.page_path)
        key = cache_key(site, behavior.rules, asker, asker.path, "")
        entry = self._cache.get(key)
        if entry is None or entry.fresh_until <= self._clock():
            try:
                entry = await self._page_entry(site, behavior, behavior.origin, asker, key)
            except (OriginError, BrokenBodyError) as error:
                _log.warning("the custom error page %s of %s cannot be had: %s", custom.page_path, site.id, error)
                return None
        return Answer(custom.response_code if entry.status == 200 else entry.status, entry.headers, entry.body)

    async def _page_entry(
        self, site: Site, behavior: Behavior, origin: Origin, asker: ViewerRequest, key: Key
    ) -> Entry:
        headers = origin_headers(asker, behavior.rules, via=site.via, s3=origin.custom is None)
        asked = OriginRequest("GET", asker.path, "", headers)
        response = await self._origins.ask(origin, behavior, asker, asked)
        try:
            body = b"".join([chunk async for chunk in response.chunks()])
        finally:
            await response.aclose()
        life = self._lifetime(site, behavior, response)
        entry = self._entry(site, response.status, _viewer_headers(behavior, response), response, life, body)
        if life.keep:
            self._cache.put(key, entry)
        return entry

    async def _respond(
        self, exchange: Exchange, response: OriginResponse, stale: Entry | None, known: Entry | None
    ) -> None:
        if known is not None and response.status == 304:
            entry = self._refreshed(exchange, known, response)
            await self._send_entry(exchange, entry, REFRESH_HIT)
            return
        if response.status in _UNREACHABLE and stale is not None and self._stands_in(exchange, stale, response.status):
            await self._send_entry(exchange, stale, HIT)
            return
        site, behavior, method = exchange.site, exchange.behavior, exchange.viewer.method
        keeps = method != "HEAD" and method in behavior.cached_methods and response.complete_is_known
        life = self._lifetime(site, behavior, response) if keeps else _NOT_KEPT
        custom = await self.page(site, response.status, exchange.viewer)
        if custom is not None:
            await self._send_error(exchange, custom, response, life)
            return
        if response.length is not None and response.length > self._object_bytes:
            life = _NOT_KEPT
        if keeps and not life.keep and response.status < 400:
            self._cache.discard(exchange.key)
        try:
            await self._stream(exchange, response, life)
        except _NothingSentError as error:
            await self._failed(exchange, stale, error.status, error)

    async def _stream(self, exchange: Exchange, response: OriginResponse, life: Lifetime) -> None:
        """Pass the body on while it comes. Raises `_NothingSentError` if it breaks off before its first byte."""
        headers = _viewer_headers(exchange.behavior, response)
        chunks = self._kept(exchange, response, headers, life)
        try:
            first = await anext(chunks, b"")
        except BrokenBodyError as error:
            raise _NothingSentError(error.status, str(error)) from error
        x_cache = ERROR if response.status >= 400 else MISS
        sent = [*headers, *edge_headers(x_cache, exchange.site.marks), (b"x-amz-cf-id", exchange.viewer.id)]
        if response.length is not None and response.status not in (204, 304):
            sent.append((b"content-length", b"%d" % response.length))
        self._report(exchange, response.status, x_cache)
        await send_stream(exchange.send, response.status, sent, first, chunks)

    async def _kept(
        self, exchange: Exchange, response: OriginResponse, headers: Headers, life: Lifetime
    ) -> AsyncIterator[bytes]:
        """The body; once it is there whole, and before its last bytes go on, it is in the cache."""
        collected: list[bytes] | None = [] if life.keep else None
        size = 0
        async for chunk in response.chunks():
            size += len(chunk)
            if collected is not None and size <= self._object_bytes:
                collected.append(chunk)
                if size == response.length:
                    self._keep(exchange, response.status, headers, response, life, b"".join(collected))
                    collected = None
            else:
                collected = None
            yield chunk
        if collected is not None and response.length in (None, size):
            self._keep(exchange, response.status, headers, response, life, b"".join(collected))

    async def _failed(self, exchange: Exchange, stale: Entry | None, status: int, error: Exception) -> None:
        """The origin gave no answer: an expired object stands in, or a gateway error is made and kept as one."""
        _log.warning("%s", error)
        if stale is not None and self._stands_in(exchange, stale, status):
            await self._send_entry(exchange, stale, HIT)
            return
        text = BAD_ANSWER if isinstance(error, _NothingSentError) and status == 502 else _GATEWAY_TEXTS[status]
        answer = error_page(status, text, "origin-failed", exchange.viewer.id)
        custom = await self.page(exchange.site, status, exchange.viewer)
        ttl = self._error_ttl(exchange.site, status)
        keeps = ttl > 0 and exchange.behavior.rules.caches and exchange.viewer.method == "GET"
        await self._send_error(exchange, custom or answer, None, Lifetime(keeps, ttl))

    async def _send_error(
        self, exchange: Exchange, answer: Answer, response: OriginResponse | None, life: Lifetime
    ) -> None:
        if life.keep:
            self._keep(exchange, answer.status, answer.headers, response, life, answer.body)
        self._report(exchange, answer.status, answer.x_cache)
        await send_answer(exchange.send, exchange.viewer, answer, exchange.site.marks)

    async def _send_entry(self, exchange: Exchange, entry: Entry, x_cache: bytes) -> None:
        self._report(exchange, entry.status, x_cache)
        await send_entry(exchange.send, exchange.viewer, entry, exchange.site.marks, self._clock(), x_cache)

    def _stands_in(self, exchange: Exchange, stale: Entry, status: int) -> bool:
        """Whether an expired object is served while its origin fails; if so, until the origin is asked again."""
        if stale.error or not serves_stale(stale.fields):
            return False
        stale.fresh_until = self._clock() + self._error_ttl(exchange.site, status)
        return True

    def _refreshed(self, exchange: Exchange, known: Entry, response: OriginResponse) -> Entry:
        """The entry with the headers of the 304 that confirmed it (RFC 9111, section 4.3.4)."""
        said = {name for name, _ in response.headers if not name.startswith(b"content-")}
        newer = [item for item in _viewer_headers(exchange.behavior, response) if item[0] in said]
        names = {name for name, _ in newer}
        headers = [item for item in known.headers if item[0] not in names] + newer
        response.fields = {**known.fields, "date": formatdate(self._clock(), usegmt=True), **response.fields}
        response.status = known.status
        life = self._lifetime(exchange.site, exchange.behavior, response)
        entry = self._entry(exchange.site, known.status, headers, response, life, known.body)
        if life.keep:
            self._cache.put(exchange.key, entry)
        else:
            self._cache.discard(exchange.key)
        return entry

    def _keep(
        self,
        exchange: Exchange,
        status: int,
        headers: Headers,
        response: OriginResponse | None,
        life: Lifetime,
        body: bytes,
    ) -> None:
        self._cache.put(exchange.key, self._entry(exchange.site, status, headers, response, life, body))

    def _entry(
        self, site: Site, status: int, headers: Headers, response: OriginResponse | None, life: Lifetime, body: bytes
    ) -> Entry:
        fields = response.fields if response is not None else {}
        unkept = withheld(fields)
        kept = [item for item in headers if item[0].decode("latin-1") not in unkept] if unkept else headers
        now, age = self._clock(), fields.get("age", "")
        # A status below 400 can be a custom error response's; what the origin said tells.
        error = response is None or response.status >= 400
        return Entry(
            status=status,
            headers=kept,
            body=body,
            fields={name: fields[name] for name in _REMEMBERED if name in fields},
            born=now - (int(age) if age.isdecimal() else 0),
            fresh_until=now + life.seconds,
            hit_headers=hit_headers(kept, body, status, ERROR if error else HIT, site.marks),
            error=error,
            etag=fields.get("etag", ""),
            modified=http_date(fields.get("last-modified", "")),
        )

    def _lifetime(self, site: Site, behavior: Behavior, response: OriginResponse) -> Lifetime:
        ttl = self._error_ttl(site, response.status)
        return lifetime(response.status, response.fields, behavior.rules, ttl, self._clock())

    @staticmethod
    def _error_ttl(site: Site, status: int) -> int:
        custom = site.errors.get(status)
        return custom.caching_min_ttl if custom else DEFAULT_ERROR_TTL


class _NothingSentError(BrokenBodyError):
    """A body that broke off before the viewer was told anything: there is time for an honest answer."""


def _can_be_asked(entry: Entry) -> bool:
    return entry.status == 200 and not entry.error and bool(entry.etag or entry.modified is not None)


def _viewer_headers(behavior: Behavior, response: OriginResponse) -> Headers:
    cookies = behavior.rules.sent_cookies.mode != "none"
    s3 = behavior.origin is not None and behavior.origin.custom is None
    return passed_on(response.headers, cookies=cookies, s3=s3)


def _origin_request(exchange: Exchange, known: Entry | None) -> OriginRequest:
    viewer, behavior = exchange.viewer, exchange.behavior
    s3 = behavior.origin is not None and behavior.origin.custom is None
    headers = origin_headers(viewer, behavior.rules, via=exchange.site.via, s3=s3)
    if known is not None:
        headers = [item for item in headers if item[0] not in _PART | _CONDITION]
        if known.etag:
            headers.append((b"if-none-match", known.etag.encode("latin-1")))
        if known.modified is not None:
            headers.append((b"if-modified-since", known.fields["last-modified"].encode("latin-1")))
    elif not well_formed(viewer.header(b"range")):
        # An ill-formed range gets the whole object, whatever the origin would have made of it.
        headers = [item for item in headers if item[0] not in _PART]
    has_body = viewer.has_body
    return OriginRequest(
        method=viewer.method,
        path=exchange.path,
        query=select_query(exchange.query, behavior.rules.sent_query),
        headers=headers,
        body=exchange.inbound.body() if has_body else None,
        content_length=viewer.header(b"content-length") if has_body else "",
    )
