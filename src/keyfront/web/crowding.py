"""Makes room for new viewers if as many connections are open as this process may hold.

granian then accepts no more connections, and closes an idle one only after half a minute, so new viewers wait that
long. This module closes idle connections at once, the longest idle first, as other web servers do.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterable
from typing import Final
from weakref import WeakKeyDictionary

from keyfront.web.connections import Connection, connections, count_files

_log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.5
_SOON_SECONDS: Final = 0.05
_QUIET_SECONDS: Final = 0.25
"""A connection must be quiet this long to be idle: its first request may be on its way."""
_TELL_SECONDS: Final = 60.0

Place = tuple[int, int]
"""Address family and port of a listener."""


class Crowd:
    """Watches the connections to this process's listeners."""

    def __init__(self, most: int, files: int) -> None:
        """`most` is the number of connections for one listener, `files` the number of files for the process."""
        self._most = most
        # Requests also need connections to origins, and the cache needs files.
        self._most_of_all = max(1, files // 2)
        self._places: Counter[Place] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._told = -_TELL_SECONDS

    @classmethod
    def of_this_loop(cls, most: int, files: int) -> "Crowd":
        """Return the crowd of the running event loop."""
        return _crowds.setdefault(asyncio.get_running_loop(), cls(most, files))

    def join(self, place: Place) -> None:
        """Watch the connections to a listener from now on."""
        self._places[place] += 1
        if self._timer is None:
            self._look_in(_LOOK_SECONDS)

    def leave(self, place: Place) -> None:
        """Stop watching the connections to a listener."""
        self._places[place] -= 1
        self._places += Counter()  # removes entries with 0
        if not self._places and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        if count_files() < min(self._most, self._most_of_all):
            self._look_in(_LOOK_SECONDS)
            return
        began = time.monotonic()
        # In a thread: with many thousands of connections it takes a while.
        looking = asyncio.get_running_loop().run_in_executor(None, self.make_room, frozenset(self._places))
        looking.add_done_callback(lambda done: self._looked(began, done))

    def _looked(self, began: float, done: "asyncio.Future[bool]") -> None:
        crowded = not done.cancelled() and done.exception() is None and done.result()
        if self._places:
            pause = max(_SOON_SECONDS, 4 * (time.monotonic() - began)) if crowded else _LOOK_SECONDS
            self._look_in(pause)

    def make_room(self, places: frozenset[Place]) -> bool:
        """Close the longest idle connections if there are too many. Return whether there were."""
        held = [each for each in connections(port for _, port in places) if (each.family, each.port) in places]
        by_place: dict[Place, list[Connection]] = {}
        for each in held:
            by_place.setdefault((each.family, each.port), []).append(each)
        full = [found for found in by_place.values() if len(found) >= self._most]
        if len(held) >= self._most_of_all:
            full.append(held)
        for found in full:
            closed = _close_idle(found, len(found) // 4 + 1)
            self._tell(len(found), closed)
        return bool(full)

    def _tell(self, held: int, closed: int) -> None:
        now = time.monotonic()
        if now - self._told < _TELL_SECONDS:
            return
        self._told = now
        if closed:
            _log.warning("%d connections are open, the most allowed: closing idle ones, the longest idle first", held)
        else:
            _log.warning("%d connections are open, the most allowed, and none is idle: new viewers wait", held)


_crowds: "WeakKeyDictionary[asyncio.AbstractEventLoop, Crowd]" = WeakKeyDictionary()


def _close_idle(held: Iterable[Connection], most: int) -> int:
    idle = sorted((each for each in held if each.is_idle(_QUIET_SECONDS)), key=lambda each: -each.quiet)
    return sum(each.cut() for each in idle[:most])
