"""Cache fill: puts what an origin sends into the cache as it arrives, whole or in pieces, in memory or on disk."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from keyfront.edge.behaviors import Behavior
from keyfront.edge.cache.bodies import Disk, Memory
from keyfront.edge.cache.entries import pieced, whole
from keyfront.edge.cache.freshness import Lifetime
from keyfront.edge.cache.objects import Cache, Entry, Ticket
from keyfront.edge.cache.pieces import Pieces
from keyfront.edge.cache.ranges import Span, content_range
from keyfront.edge.cache.stream import Stream
from keyfront.edge.exchange import Exchange
from keyfront.edge.origin.client import OriginResponse
from keyfront.edge.response.pages import Headers


@dataclass(slots=True)
class Arrival:
    """An origin's response, before it is handled."""

    exchange: Exchange
    ticket: Ticket
    behavior: Behavior
    """With the origin that sent the response."""
    response: OriginResponse
    headers: Headers
    """For viewers."""
    life: Lifetime


class CacheFill:
    """Puts the objects of arrivals into the cache."""

    def __init__(self, cache: Cache, disk: Disk, *, object_bytes: int, clock: Callable[[], float]) -> None:
        """Objects over `object_bytes` are kept on `disk` or not at all. `clock` returns seconds since the epoch."""
        self._cache = cache
        self._disk = disk
        self._object_bytes = object_bytes
        self._clock = clock

    async def collect(self, arrival: Arrival, stream: Stream, chunks: AsyncIterator[bytes]) -> None:
        """Write a whole body, first to memory. If it gets too large, it is moved to disk or not cached.

        The cache has the complete body before its last bytes are passed on.
        """
        length, limit, is_kept = arrival.response.length, self._object_bytes, False
        on_disk = False
        async for chunk in chunks:
            size = stream.reached + len(chunk)
            if stream.is_stored and size > limit:
                file = None if on_disk else self._disk.create()
                if file is not None and size <= self._disk.limit:
                    await stream.move(file)
                    limit, on_disk = self._disk.limit, True
                else:
                    stream.stop_storing()
            if stream.is_stored and not on_disk and size == length:
                self.put(arrival, await stream.written() + chunk)
                is_kept = True
            await stream.write(chunk)
        if not stream.is_stored or is_kept:
            return
        if not on_disk:
            self.put(arrival, await stream.written())
        elif stream.store is not None:
            pieces = Pieces(stream.reached, stream.store, on_disk=True)
            pieces.add(Span(0, stream.reached))
            self._put_pieces(arrival, pieces)

    def pieces(self, arrival: Arrival) -> tuple[Pieces | None, int]:
        """Return where to store a part or a large object, and the position of its first byte.

        Two parts are of one version only if they have the same strong ETag. Parts of another version are dropped.
        """
        response = arrival.response
        if not arrival.life.keep:
            return None, 0
        part = Span(0, response.length or 0), response.length or 0
        if response.status == 206:
            found = content_range(response.fields.get("content-range", ""))
            if found is None or response.length not in (None, found[0].end - found[0].start):
                return None, 0
            part = found
        elif response.status != 200 or self.fits(response.length):
            return None, 0
        span, length = part
        held = self._cache.get(arrival.exchange.key) if arrival.ticket.is_valid else None
        if held is not None and held.pieces is not None and _same_version(held, held.pieces, length, response):
            held.fresh_until = self._clock() + arrival.life.seconds
            return held.pieces, span.start
        if length <= self._object_bytes:
            pieces = Pieces(length, Memory(length), on_disk=False)
        else:
            file = self._disk.create() if length <= self._disk.limit else None
            if file is None:
                return None, 0
            pieces = Pieces(length, file, on_disk=True)
        self._put_pieces(arrival, pieces)
        return pieces, span.start

    def _put_pieces(self, arrival: Arrival, pieces: Pieces) -> None:
        distribution, now = arrival.exchange.distribution, self._clock()
        self._cache.put(
            arrival.ticket, pieced(distribution, arrival.response, arrival.headers, pieces, arrival.life, now)
        )

    def assemble(self, arrival: Arrival, pieces: Pieces, body: bytes) -> None:
        """Make one object of pieces that are now complete in memory."""
        entry = self._cache.get(arrival.exchange.key)
        if entry is not None and entry.pieces is pieces:
            arrival.response.status = 200
            arrival.headers = entry.headers
            self.put(arrival, body)

    def put(self, arrival: Arrival, body: bytes) -> None:
        entry = whole(
            arrival.exchange.distribution, arrival.response, arrival.headers, body, arrival.life, self._clock()
        )
        self._cache.put(arrival.ticket, entry)

    def fits(self, length: int | None) -> bool:
        return length is None or length <= self._object_bytes


def _same_version(held: Entry, pieces: Pieces, length: int, response: OriginResponse) -> bool:
    etag = response.fields.get("etag", "")
    return pieces.length == length and etag.startswith('"') and held.fields.get("etag") == etag
