"""A value that is fetched from a slow source and kept: one fetch per time-to-live, however many callers wait.

It is used for signing keys and for the key sets that verify tokens. Threads and event loops can share one.
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
"""The longest time that a caller waits, by default."""
_FRESHNESS_SECONDS: Final = 0.5
"""The longest time that a caller waits for a newer value if the old one may be served."""
_RETRY_SECONDS: Final = 1.0
"""The shortest time between a failed fetch and the next."""
_OVERDUE: Final = 2 / 3
"""The part of a caller's time after which a fetch counts as hanging. The rest is for another fetch."""
_MOST_HANGING: Final = 8
"""How many fetches may hang at once. Each is a thread that waits for a connection to end."""


@dataclass(frozen=True, slots=True)
class _Held(Generic[T]):
    """The value of a successful fetch, when it came, and when the fetch began."""

    value: T
    since: float
    begun: float


@dataclass(eq=False, slots=True)
class _Attempt:
    """A running fetch. `begun` may be in the near future."""

    begun: float
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of a `Refreshing`, for metrics."""

    fetches: int
    failures: int
    """The number of fetches that returned no value, or none in time."""
    age: float | None
    """Seconds since the value was fetched; `None` before the first fetch."""
    stale: bool
    """Whether the last fetch failed, so that an older value, or none, is served."""


class Refreshing(Generic[T]):
    """The value of `fetch`, kept for `ttl` seconds.

    - The first caller starts a fetch, in a separate thread. Callers that come meanwhile wait for it.
    - A value older than `ttl` is still served while one fetch renews it in the background. After a pause of two TTLs
      without a fetch, callers wait half a second for the new value, because the old key may have been rotated away
      overnight.
    - If a fetch fails, the last good value is served (for `usable` seconds after its fetch; without limit if `None`)
      and a warning is logged. The next attempt starts at least a second later.
    - If no value may be served, a caller waits at most `seconds` for a fetch that began after its call. So no caller
      gets an older failure: when the source works again, the next call succeeds.
    - A fetch that has taken two thirds of `seconds` counts as failed, and another may begin beside it. If its result
      comes later, it still counts.

    `fetch` raises `KeyfrontError` for expected failures. Log lines call the value `name`. `clock` returns seconds that
    never run backwards.
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
        """The counts so far."""
        with self._lock:
            age = None if self._held is None else self._clock() - self._held.since
            return Counts(self._fetches, self._failures, age, self._failure is not None)

    def get(self) -> T:
        """Return the value. Waits only if no value may be served. Raises the fetch's `KeyfrontError`."""
        held = self._held
        return held.value if held and self._is_young(held) else _wait(self._steps(self._is_young))

    async def get_async(self) -> T:
        """Return the value, as `get` does, without blocking the event loop."""
        held = self._held
        return held.value if held and self._is_young(held) else await _wait_async(self._steps(self._is_young))

    def newer(self, than: T, *, every: float) -> T:
        """Return a value fetched after `than` if possible, otherwise `than`. Fetches at most once in `every` seconds.

        It is for a caller that the value did not help, such as for a token that names an unknown key.
        """
        return than if self._held is None else _wait(self._steps(self._is_newer(than, every), self._seconds))

    async def newer_async(self, than: T, *, every: float) -> T:
        """Return a newer value, as `newer` does, without blocking the event loop."""
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
        """Yield what the caller must wait for, and for how long at most; return the value.

        `good` says which value is returned at once. Another value that may be served is returned if a fetch fails, or
        if it takes longer than `patience` seconds (`None`: as long as the class says).
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
                # Many callers get the same failure: each needs its own exception with its own traceback.
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
        """Return the running fetch, or a new one. Needs the lock.

        During the pause after a failure it returns `None` if a value can be served meanwhile. If not, the new fetch
        begins after the pause.
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
        except Exception as error:  # noqa: BLE001  callers wait for this thread, so it must always finish
            # Not the error's own text: it might hold a secret.
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
        # It fails for callers that came before it began. For later callers, another begins at once.
        self._fail(self._timeout(self._overdue), float("-inf"), now - _RETRY_SECONDS)

    def _timeout(self, seconds: float) -> ServiceError:
        return ServiceError(f"{self._name} did not answer within {seconds:.3g} s")

    def _keep(self, held: _Held[T], now: float) -> None:
        # A fetch that hung may finish after one that began later.
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
    """Return what callers wait for. A cancelled caller must not cancel it for the others."""
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
    # Imported late: blocking code does not need asyncio.
    import asyncio

    try:
        while True:
            finished, seconds = next(steps)
            await asyncio.wait([asyncio.wrap_future(finished)], timeout=seconds)
    except StopIteration as end:
        value: T = end.value
        return value
