"""Objects that may be incomplete: parts from range requests, and large objects.

Source: Developer Guide, "How CloudFront processes partial requests for an object (range GETs)".
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from keyfront.edge.cache.bodies import Store
from keyfront.edge.cache.ranges import Span

_SIZE: Final = 512 * 1024
"""The most bytes that are read at a time."""


class Pieces:
    """The bytes that are here of one version of an object. It is also a store."""

    def __init__(self, length: int, store: Store, *, on_disk: bool) -> None:
        """`length` is the size of the whole object in bytes. `store` has a place for all of them."""
        self.length = length
        self.on_disk = on_disk
        self.held = 0
        """How many bytes are here."""
        self.grown: Callable[[int], None] = _nobody
        """Called with the number of new bytes each time that some arrive."""
        self._store = store
        self._spans: list[Span] = []

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.held == self.length

    def covers(self, span: Span) -> bool:
        """Return whether every byte of `span` is here."""
        before = bisect_right(self._spans, (span.start, self.length + 1)) - 1
        return span.start == span.end or (before >= 0 and self._spans[before].end >= span.end)

    async def write(self, offset: int, data: bytes) -> None:
        """Write `data` at `offset`. Raises `OSError` if there is no room, or if it goes past the object's end."""
        if offset + len(data) > self.length:
            raise OSError(f"byte {offset + len(data)} of an object of {self.length} bytes")
        await self._store.write(offset, data)
        self.add(Span(offset, offset + len(data)))

    async def read(self, start: int, end: int) -> bytes:
        """Return bytes that are here from `start` on, before `end`, at most `_SIZE` of them."""
        return await self._store.read(start, min(end, start + _SIZE))

    async def read_all(self) -> bytes:
        """Return the whole object. Call it only if nothing is missing."""
        return await self._store.read(0, self.length)

    def add(self, span: Span) -> None:
        """Record that the bytes of `span` are here."""
        touching = [each for each in self._spans if each.start <= span.end and span.start <= each.end]
        whole = Span(min([span.start, *(each.start for each in touching)]), max([span.end, *(e.end for e in touching)]))
        self._spans = sorted([*(each for each in self._spans if each not in touching), whole])
        before, self.held = self.held, sum(each.end - each.start for each in self._spans)
        self.grown(self.held - before)


def _nobody(_: int) -> None:
    """Do nothing: the object is not in a cache."""
