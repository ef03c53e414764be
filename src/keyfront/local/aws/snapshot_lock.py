"""Lets requests run in parallel, and makes them wait while the state is read."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class SnapshotLock:
    """A lock for any number of requests, or for one exclusive reader."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._inside = 0
        self._shut = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Enter as a request. Waits while the lock is held exclusively."""
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
        """Hold the lock exclusively. Yield whether all running requests ended within `seconds`.

        The wait is limited, because a request may wait for another one (a function that calls the endpoint). Without a
        limit, both would wait forever.
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
