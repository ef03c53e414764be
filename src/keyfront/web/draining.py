"""How a server ends: asked once, it lets answers under way finish within a time; asked twice, it ends at once."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Final

from keyfront.errors import InputError

DRAIN_SECONDS: Final = 30.0
LONGEST_DRAIN: Final = 86_400

_LAST_SECONDS: Final = 5.0
"""After being asked twice: for what still has to be written. Whatever hangs then is left behind."""


class Drain:
    """The time that answers under way still have. It begins when the first of them is waited for."""

    def __init__(self, seconds: float = DRAIN_SECONDS) -> None:
        """Raises `InputError` for less than nothing or more than a day."""
        if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_DRAIN:
            raise InputError(f"a drain of {seconds!r} s: give from 0 to {LONGEST_DRAIN:,} seconds")
        self._seconds = float(seconds)
        self._ends: float | None = None
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """Wait for nothing any more."""
        self._hurried.set()

    @property
    def left(self) -> float:
        """Seconds; 0 when it is over."""
        now = asyncio.get_running_loop().time()
        if self._ends is None:
            self._ends = now + self._seconds
        return 0.0 if self._hurried.is_set() else max(0.0, self._ends - now)

    async def wait(self, task: "asyncio.Future[Any]", *, at_most: float | None = None, beyond: float = 0.0) -> bool:
        """Whether `task` is done: at once, or before the time is over. Does not cancel it.

        `at_most`: seconds that are waited now. `beyond`: seconds that this one has longer, unless there is a hurry.
        """
        left = self.left + beyond
        hurried = asyncio.ensure_future(self._hurried.wait())
        try:
            limit = left if at_most is None else min(left, at_most)
            await asyncio.wait({task, hurried}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hurried.cancel()
        return task.done()


class Ending:
    """When a server has to end, and how long it may take."""

    def __init__(self, drain_seconds: float) -> None:
        self.drain = Drain(drain_seconds)
        self.asked = asyncio.Event()
        """Set once it is asked to end."""

    def ask(self) -> None:
        """End; asked again: end at once."""
        if self.asked.is_set():
            self.drain.hurry()
            last = threading.Timer(_LAST_SECONDS, os._exit, (1,))
            last.daemon = True
            last.start()
        self.asked.set()

    def on(self, *signals: int) -> None:
        """Ask at each of these signals. Needs a running event loop."""
        for number in signals:
            asyncio.get_running_loop().add_signal_handler(number, self.ask)


def on_hangup(reload: Callable[[], None], ending: Ending) -> None:
    """Call `reload` at each SIGHUP; but ask for the end once the terminal that we were started in is gone."""
    in_terminal = os.isatty(0)

    def hung_up() -> None:
        if in_terminal and not os.isatty(0):
            ending.ask()
        else:
            reload()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up)
