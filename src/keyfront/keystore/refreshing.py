"""A value that is fetched from a slow source and kept: one fetch a time-to-live, however many wait for it.

Used for signing keys and for the key sets that tokens are checked with. Threads and event loops can share one.
"""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Generator
from concurrent.futures import Future
from copy import copy
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from keyfront.errors import KeyfrontError, ServiceError

_log = logging.getLogger(__name__)

T = TypeVar("T")

SECONDS: Final = 10.0
"""How long a caller waits at most, if not given."""
_FRESHNESS_SECONDS: Final = 0.5
"""How long a caller waits for a newer value, at most, where there is one that may be served."""
_RETRY_SECONDS: Final = 1.0
"""How long after a failed fetch the next one begins, at the earliest."""
_OVERDUE: Final = 2 / 3
"""The part of a caller's time after which a fetch counts as hanging: the rest is for another."""
_MOST_HANGING: Final = 8
"""How many fetches may hang at once. Each is a thread that waits for a connection's end."""


@dataclass(frozen=True, slots=True)
class _Held(Generic[T]):
    """What a good fetch brought, when, and when that fetch began."""

    value: T
    since: float
    begun: float


@dataclass(eq=False, slots=True)
class _Attempt:
    """A fetch under way; `begun` may be a moment from now."""

    begun: float
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """What a `Refreshing` did so far, for metrics."""

    fetches: int
    failures: int
    """Of the fetches, those that brought nothing, or nothing in time."""
    age: float | None
    """Seconds since the value was fetched; `None` before the first."""
    stale: bool
    """Whether the last fetch failed, so that an older value is served, or none."""


class Refreshing(Generic[T]):
    """The value of `fetch`, kept for `ttl` seconds.

    - The first caller starts a fetch, in a thread of its own. Everybody who comes meanwhile waits for that one.
    - A value older than `ttl` is still served while one fetch renews it in the background. After a pause of two TTLs
      without any fetch, callers wait half a second for the new value: the old one may be of a key that was rotated
      away overnight.
    - If a fetch fails, the last good value is served (for `usable` seconds since it was fetched; without limit if
      `None`) and a warning is logged. The next attempt starts a second later at the earliest.
    - Without a value that may be served, a caller waits `seconds` at most, for a fetch that began after the caller
      came. So no caller gets an older failure: once the source works again, the next call succeeds.
    - A fetch that has taken two thirds of `seconds` counts as failed, and another may begin beside it. Its result
      still counts when it comes.

    `fetch` raises `KeyfrontError` for what it expects to fail with. Log lines call the value `name`. `clock` gives
    seconds that never run backwards.
    """

    def __init__(
        self,
        fetch: Callable[[], T],
        *,
        name: str,
        ttl: float,
        usable: float | None = None,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._name = name
        self._ttl = ttl
        self._usable = usable
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._held: _Held[T] | None = None
        self._failure: KeyfrontError | None = None
        self._failed = self._ended = float("-inf")
        self._attempt: _Attempt | None = None
        self._hanging = 0
        self._finished = _new_event()
        self._fetches = self._failures = 0

    @property
    def counts(self) -> Counts:
        """What happened so far."""
        with self._lock:
            age = None if self._held is None else self._clock() - self._held.since
            return Counts(self._fetches, self._failures, age, self._failure is not None)

    def get(self) -> T:
        """The value; waits only where there is none that may be served. Raises the fetch's `KeyfrontError`."""
        held = self._held
        return held.value if held and self._is_young(held) else _wait(self._steps(self._is_young))

    async def get_async(self) -> T:
        """As `get`, for a coroutine: the event loop is never blocked."""
        held = self._held
        return held.value if held and self._is_young(held) else await _wait_async(self._steps(self._is_young))

    def newer(self, than: T, *, every: float) -> T:
        """A value fetched after `than`, when one may be had: at most one such fetch in `every` seconds.

        For a caller whom the value did not help (a token that names an unknown key). Otherwise `than` again.
        """
        return than if self._held is None else _wait(self._steps(self._is_newer(than, every), self._seconds))

    async def newer_async(self, than: T, *, every: float) -> T:
        """As `newer`, for a coroutine."""
        return (
            than if self._held is None else await _wait_async(self._steps(self._is_newer(than, every), self._seconds))
        )

    def _is_young(self, held: _Held[T]) -> bool:
        return self._clock() - held.since < self._ttl

    def _is_newer(self, than: T, every: float) -> Callable[[_Held[T]], bool]:
        return lambda held: held.value is not than or self._clock() - held.since < every

    def _steps(
        self, good: Callable[[_Held[T]], bool], patience: float | None = None
    ) -> Generator[tuple[Future[None], float], None, T]:
        """Leads a caller to a value: yields what to wait for and for how long at most, and returns the value.

        `good` says which value is taken at once. Another that may be served is the answer where a fetch fails, or
        takes longer than `patience` (seconds; when `None`, as long as the class says).
        """
        came, until = self._clock(), None
        while True:
            with self._lock:
                now = self._clock()
                held = self._held if self._held is not None and self._is_usable(self._held, now) else None
                if held is not None and good(held):
                    return held.value
                answered = self._failed >= came
                if until is None:
                    until = time.monotonic() + (self._patience(held, now) if patience is None else patience)
                attempt = None if answered else self._attempt_at(now, serving=held is not None)
                finished, failure = self._finished, self._failure
            left = until - time.monotonic()
            if attempt is not None and left > 0:
                yield finished, min(left, max(attempt.begun + self._overdue - now, 0.01))
            elif held is not None:
                return held.value
            elif attempt is None and failure is not None:
                # One failure answers many callers: each gets an exception, with a traceback, of its own.
                raise copy(failure) from None
            else:
                raise self._timeout(self._seconds)

    def _patience(self, held: _Held[T] | None, now: float) -> float:
        if held is None:
            return self._seconds
        return min(self._seconds, _FRESHNESS_SECONDS) if now - self._ended >= 2 * self._ttl else 0.0

    @property
    def _overdue(self) -> float:
        return self._seconds * _OVERDUE

    def _attempt_at(self, now: float, *, serving: bool) -> _Attempt | None:
        """The fetch under way, or a new one. Needs the lock.

        None while resting after a failure if there is a value to serve meanwhile; else the new one begins after it.
        """
        if self._attempt is not None and now - self._attempt.begun >= self._overdue:
            self._give_up(self._attempt, now)
        if self._attempt is None:
            rest = max(self._ended + _RETRY_SECONDS - now, 0.0) if self._failure is not None else 0.0
            if (serving and rest > 0) or self._hanging >= _MOST_HANGING:
                return None
            attempt = _Attempt(now + rest)
            thread = threading.Thread(target=self._run, args=(attempt, rest), name=f"fetch {self._name}", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                self._fail(ServiceError(f"{self._name} could not be read: no thread can be started"), now, now)
                return None
            self._attempt = attempt
        return self._attempt

    def _run(self, attempt: _Attempt, rest: float) -> None:
        if rest > 0:
            time.sleep(rest)
        try:
            outcome: T | KeyfrontError = self._fetch()
        except KeyfrontError as error:
            outcome = error
        except Exception as error:  # noqa: BLE001  somebody waits for this thread: it must always land
            # Not the error's own text: nobody has vouched that it holds no secret.
            outcome = ServiceError(f"{self._name} could not be read: an unexpected {type(error).__name__}")
            _log.error("%s\n%s", outcome, "".join(traceback.format_tb(error.__traceback__)))
        with self._lock:
            now = self._clock()
            if attempt.given_up:
                self._hanging -= 1
            else:
                self._attempt = None
                self._fetches += 1
            if not isinstance(outcome, KeyfrontError):
                self._keep(_Held(outcome, now, attempt.begun), now)
            elif not attempt.given_up:
                self._fail(outcome, attempt.begun, now)
            finished, self._finished = self._finished, _new_event()
        finished.set_result(None)

    def _give_up(self, attempt: _Attempt, now: float) -> None:
        attempt.given_up = True
        self._attempt = None
        self._hanging += 1
        self._fetches += 1
        # It is over for whoever came before it began, and for nobody else: another begins at once.
        self._fail(self._timeout(self._overdue), float("-inf"), now - _RETRY_SECONDS)

    def _timeout(self, seconds: float) -> ServiceError:
        return ServiceError(f"{self._name} did not answer within {seconds:.3g} s")

    def _keep(self, held: _Held[T], now: float) -> None:
        # One that hung may land after another that began later.
        if self._held is None or held.begun >= self._held.begun:
            self._held, self._failure = held, None
        self._ended = now

    def _fail(self, failure: KeyfrontError, begun: float, now: float) -> None:
        self._failure, self._failed, self._ended = failure, max(self._failed, begun), now
        self._failures += 1
        held = self._held
        if held is None:
            return
        served = (
            "serving the last good value" if self._is_usable(held, now) else "the last good value is too old to serve"
        )
        _log.warning("%s was not renewed; %s, %.0f s old: %s", self._name, served, now - held.since, failure)

    def _is_usable(self, held: _Held[T], now: float) -> bool:
        return self._usable is None or now - held.since < self._usable


def _new_event() -> Future[None]:
    """What callers wait for. A waiter that is cancelled must not cancel it for all others."""
    event: Future[None] = Future()
    event.set_running_or_notify_cancel()
    return event


def _wait(steps: Generator[tuple[Future[None], float], None, T]) -> T:
    try:
        while True:
            finished, seconds = next(steps)
            try:
                finished.result(seconds)
            except TimeoutError:
                continue
    except StopIteration as end:
        value: T = end.value
        return value


async def _wait_async(steps: Generator[tuple[Future[None], float], None, T]) -> T:
    # Late: code that blocks needs no event loop, and starts without the time that asyncio takes to load.
    import asyncio

    try:
        while True:
            finished, seconds = next(steps)
            await asyncio.wait([asyncio.wrap_future(finished)], timeout=seconds)
    except StopIteration as end:
        value: T = end.value
        return value
