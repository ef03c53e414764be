"""The standing of the configuration in use: just read, kept during a fault, too old, or short of keys.

If the configuration cannot be read, the server must not stop at once, and a revoked key must not stay valid for ever.
So the last configuration is used for a time that the operator sets. Then everything is refused until the next complete
reading.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from keyfront.errors import InputError
from keyfront.inventory import Inventory

_log = logging.getLogger(__name__)

STALE_SECONDS: Final = 3600.0
"""The default time that a configuration is used after the last complete reading."""
LONGEST_STALE: Final = 366 * 86_400

_READING_SECONDS: Final = 60.0
"""A reading hangs if it takes this much longer than a configuration may be used."""
_LOOK_SECONDS: Final = 1.0
_LEAST_PAUSE: Final = 0.02
_MOST_FAULTS: Final = 32
"""How many different faults of one outage are logged, since a service may word each failure differently."""
_VARIES: Final = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F-]{16,}|\d+")


@dataclass(frozen=True)
class Standing:
    """The standing of the configuration in use."""

    read_at: float | None = None
    """When it was last read completely (`time.monotonic`); `None` if it never was."""
    faulty: bool = False
    """Whether a later reading failed, so that this one is still in use."""
    closed: bool = False
    """Whether it is too old, so that everything is refused."""
    keyless: tuple[str, ...] = ()
    """The key groups without a usable key. Every request that needs them is refused."""

    @property
    def ready(self) -> bool:
        """Whether the edge is ready for viewers."""
        return self.read_at is not None and not self.closed and not self.keyless

    def age(self, now: float) -> float:
        """Return the seconds since the last complete reading; 0 if there was none."""
        return 0.0 if self.read_at is None else max(0.0, now - self.read_at)

    def says(self, now: float) -> str:
        """Return one line for an operator: `ok`, or what is wrong, without file names or secrets. The log says more."""
        if self.closed:
            return f"refuses everything: its configuration is {self.age(now):.0f} s old and cannot be read"
        if self.read_at is None:
            return "has not read the account yet"
        kept = f"its configuration is {self.age(now):.0f} s old and cannot be read" if self.faulty else ""
        if self.keyless:
            groups = ", ".join(self.keyless)
            return f"refuses every request that needs these key groups, since they have no key: {groups}" + (
                kept and f"; {kept}"
            )
        return f"ok, but {kept}" if kept else "ok"


class Keeper:
    """Keeps a `Standing` up to date. A thread of its own closes it, so that this also works if a reading hangs."""

    def __init__(
        self,
        seconds: float,
        on_change: Callable[[Standing], None],
        *,
        every: float,
        what: str = "account",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds`: how long a configuration is used after the last complete reading. `every`: how often it is read.

        `on_change` gets every new standing, one at a time, in the thread that reads or in the one that watches.
        Raises `InputError` if `seconds` is below 0 or over a year.
        """
        if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_STALE:
            raise InputError(f"the longest age of a configuration is {seconds!r} s: give 0 to {LONGEST_STALE:,}")
        self.standing = Standing()
        self._seconds = seconds
        self._longest = max(seconds, every) + _READING_SECONDS
        self._on_change = on_change
        self._what = what
        self._clock = clock
        self._logged: set[str] = set()
        self._untrusted: frozenset[str] = frozenset()
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="keyfront-stale", daemon=True)

    def start(self) -> None:
        """Begin to watch the age of the configuration."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def read(self, *, untrusted: Iterable[str] = (), keyless: Iterable[str] = ()) -> None:
        """Record a complete reading. `untrusted`: why keys are left out. `keyless`: groups without a usable key."""
        with self._lock:
            before = self.standing
            self._keys(untrusted, tuple(keyless))
            self._become(replace(self.standing, read_at=self._clock(), faulty=False, closed=False))
            if before.faulty or before.closed:
                _log.warning("the %s can be read again", self._what)
            self._logged.clear()

    def read_in_part(self, why: str, *, untrusted: Iterable[str] = (), keyless: Iterable[str] = ()) -> None:
        """Record that only the keys were read. `why`: the reason that the rest was not."""
        with self._lock:
            self._keys(untrusted, tuple(keyless))
            self.failed(why)

    def failed(self, why: str, *, traceback: bool = False) -> None:
        """Record a failed reading. `traceback`: whether the log shows the exception that is being handled."""
        with self._lock:
            kind = _VARIES.sub("#", why)
            if kind not in self._logged and len(self._logged) < _MOST_FAULTS:
                self._logged.add(kind)
                _log.warning("%s; %s", why, self._what_now(), exc_info=traceback)
            self._become(replace(self.standing, faulty=True))
            self._close_if_due()

    def _what_now(self) -> str:
        if self.standing.read_at is None:
            return "nothing is served until it can be read"
        if self.standing.closed:
            return "everything stays refused"
        left = max(0.0, self._seconds - self.standing.age(self._clock()))
        return f"the last good configuration stays in use, for {left:.0f} s at most"

    def _keys(self, untrusted: Iterable[str], keyless: tuple[str, ...]) -> None:
        now = frozenset(untrusted)
        for why in sorted(now - self._untrusted):
            _log.warning("%s; it is not trusted", why)
        self._untrusted = now
        for group in sorted(set(keyless) - set(self.standing.keyless)):
            _log.error("key group %s has no usable key: every request that needs it is refused", group)
        for group in sorted(set(self.standing.keyless) - set(keyless)):
            _log.warning("key group %s has a key again, or is no longer needed", group)
        self._become(replace(self.standing, keyless=keyless))

    def _become(self, standing: Standing) -> None:
        if standing != self.standing:
            self.standing = standing
            try:
                self._on_change(standing)
            except Exception:  # noqa: BLE001  readings must go on, so that keys can be revoked
                _log.exception("the standing of the %s could not be passed on", self._what)

    def _close_if_due(self) -> None:
        standing = self.standing
        # Without a fault, a reading must be hanging.
        longest = self._seconds if standing.faulty else self._longest
        if standing.closed or standing.read_at is None or standing.age(self._clock()) < longest:
            return
        _log.error("the %s could not be read for %.0f s: everything is refused until it can be", self._what, longest)
        self._become(replace(standing, faulty=True, closed=True))

    def _watch(self) -> None:
        while not self._stopping.wait(self._pause()):
            with self._lock:
                self._close_if_due()

    def _pause(self) -> float:
        with self._lock:
            standing = self.standing
            left = self._seconds - standing.age(self._clock())
        waits = standing.faulty and not standing.closed and standing.read_at is not None
        return min(_LOOK_SECONDS, max(_LEAST_PAUSE, left)) if waits else _LOOK_SECONDS


def groups_without_keys(inventory: Inventory) -> tuple[str, ...]:
    """Return the key groups that enabled distributions trust and that have no usable key."""
    named = {
        group
        for each in inventory.distributions
        if each.enabled
        for behavior in (*each.behaviors, each.default_behavior)
        if behavior.protected
        for group in behavior.trusted_key_groups
    }
    return tuple(sorted(group for group in named if not _has_key(inventory, group)))


def _has_key(inventory: Inventory, group: str) -> bool:
    found = inventory.key_groups.get(group)
    return found is not None and any(key in inventory.keys for key in found.keys)
