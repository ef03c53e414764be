"""Objects kept in memory, bounded by their bytes; what was asked for longest ago makes room for the new."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from keyfront.edge.answers import Headers

Key = tuple[str, ...]
"""Distribution, path, and what else its behavior counts."""

_OVERHEAD = 1024
"""Bytes that an entry takes beside its body and headers: key, objects, table slots."""


@dataclass(slots=True)
class Entry:
    """A kept answer, whole. Times are seconds since the epoch; header names of `fields` are in lower case."""

    status: int
    headers: Headers
    body: bytes
    fields: Mapping[str, str]
    born: float
    """When the origin made it, as far as we know: `Age` counts from here."""
    fresh_until: float
    hit_headers: Headers
    """`headers` with what every hit adds to them."""
    error: bool = False
    """Whether it stands for an error, whatever its status: a custom error response may be a 200."""
    etag: str = ""
    modified: float | None = None

    @property
    def size(self) -> int:
        """Bytes of memory, roughly."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers) * 2 + _OVERHEAD


class Cache:
    """Entries by key, at most `limit` bytes of them. One event loop uses it; it takes no lock."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._entries: OrderedDict[Key, Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Entry | None:
        """The entry, fresh or not."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Key, entry: Entry) -> None:
        """Keep `entry`, and drop what was used longest ago until all fits. What alone is too large is not kept."""
        self.discard(key)
        if entry.size > self.limit:
            return
        self._entries[key] = entry
        self.size += entry.size
        while self.size > self.limit:
            _, dropped = self._entries.popitem(last=False)
            self.size -= dropped.size

    def purge(self, matches: Callable[[Key], bool]) -> None:
        """Forget everything whose key `matches`."""
        for key in [key for key in self._entries if matches(key)]:
            self.discard(key)

    def discard(self, key: Key) -> None:
        """Forget `key`, if it is there."""
        dropped = self._entries.pop(key, None)
        if dropped is not None:
            self.size -= dropped.size
