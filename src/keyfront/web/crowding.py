"""Room for new viewers when as many connections are open as this process may hold.

granian takes no more connections then, and closes an idle one after half a minute: whoever comes later waits as long.
Here the idle ones are closed instead, the longest idle first, as other web servers do.
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
"""A connection over which something passed more lately is not idle: its first request may be on its way."""
_TELL_SECONDS: Final = 60.0

Place = tuple[int, int]
"""Address family and port of a listener."""


class Crowd:
    """The connections to this process's listeners, while there are any."""

    def __init__(self, most: int, files: int) -> None:
        """`most`: connections that a listener holds at once. `files`: those that this process may open."""
        self._most = most
        # Beside these, a request needs a connection to an origin, and the cache keeps files.
        self._most_of_all = max(1, files // 2)
        self._places: Counter[Place] = Counter()
        self._timer: asyncio.TimerHandle | None = None
        self._told = -_TELL_SECONDS

    @classmethod
    def of_this_loop(cls, most: int, files: int) -> "Crowd":
        """The one that belongs to the running event loop."""
        return _crowds.setdefault(asyncio.get_running_loop(), cls(most, files))

    def join(self, place: Place) -> None:
        """Look after the connections to a listener from now on."""
        self._places[place] += 1
        if self._timer is None:
            self._look_in(_LOOK_SECONDS)

    def leave(self, place: Place) -> None:
        """Look after them no more."""
        self._places[place] -= 1
        self._places += Counter()  # drops what is at 0
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
        # In a thread: with many thousands it takes a while.
        looking = asyncio.get_running_loop().run_in_executor(None, self.make_room, frozenset(self._places))
        looking.add_done_callback(lambda done: self._looked(began, done))

    def _looked(self, began: float, done: "asyncio.Future[bool]") -> None:
        crowded = not done.cancelled() and done.exception() is None and done.result()
        if self._places:
            pause = max(_SOON_SECONDS, 4 * (time.monotonic() - began)) if crowded else _LOOK_SECONDS
            self._look_in(pause)

    def make_room(self, places: frozenset[Place]) -> bool:
        """Close the longest idle connections where there are too many; whether there were."""
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
            _log.warning("%d connections are open, and no more fit: idle ones are closed, the longest idle first", held)
        else:
            _log.warning("%d connections are open, no more fit, and none of them is idle: new viewers wait", held)


_crowds: "WeakKeyDictionary[asyncio.AbstractEventLoop, Crowd]" = WeakKeyDictionary()


def _close_idle(held: Iterable[Connection], most: int) -> int:
    idle = sorted((each for each in held if each.is_idle(_QUIET_SECONDS)), key=lambda each: -each.quiet)
    return sum(each.cut() for each in idle[:most])
