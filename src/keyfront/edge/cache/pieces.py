"""Objects of which some bytes are here and others are not: what range requests leave behind, and large objects.

Source: Developer Guide, "How CloudFront processes partial requests for an object (range GETs)".
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Final

from keyfront.edge.cache.bodies import Store
from keyfront.edge.cache.ranges import Span

_SIZE: Final = 512 * 1024
"""Bytes that are read at a time."""


class Pieces:
    """The bytes of one version of an object, as far as they are here. It is a store as well."""

    def __init__(self, length: int, store: Store, *, on_disk: bool) -> None:
        """`length`: bytes of the whole object, all of which have a place in `store`."""
        self.length = length
        self.on_disk = on_disk
        self.held = 0
        """Bytes that are here."""
        self.grown: Callable[[int], None] = _nobody
        """Told how many bytes have come, each time."""
        self._store = store
        self._spans: list[Span] = []

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.held == self.length

    def covers(self, span: Span) -> bool:
        """Whether every byte of `span` is here."""
        before = bisect_right(self._spans, (span.start, self.length + 1)) - 1
        return span.start == span.end or (before >= 0 and self._spans[before].end >= span.end)

    async def write(self, offset: int, data: bytes) -> None:
        """Put `data` at `offset`. Raises `OSError` when there is no room for it, or it is longer than the object."""
        if offset + len(data) > self.length:
            raise OSError(f"byte {offset + len(data)} of an object of {self.length}")
        await self._store.write(offset, data)
        self.add(Span(offset, offset + len(data)))

    async def read(self, start: int, end: int) -> bytes:
        """Bytes that are here; at most as many as are good to send at a time."""
        return await self._store.read(start, min(end, start + _SIZE))

    async def read_all(self) -> bytes:
        """The whole object, once nothing is missing."""
        return await self._store.read(0, self.length)

    def add(self, span: Span) -> None:
        """Count the bytes of `span` as being here."""
        touching = [each for each in self._spans if each.start <= span.end and span.start <= each.end]
        whole = Span(min([span.start, *(each.start for each in touching)]), max([span.end, *(e.end for e in touching)]))
        self._spans = sorted([*(each for each in self._spans if each not in touching), whole])
        before, self.held = self.held, sum(each.end - each.start for each in self._spans)
        self.grown(self.held - before)


def _nobody(_: int) -> None:
    """An object that is in no cache takes no room there."""
