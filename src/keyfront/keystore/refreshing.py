"""A value that is fetched from somewhere slow and kept: one fetch a time-to-live, however many wait for it.

Used for signing keys and for the key sets that tokens are checked with. Threads and event loops can share one.
"""

import logging
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from keyfront.errors import KeyfrontError, ServiceError

_log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Held(Generic[T]):
    """What the last good fetch brought, and when."""

    value: T
    since: float


@dataclass(frozen=True, slots=True)
class Counts:
    """What a `Refreshing` did so far, for metrics."""

    fetches: int
    failures: int
    """Of the fetches, those that brought nothing."""
    age: float | None
    """Seconds since the value was fetched; `None` before the first."""
    stale: bool
    """Whether the last fetch failed, so that an older value is served, or none."""


class Refreshing(Generic[T]):
    """The value of `fetch`, kept for `ttl` seconds.

    - The first caller starts a fetch, in a thread of its own; everybody who comes meanwhile waits for that one.
    - A value older than `ttl` is still served while one fetch renews it in the background. Only after a pause of
      two TTLs without any fetch do callers wait for the new value: what a quiet service kept overnight may be of
      a key that was rotated away.
    - When a fetch fails, the last good value is served (for `usable` seconds since it was fetched; without limit
      when `None`) and a warning is logged; the next attempt is made `retry` seconds later at the earliest.
    - Without a last good value the failure is raised, and remembered for `retry` seconds.

    `fetch` raises `KeyfrontError` for what it expects to fail with. `name` is what log lines call the value.
    `clock` gives seconds that never run backwards.
    """

    def __init__(
        self,
        fetch: Callable[[], T],
        *,
        name: str,
        ttl: float,
        retry: float = 5.0,
        usable: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._name = name
        self._ttl = ttl
        self._retry = retry
        self._usable = usable
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held[T] | None = None
        self._failure: KeyfrontError | None = None
        self._ended: float | None = None
        self._flight: Future[_Held[T] | KeyfrontError] | None = None
        self._fetches = self._failures = 0

    @property
    def counts(self) -> Counts:
        """What happened so far."""
        with self._lock:
            age = None if self._held is None else self._clock() - self._held.since
            return Counts(self._fetches, self._failures, age, self._failure is not None)

    def get(self) -> T:
        """The value; waits only where there is none that may be served. Raises the fetch's `KeyfrontError`."""
        ready, flight = self._look()
        return ready.value if ready else self._settle(flight.result() if flight else None)

    async def get_async(self) -> T:
        """As `get`, for a coroutine: the event loop is never blocked."""
        ready, flight = self._look()
        return ready.value if ready else self._settle(await _landed(flight) if flight else None)

    def newer(self, than: T, *, every: float) -> T:
        """A value fetched after `than`, when one may be had: at most one such fetch in `every` seconds.

        For a caller whom the value did not help (a token that names an unknown key). Otherwise `than` again.
        """
        ready, flight = self._look_after(than, every)
        return ready.value if ready else self._settle(flight.result() if flight else None)

    async def newer_async(self, than: T, *, every: float) -> T:
        """As `newer`, for a coroutine."""
        ready, flight = self._look_after(than, every)
        return ready.value if ready else self._settle(await _landed(flight) if flight else None)

    def _look_after(self, than: T, every: float) -> tuple[_Held[T] | None, Future[_Held[T] | KeyfrontError] | None]:
        with self._lock:
            held, now = self._held, self._clock()
            if held is None:
                return _Held(than, now), None
            if held.value is not than or now - held.since < every:
                return held, None
            return None, self._take_off(now)

    def _look(self) -> tuple[_Held[T] | None, Future[_Held[T] | KeyfrontError] | None]:
        """What may be served at once, or else the flight to wait for (none while resting after a failure)."""
        with self._lock:
            now = self._clock()
            held = self._held
            if held is not None and now - held.since < self._ttl:
                return held, None
            paused = self._ended is not None and now - self._ended >= 2 * self._ttl
            flight = self._take_off(now)
            if held is None or not self._is_usable(held, now):
                return None, flight
            return (None, flight) if paused and flight else (held, None)

    def _take_off(self, now: float) -> Future[_Held[T] | KeyfrontError] | None:
        """The fetch under way, or a new one; none while resting after a failure. Needs the lock."""
        if self._flight is None:
            if self._failure is not None and self._ended is not None and now - self._ended < self._retry:
                return None
            flight: Future[_Held[T] | KeyfrontError] = Future()
            # A waiter that is cancelled must not cancel the flight of all others.
            flight.set_running_or_notify_cancel()
            thread = threading.Thread(target=self._fly, args=(flight,), name=f"fetch {self._name}", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                self._failure = ServiceError(f"{self._name} could not be read: no thread can be started")
                self._ended = now
                return None
            self._flight = flight
        return self._flight

    def _fly(self, flight: Future[_Held[T] | KeyfrontError]) -> None:
        outcome: _Held[T] | KeyfrontError
        try:
            outcome = _Held(self._fetch(), self._clock())
        except KeyfrontError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001  everybody waits for this thread: it must always land
            # Not the error's own text: nobody has vouched that it holds no secret.
            outcome = ServiceError(f"{self._name} could not be read: an unexpected {type(error).__name__}")
            _log.error("%s\n%s", outcome, "".join(traceback.format_tb(error.__traceback__)))
        with self._lock:
            before, now = self._held, self._clock()
            self._flight, self._ended = None, now
            self._fetches += 1
            if isinstance(outcome, _Held):
                self._held, self._failure = outcome, None
            else:
                self._failure = outcome
                self._failures += 1
        if isinstance(outcome, KeyfrontError) and before is not None:
            self._warn(outcome, before, now)
        flight.set_result(outcome)

    def _warn(self, failure: KeyfrontError, held: _Held[T], now: float) -> None:
        served = (
            "serving the last good value" if self._is_usable(held, now) else "the last good value is too old to serve"
        )
        _log.warning("%s was not renewed; %s, %.0f s old: %s", self._name, served, now - held.since, failure)

    def _settle(self, outcome: _Held[T] | KeyfrontError | None) -> T:
        if isinstance(outcome, _Held):
            return outcome.value
        with self._lock:
            held, now = self._held, self._clock()
            failure = outcome or self._failure
        if held is not None and self._is_usable(held, now):
            return held.value
        if failure is None:
            raise ServiceError(f"{self._name} could not be read")
        # One failure answers many callers: each gets an exception, with a traceback, of its own.
        raise type(failure)(str(failure)) from None

    def _is_usable(self, held: _Held[T], now: float) -> bool:
        return self._usable is None or now - held.since < self._usable


async def _landed(flight: Future[_Held[T] | KeyfrontError]) -> _Held[T] | KeyfrontError:
    # Late: who blocks needs no event loop, and starts without the time that asyncio takes to load.
    import asyncio

    return await asyncio.wrap_future(flight)
