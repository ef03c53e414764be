"""Fetch: gets objects that are not in the cache from the origin, passes them on as they arrive, and caches them."""

import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Final

from keyfront.edge.behaviors import Behavior
from keyfront.edge.cache.bodies import Disk, Memory
from keyfront.edge.cache.collapsing import Coming, Flight, FlightKey, Flights, Landing
from keyfront.edge.cache.entries import (
    error_ttl,
    lifetime_of,
    refreshed,
    standing_for_error,
    viewer_headers,
    whole,
)
from keyfront.edge.cache.fill import Arrival, CacheFill
from keyfront.edge.cache.freshness import Lifetime, serves_stale
from keyfront.edge.cache.objects import Cache, Entry, Ticket
from keyfront.edge.cache.stream import Stream
from keyfront.edge.exchange import Exchange
from keyfront.edge.origin.client import OriginResponse, Origins
from keyfront.edge.origin.failover import ask
from keyfront.edge.origin.failures import BrokenBodyError, OriginError
from keyfront.edge.response.compression import accepted, compressed, encoded_headers, is_compressible
from keyfront.edge.response.custom_errors import ErrorPages
from keyfront.edge.response.header_rules import with_vary
from keyfront.edge.response.pages import (
    BAD_ANSWER,
    ERROR,
    HIT,
    MISS,
    NO_CONNECTION,
    REFRESH_HIT,
    TIMED_OUT,
    EdgeResponse,
)
from keyfront.edge.response.pages import page as error_page
from keyfront.edge.response.responding import edge_headers, send_answer, send_entry, send_stream, send_whole

_log = logging.getLogger(__name__)

Report = Callable[[Exchange, int, bytes], None]
"""Takes an exchange, and the status and the `X-Cache` for its viewer."""

_NOT_KEPT: Final = Lifetime(False)
_CONDITIONS: Final = (b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since")
_GATEWAY_TEXTS: Final = {502: NO_CONNECTION, 504: TIMED_OUT}
_UNREACHABLE: Final = range(500, 505)


class Fetcher:
    """Answers exchanges from the origins, and fills the cache."""

    def __init__(
        self,
        origins: Origins,
        cache: Cache,
        disk: Disk,
        *,
        object_bytes: int,
        clock: Callable[[], float],
        report: Report,
    ) -> None:
        """Objects over `object_bytes` are kept on `disk` or not at all. `clock` returns seconds since the epoch."""
        self._origins = origins
        self._cache = cache
        self._object_bytes = object_bytes
        self._fill = CacheFill(cache, disk, object_bytes=object_bytes, clock=clock)
        self._clock = clock
        self._report = report
        self._flights = Flights()
        self.pages = ErrorPages(origins, cache, clock)

    async def fetch(self, exchange: Exchange, stale: Entry | None) -> None:
        """Answer from the origin. `stale` is the expired object in the cache, if there is one.

        Raises `BrokenBodyError` if the origin's body breaks off under way. The connection to the viewer must then be
        broken off, too; otherwise the viewer takes a part for the whole.
        """
        key = _flight_key(exchange)
        joined = self._flights.join(key) if key is not None else None
        if joined is not None:
            try:
                landing = await joined.landing()
                if landing.is_shared:
                    await self._deliver(exchange, landing)
                    return
            finally:
                self._left(key, joined)
            key = None
        ticket = self._cache.ticket(exchange.key)
        flight = self._flights.launch(key, ticket, lambda flight: self._fly(flight, key, exchange, stale))
        try:
            await self._deliver(exchange, await flight.landing())
        finally:
            self._left(key, flight)

    def _left(self, key: FlightKey | None, flight: Flight) -> None:
        if flight.leave():
            self._flights.close(key, flight)

    async def _deliver(self, exchange: Exchange, landing: Landing) -> None:
        """Send the result to one viewer."""
        what, marks = landing.what, exchange.distribution.marks
        self._report(exchange, what.status, landing.x_cache)
        if isinstance(what, Entry):
            await send_entry(exchange.send, exchange.viewer, what, marks, self._clock(), landing.x_cache)
        elif isinstance(what, EdgeResponse):
            await send_answer(exchange.send, exchange.viewer, what, marks)
        else:
            headers = [*what.headers, *edge_headers(landing.x_cache, marks), (b"x-amz-cf-id", exchange.viewer.id)]
            if what.length is not None and what.status not in (204, 304):
                headers.append((b"content-length", b"%d" % what.length))
            if isinstance(what.body, bytes):
                await send_whole(exchange.send, exchange.viewer, what.status, headers, what.body)
            else:
                await send_stream(exchange.send, what.status, headers, what.body.chunks())

    async def _fly(self, flight: Flight, key: FlightKey | None, exchange: Exchange, stale: Entry | None) -> None:
        """Send the request to the origin, land with the result, and cache it if possible."""
        known = stale if stale is not None and exchange.viewer.method == "GET" and _can_be_asked(stale) else None
        try:
            behavior, response = await ask(self._origins, exchange, known)
        except OriginError as error:
            flight.land(await self._failed(exchange, flight.ticket, stale, error))
            return
        try:
            await self._respond(flight, key, exchange, behavior, response, stale, known)
        except _NothingSentError as error:
            flight.land(await self._failed(exchange, flight.ticket, stale, error))
        finally:
            response.close()

    async def _respond(
        self,
        flight: Flight,
        key: FlightKey | None,
        exchange: Exchange,
        behavior: Behavior,
        response: OriginResponse,
        stale: Entry | None,
        known: Entry | None,
    ) -> None:
        distribution, method, now = exchange.distribution, exchange.viewer.method, self._clock()
        if known is not None and response.status == 304:
            entry, keeps = refreshed(distribution, behavior, known, response, now)
            if keeps:
                self._cache.put(flight.ticket, entry)
            else:
                self._cache.discard(exchange.key)
            flight.land(Landing(entry, REFRESH_HIT, is_shared=keeps))
            return
        if response.status in _UNREACHABLE and stale is not None and self._stands_in(exchange, stale, response.status):
            flight.land(Landing(stale, HIT, is_shared=True))
            return
        keeps = method != "HEAD" and method in behavior.cached_methods and response.complete_is_known
        life = lifetime_of(distribution, behavior, response, now) if keeps else _NOT_KEPT
        custom = await self.pages.page(distribution, response.status, exchange.viewer)
        if custom is not None:
            flight.land(self._error(exchange, flight.ticket, custom, response, life))
            return
        if keeps and not life.keep and response.status < 400:
            self._cache.discard(exchange.key)
        arrival = Arrival(exchange, flight.ticket, behavior, response, viewer_headers(behavior, response), life)
        if method == "GET" and behavior.rules.compresses and is_compressible(response.status, response.fields):
            arrival.headers = with_vary(arrival.headers, b"Accept-Encoding")
            if encoding := accepted(exchange.viewer, behavior.rules).partition(",")[0]:
                flight.land(await self._compressed(arrival, encoding))
                return
        await self._stream(flight, key, arrival)

    async def _compressed(self, arrival: Arrival, encoding: str) -> Landing:
        """Read the object and compress it. Raises `_NothingSentError` if it breaks off."""
        distribution, response, life = arrival.exchange.distribution, arrival.response, arrival.life
        try:
            body = b"".join([chunk async for chunk in response.chunks()])
        except BrokenBodyError as error:
            raise _NothingSentError(error.status, str(error)) from error
        smaller = await compressed(body, encoding)
        headers = arrival.headers
        if len(smaller) < len(body):
            body, headers = smaller, encoded_headers(headers, encoding)
        entry = whole(distribution, response, headers, body, life, self._clock())
        if life.keep and len(body) <= self._object_bytes:
            self._cache.put(arrival.ticket, entry)
        return Landing(entry, _x_cache(response), is_shared=life.keep)

    async def _stream(self, flight: Flight, key: FlightKey | None, arrival: Arrival) -> None:
        """Pass the body on as it arrives. Raises `_NothingSentError` if it breaks off before its first byte."""
        response = arrival.response
        try:
            first = await response.read()
        except BrokenBodyError as error:
            raise _NothingSentError(error.status, str(error)) from error
        chunks = response.chunks()
        pieces, offset = self._fill.pieces(arrival)
        memory = None
        if pieces is None and arrival.life.keep and response.status != 206 and self._fill.fits(response.length):
            memory = Memory()
        if pieces is None and response.is_read and len(first) <= self._object_bytes:
            self._land_whole(flight, key, arrival, first, is_kept=memory is not None)
            return
        stream = Stream(pieces or memory, offset=offset, most_behind=self._object_bytes)
        # A viewer who joined later would miss the bytes that are not stored.
        stream.on_unstored = partial(self._flights.close, key, flight)
        coming = Coming(response.status, arrival.headers, response.length, stream)
        if not stream.is_stored:
            self._flights.close(key, flight)
        flight.land(Landing(coming, _x_cache(response), is_shared=stream.is_stored))
        if memory is not None:
            await self._fill.collect(arrival, stream, _chain(first, chunks))
        else:
            async for chunk in _chain(first, chunks):
                await stream.write(chunk)
            if pieces is not None and pieces.is_whole and not pieces.on_disk:
                self._fill.assemble(arrival, pieces, await pieces.read_all())
        stream.end()

    def _land_whole(
        self, flight: Flight, key: FlightKey | None, arrival: Arrival, body: bytes, *, is_kept: bool
    ) -> None:
        """Pass on a body that arrived at once."""
        response = arrival.response
        if is_kept:
            self._fill.put(arrival, body)
        else:
            self._flights.close(key, flight)
        coming = Coming(response.status, arrival.headers, response.length, body)
        flight.land(Landing(coming, _x_cache(response), is_shared=is_kept))

    async def _failed(
        self, exchange: Exchange, ticket: Ticket, stale: Entry | None, error: OriginError | BrokenBodyError
    ) -> Landing:
        """Return an expired object in place of the origin's response, or a gateway error, and cache the error."""
        _log.warning("%s", error)
        if stale is not None and self._stands_in(exchange, stale, error.status):
            return Landing(stale, HIT, is_shared=True)
        broken = isinstance(error, BrokenBodyError) and error.status == 502
        text = BAD_ANSWER if broken else _GATEWAY_TEXTS[error.status]
        answer = error_page(error.status, text, "origin-failed", exchange.viewer.id)
        custom = await self.pages.page(exchange.distribution, error.status, exchange.viewer)
        ttl = error_ttl(exchange.distribution, error.status)
        keeps = ttl > 0 and exchange.behavior.rules.caches and exchange.viewer.method == "GET"
        return self._error(exchange, ticket, custom or answer, None, Lifetime(keeps, ttl))

    def _error(
        self, exchange: Exchange, ticket: Ticket, answer: EdgeResponse, response: OriginResponse | None, life: Lifetime
    ) -> Landing:
        if life.keep:
            self._cache.put(ticket, standing_for_error(exchange.distribution, answer, response, life, self._clock()))
        return Landing(answer, answer.x_cache, is_shared=life.keep)

    def _stands_in(self, exchange: Exchange, stale: Entry, status: int) -> bool:
        """Return whether an expired object may be served while its origin fails. If so, postpone the next request."""
        if stale.error or not serves_stale(stale.fields):
            return False
        stale.fresh_until = self._clock() + error_ttl(exchange.distribution, status)
        return True


class _NothingSentError(BrokenBodyError):
    """A body broke off before the viewer was sent anything, so that an error can still be sent."""


def _flight_key(exchange: Exchange) -> FlightKey | None:
    """Return the key under which requests are collapsed; `None` if the request cannot be collapsed."""
    viewer, behavior = exchange.viewer, exchange.behavior
    if viewer.method != "GET" or "GET" not in behavior.cached_methods or not behavior.rules.caches:
        return None
    fields = viewer.fields
    if any(name in fields for name in _CONDITIONS):
        return None
    return FlightKey(exchange.key, viewer.header(b"range"), viewer.header(b"if-range"))


def _can_be_asked(entry: Entry) -> bool:
    return entry.status == 200 and not entry.error and entry.is_whole and bool(entry.etag or entry.modified is not None)


def _x_cache(response: OriginResponse) -> bytes:
    return response.x_cache or (ERROR if response.status >= 400 else MISS)


async def _chain(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for chunk in rest:
        yield chunk
