"""Objects that are kept, bounded by their bytes; what was asked for longest ago makes room for the new.

Bodies are in memory, or large ones on disk; each place has its own bound.
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
"""Bytes that an entry takes beside its body and headers: key, objects, table slots."""


class CacheKey(NamedTuple):
    """What tells one object from another. A member that the behavior does not count is empty."""

    distribution_id: str
    path: str
    query: str
    method: str = ""
    """`OPTIONS`, or empty: GET and HEAD share an object."""
    cookies: str = ""
    headers: tuple[str, ...] = ()
    """Each as `name:value`."""
    encoding: str = ""
    """The viewer's Accept-Encoding in its normal form."""


@dataclass(slots=True)
class Entry:
    """A kept answer. Times are seconds since the epoch; header names of `fields` are in lower case."""

    status: int
    headers: Headers
    body: bytes
    fields: Mapping[str, str]
    """What the origin said, as far as it is needed again."""
    born: float
    """When the origin made it, as far as we know: `Age` counts from here."""
    fresh_until: float
    hit_headers: Headers
    """`headers` with what every hit adds to them."""
    error: bool = False
    """Whether it stands for an error, whatever its status: a custom error response may be a 200."""
    etag: str = ""
    """As viewers get it: weak where the object was compressed here."""
    modified: float | None = None
    pieces: Pieces | None = None
    """The body, where it is on disk or not all there; `body` is empty then."""

    @property
    def length(self) -> int:
        """Bytes of the whole body."""
        return len(self.body) if self.pieces is None else self.pieces.length

    @property
    def is_whole(self) -> bool:
        """Whether every byte of the body is here."""
        return self.pieces is None or self.pieces.is_whole

    @property
    def size(self) -> int:
        """Bytes of memory, roughly."""
        body = self.length if self.pieces is None or not self.pieces.on_disk else 0
        return body + sum(len(name) + len(value) for name, value in self.headers) * 2 + _OVERHEAD

    @property
    def disk_size(self) -> int:
        """Bytes on disk."""
        return self.pieces.held if self.pieces is not None and self.pieces.on_disk else 0


class Ticket:
    """Leave to keep what is being fetched for a key, until an invalidation takes it back."""

    __slots__ = ("__weakref__", "is_valid", "key")

    def __init__(self, key: CacheKey) -> None:
        self.key = key
        self.is_valid = True


class Cache:
    """Entries by key. One event loop uses it; it takes no lock."""

    def __init__(self, limit: int, disk_limit: int = 0) -> None:
        """At most `limit` bytes in memory and `disk_limit` bytes on disk."""
        self.limit = limit
        self.disk_limit = disk_limit
        self.size = 0
        self.disk_size = 0
        self._entries: OrderedDict[CacheKey, Entry] = OrderedDict()
        self._tickets: weakref.WeakSet[Ticket] = weakref.WeakSet()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: CacheKey) -> Entry | None:
        """The entry, fresh or not."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def ticket(self, key: CacheKey) -> Ticket:
        """Draw one before asking the origin, so that an invalidation reaches what is still on its way."""
        ticket = Ticket(key)
        self._tickets.add(ticket)
        return ticket

    def put(self, ticket: Ticket, entry: Entry) -> None:
        """Keep `entry`, and drop what was used longest ago until all fits. What alone is too large is not kept."""
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
        """Forget everything whose key `matches`, and keep nothing of what is being fetched for such a key."""
        for ticket in list(self._tickets):
            if matches(ticket.key):
                ticket.is_valid = False
        for key in [key for key in self._entries if matches(key)]:
            self.discard(key)

    def discard(self, key: CacheKey) -> None:
        """Forget `key`, if it is there."""
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
