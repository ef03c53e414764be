"""The cached objects, limited by their size in bytes. When the cache is full, the least recently used are removed.

Bodies are in memory, large ones on disk. Each has its own limit.
"""

import weakref
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from keyfront.edge.cache.pieces import Pieces
from keyfront.edge.response.pages import Headers

_OVERHEAD = 1024
"""Bytes that an entry takes in addition to its body and headers: key, objects, table slots."""


class CacheKey(NamedTuple):
    """The key of a cached object. Members that the behavior does not use are empty."""

    distribution_id: str
    path: str
    query: str
    method: str = ""
    """`OPTIONS`, or empty for GET and HEAD, which share an object."""
    cookies: str = ""
    headers: tuple[str, ...] = ()
    """Each as `name:value`."""
    encoding: str = ""
    """The viewer's Accept-Encoding in its normal form."""


@dataclass(slots=True)
class Entry:
    """A cached response. Times are seconds since the epoch. `fields` has header names in lower case."""

    status: int
    headers: Headers
    body: bytes
    fields: Mapping[str, str]
    """The origin's headers that are needed later."""
    born: float
    """When the origin made it, as far as is known. `Age` counts from here."""
    fresh_until: float
    hit_headers: Headers
    """`headers` with those that every hit adds."""
    error: bool = False
    """Whether it stands for an error. A custom error response may have status 200."""
    etag: str = ""
    """The ETag for viewers: weak if the object was compressed here."""
    modified: float | None = None
    pieces: Pieces | None = None
    """The body if it is on disk or not complete; `body` is empty then."""

    @property
    def length(self) -> int:
        """The size of the whole body, in bytes."""
        return len(self.body) if self.pieces is None else self.pieces.length

    @property
    def is_whole(self) -> bool:
        """Whether the body is complete."""
        return self.pieces is None or self.pieces.is_whole

    @property
    def size(self) -> int:
        """The approximate size in memory, in bytes."""
        body = self.length if self.pieces is None or not self.pieces.on_disk else 0
        return body + sum(len(name) + len(value) for name, value in self.headers) * 2 + _OVERHEAD

    @property
    def disk_size(self) -> int:
        """The size on disk, in bytes."""
        return self.pieces.held if self.pieces is not None and self.pieces.on_disk else 0


class Ticket:
    """Permission to cache what is being fetched for a key. An invalidation revokes it."""

    __slots__ = ("__weakref__", "is_valid", "key")

    def __init__(self, key: CacheKey) -> None:
        self.key = key
        self.is_valid = True


class Cache:
    """Entries by key. It has no lock: use it in one event loop."""

    def __init__(self, limit: int, disk_limit: int = 0) -> None:
        """Make an empty cache for at most `limit` bytes in memory and `disk_limit` bytes on disk."""
        self.limit = limit
        self.disk_limit = disk_limit
        self.size = 0
        self.disk_size = 0
        self._entries: OrderedDict[CacheKey, Entry] = OrderedDict()
        self._tickets: weakref.WeakSet[Ticket] = weakref.WeakSet()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: CacheKey) -> Entry | None:
        """Return the entry for `key`, fresh or not, or `None`."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def ticket(self, key: CacheKey) -> Ticket:
        """Return a new ticket. Take it before the request to the origin, so that an invalidation can revoke it."""
        ticket = Ticket(key)
        self._tickets.add(ticket)
        return ticket

    def put(self, ticket: Ticket, entry: Entry) -> None:
        """Cache `entry`, and remove the least recently used ones until all fits. If it alone is too large, skip it."""
        if not ticket.is_valid:
            return
        key = ticket.key
        self.discard(key)
        size, disk_size = entry.size, entry.disk_size
        if size > self.limit or disk_size > self.disk_limit:
            return
        self._entries[key] = entry
        self.size += size
        self.disk_size += disk_size
        if entry.pieces is not None and entry.pieces.on_disk:
            entry.pieces.grown = partial(self._grown, key, entry)
        self._make_room()

    def purge(self, matches: Callable[[CacheKey], bool]) -> None:
        """Remove every entry whose key `matches`, and revoke the tickets for such keys."""
        for ticket in list(self._tickets):
            if matches(ticket.key):
                ticket.is_valid = False
        for key in [key for key in self._entries if matches(key)]:
            self.discard(key)

    def discard(self, key: CacheKey) -> None:
        """Remove the entry for `key`, if there is one."""
        dropped = self._entries.pop(key, None)
        if dropped is not None:
            self.size -= dropped.size
            self.disk_size -= dropped.disk_size

    def _grown(self, key: CacheKey, entry: Entry, count: int) -> None:
        if self._entries.get(key) is entry:
            self.disk_size += count
            self._make_room()

    def _make_room(self) -> None:
        while self.size > self.limit:
            self.discard(next(iter(self._entries)))
        while self.disk_size > self.disk_limit:
            self.discard(next(key for key, entry in self._entries.items() if entry.disk_size))
