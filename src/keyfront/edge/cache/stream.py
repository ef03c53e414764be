"""A body on its way from the origin: written once, read by any number of viewers, each from its beginning.

While the body is stored, it is read as fast as the origin sends it. A body that is not stored, or no longer, is held in
a window. The fastest viewer then sets the pace. A viewer that falls behind by more than the size limit of an object in
memory is broken off (and can ask again), so that it does not delay the others.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

from keyfront.edge.cache.bodies import Store
from keyfront.edge.origin.failures import BrokenBodyError

_AHEAD: Final = 512 * 1024
"""For a body that is not stored: how many bytes are read from the origin ahead of the fastest viewer."""
_PIECE: Final = 512 * 1024


class Stream:
    """One body. One task writes it. Writer and readers are in one event loop."""

    def __init__(self, store: Store | None, *, offset: int = 0, most_behind: int) -> None:
        """`offset`: the position of the body's first byte in the store. A viewer may be `most_behind` bytes behind."""
        self.reached = 0
        """How many bytes have been written."""
        self.store = store
        self._offset = offset
        self._most_behind = most_behind
        self._stored = 0
        self.is_stored = store is not None
        self.on_unstored: Callable[[], None] = lambda: None
        """Called when the body is no longer stored."""
        self._window: deque[tuple[int, bytes]] = deque()
        self._positions: dict[object, int] = {}
        self._ended = False
        self._error: BrokenBodyError | None = None
        self._changed = asyncio.Event()

    async def write(self, data: bytes) -> None:
        """Add the next bytes. Returns when there is room for more."""
        if self.is_stored and self.store is not None:
            try:
                await self.store.write(self._offset + self.reached, data)
                self._stored = self.reached + len(data)
            except OSError:
                self.stop_storing()
        if not self.is_stored:
            self._window.append((self.reached, data))
        self.reached += len(data)
        self._stir()
        while not self.is_stored and self.reached - self._fastest >= _AHEAD:
            await self._changed.wait()
        self._leave_behind()

    def end(self) -> None:
        """Mark the body as complete."""
        self._ended = True
        self._stir()

    def fail(self, error: BrokenBodyError) -> None:
        """Mark the body as broken off."""
        self._error = error
        self._stir()

    async def move(self, store: Store) -> None:
        """Move the body to another store. If it has no room, the rest of the body is not stored."""
        if self.store is not None:
            try:
                await store.write(self._offset, await self.store.read(self._offset, self._offset + self.reached))
            except OSError:
                self.stop_storing()
                return
        self.store = store

    async def written(self) -> bytes:
        """Return all that was written so far. The body must still be stored."""
        return await self.store.read(self._offset, self._offset + self.reached) if self.store is not None else b""

    def stop_storing(self) -> None:
        """Do not store the rest of the body."""
        self.is_stored = False
        self.on_unstored()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the whole body as it arrives. Raises `BrokenBodyError` if it breaks off."""
        me = object()
        self._positions[me] = 0
        try:
            while data := await self._after(self._positions[me]):
                self._positions[me] += len(data)
                if not self.is_stored:
                    self._forget()
                yield data
        finally:
            del self._positions[me]
            self._stir()

    async def _after(self, position: int) -> bytes:
        """Return bytes from `position` on; none at the end."""
        while position >= self.reached:
            if self._error is not None:
                raise BrokenBodyError(self._error.status, str(self._error))
            if self._ended:
                return b""
            await self._changed.wait()
        if position < self._stored and self.store is not None:
            end = min(self._stored, position + _PIECE)
            try:
                return await self.store.read(self._offset + position, self._offset + end)
            except OSError as error:
                raise BrokenBodyError(502, f"a body cannot be read from the cache's disk: {error}") from error
        for start, data in self._window:
            if start == position:
                return data
        raise BrokenBodyError(502, f"a viewer is more than {self._most_behind:,} bytes behind the others")

    @property
    def _fastest(self) -> int:
        return max(self._positions.values(), default=0)

    def _leave_behind(self) -> None:
        """Drop bytes that are too old for slow viewers, but never those that the fastest viewer has not read yet."""
        while (
            self._window
            and self.reached - self._window[0][0] > self._most_behind
            and self._window[0][0] + len(self._window[0][1]) <= self._fastest
        ):
            self._window.popleft()

    def _forget(self) -> None:
        """Drop the bytes that every viewer has read."""
        slowest = min(self._positions.values())
        while self._window and self._window[0][0] + len(self._window[0][1]) <= slowest:
            self._window.popleft()
        self._stir()

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
