"""Lets requests run side by side, and holds them back while the state is read."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class SnapshotLock:
    """Any number of requests inside, or one who holds it alone."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside = 0
        self._shut = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Inside, as soon as nobody holds it alone."""
        with self._condition:
            while self._shut:
                self._condition.wait()
            self._inside += 1
        try:
            yield
        finally:
            with self._condition:
                self._inside -= 1
                self._condition.notify_all()

    @contextmanager
    def exclusive(self, seconds: float) -> Iterator[bool]:
        """Hold it alone. Yields whether the requests inside had ended after at most `seconds`.

        A request may wait for another one, as a function does that calls the endpoint: then both would wait for ever.
        """
        deadline = time.monotonic() + seconds
        with self._condition:
            self._shut = True
            while self._inside and (left := deadline - time.monotonic()) > 0:
                self._condition.wait(left)
            empty = not self._inside
        try:
            yield empty
        finally:
            with self._condition:
                self._shut = False
                self._condition.notify_all()
