"""A body on its way from the origin: written once, read by any number of viewers, each from its beginning.

As long as it is stored, the origin sets the pace and viewers follow. A body that is not stored, or not any more, is
held in a window: the fastest viewer sets the pace, and who falls behind by more than an object in memory may have is
broken off (and asks again) rather than let to hold up the others.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

from keyfront.edge.cache.bodies import Store
from keyfront.edge.origin.failures import BrokenBodyError

_AHEAD: Final = 512 * 1024
"""Bytes that are read from the origin before the fastest viewer of a body that is not stored has taken them."""
_PIECE: Final = 512 * 1024


class Stream:
    """One body. One task writes it; one event loop has them all."""

    def __init__(self, store: Store | None, *, offset: int = 0, most_behind: int) -> None:
        """`offset`: where the body's first byte is in the store; `most_behind`: bytes a viewer may fall behind."""
        self.reached = 0
        """Bytes that have been written."""
        self.store = store
        self._offset = offset
        self._most_behind = most_behind
        self._stored = 0
        self.is_stored = store is not None
        self.on_unstored: Callable[[], None] = lambda: None
        """Called when what comes is not stored any more."""
        self._window: deque[tuple[int, bytes]] = deque()
        self._positions: dict[object, int] = {}
        self._ended = False
        self._error: BrokenBodyError | None = None
        self._changed = asyncio.Event()

    async def write(self, data: bytes) -> None:
        """The next bytes. Returns when there is room for more."""
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
        """There is no more."""
        self._ended = True
        self._stir()

    def fail(self, error: BrokenBodyError) -> None:
        """There is no more, and should be."""
        self._error = error
        self._stir()

    async def move(self, store: Store) -> None:
        """Store what is here and what comes in another place; without room there what comes is not stored."""
        if self.store is not None:
            try:
                await store.write(self._offset, await self.store.read(self._offset, self._offset + self.reached))
            except OSError:
                self.stop_storing()
                return
        self.store = store

    async def written(self) -> bytes:
        """All that was written so far, while it is stored."""
        return await self.store.read(self._offset, self._offset + self.reached) if self.store is not None else b""

    def stop_storing(self) -> None:
        """What comes is not stored any more."""
        self.is_stored = False
        self.on_unstored()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The whole body, as it comes. Raises `BrokenBodyError` when it breaks off."""
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
        """Bytes from `position` on; none at the end."""
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
        """Hold no more for slow viewers than they may be behind; what the fastest has not had yet always stays."""
        while (
            self._window
            and self.reached - self._window[0][0] > self._most_behind
            and self._window[0][0] + len(self._window[0][1]) <= self._fastest
        ):
            self._window.popleft()

    def _forget(self) -> None:
        """Let go of what every viewer has."""
        slowest = min(self._positions.values())
        while self._window and self._window[0][0] + len(self._window[0][1]) <= slowest:
            self._window.popleft()
        self._stir()

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
