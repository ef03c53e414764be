"""How the configuration in use stands: read just now, kept through a fault, too old to be used, short of keys.

A fault that hides the configuration must not take a server down at once, and must not keep a revoked key alive for
good: what was read last is used for a time that the operator sets, then everything is refused until the next reading.
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
"""How long a configuration is used after the last whole reading, if nothing else is said."""
LONGEST_STALE: Final = 366 * 86_400

_READING_SECONDS: Final = 60.0
"""A reading that takes longer than this, beyond the time that a configuration may be kept, hangs."""
_LOOK_SECONDS: Final = 1.0
_LEAST_PAUSE: Final = 0.02
_MOST_FAULTS: Final = 32
"""Different faults of one outage that are logged; a service may word each failure anew."""
_VARIES: Final = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F-]{16,}|\d+")


@dataclass(frozen=True)
class Standing:
    """What is known of the configuration in use."""

    read_at: float | None = None
    """When all of it was read last (`time.monotonic`); `None` if it never was."""
    faulty: bool = False
    """Whether a reading since then failed, so that what was read then is still used."""
    closed: bool = False
    """Whether it is too old to be used: everything is refused."""
    keyless: tuple[str, ...] = ()
    """Key groups without a key that can be used. What they protect is refused."""

    @property
    def ready(self) -> bool:
        """Whether viewers should be sent here."""
        return self.read_at is not None and not self.closed and not self.keyless

    def age(self, now: float) -> float:
        """Seconds since all of it was read; 0 if it never was."""
        return 0.0 if self.read_at is None else max(0.0, now - self.read_at)

    def says(self, now: float) -> str:
        """One line for an operator: `ok`, or what is wrong. Names no file and no secret; the log says more."""
        if self.closed:
            return f"refuses everything: its configuration is {self.age(now):.0f} s old and cannot be read"
        if self.read_at is None:
            return "has not read the account yet"
        kept = f"its configuration is {self.age(now):.0f} s old and cannot be read" if self.faulty else ""
        if self.keyless:
            groups = ", ".join(self.keyless)
            return f"refuses what these key groups protect, since they have no key: {groups}" + (kept and f"; {kept}")
        return f"ok, but {kept}" if kept else "ok"


class Keeper:
    """Keeps a `Standing` up to date. It closes in a thread of its own, so that a reading that hangs closes too."""

    def __init__(
        self,
        seconds: float,
        on_change: Callable[[Standing], None],
        *,
        every: float,
        what: str = "account",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`seconds`: how long a configuration is used after the last whole reading; one is due `every` so many.

        `on_change` gets every new standing, in the thread that reads or in the one that closes, one at a time.
        Raises `InputError` for seconds below 0 or over a year.
        """
        if not isinstance(seconds, int | float) or not 0 <= seconds <= LONGEST_STALE:
            raise InputError(f"the longest age of a configuration is {seconds!r} s: give from 0 to {LONGEST_STALE:,}")
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
        """Close from now on when the time comes."""
        self._thread.start()

    def stop(self) -> None:
        """Close no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def read(self, *, untrusted: Iterable[str] = (), keyless: Iterable[str] = ()) -> None:
        """All of it was read, and is in use. `untrusted`: why keys are left out; `keyless`: groups without keys."""
        with self._lock:
            before = self.standing
            self._keys(untrusted, tuple(keyless))
            self._become(replace(self.standing, read_at=self._clock(), faulty=False, closed=False))
            if before.faulty or before.closed:
                _log.warning("the %s can be read again", self._what)
            self._logged.clear()

    def read_in_part(self, why: str, *, untrusted: Iterable[str] = (), keyless: Iterable[str] = ()) -> None:
        """The keys were read, and are in use; `why` the rest stays as it was."""
        with self._lock:
            self._keys(untrusted, tuple(keyless))
            self.failed(why)

    def failed(self, why: str, *, traceback: bool = False) -> None:
        """Nothing was read, and `why`. `traceback`: whether the log shows the exception that is being handled."""
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
            _log.error("key group %s has no key that can be used: every request that needs it is refused", group)
        for group in sorted(set(self.standing.keyless) - set(keyless)):
            _log.warning("key group %s has a key again, or nothing needs it any more", group)
        self._become(replace(self.standing, keyless=keyless))

    def _become(self, standing: Standing) -> None:
        if standing != self.standing:
            self.standing = standing
            try:
                self._on_change(standing)
            except Exception:  # noqa: BLE001  whatever it is: readings have to go on, and keys to be revoked
                _log.exception("how the %s stands could not be passed on", self._what)

    def _close_if_due(self) -> None:
        standing = self.standing
        # Without a fault, a reading hangs that should have ended long ago.
        longest = self._seconds if standing.faulty else self._longest
        if standing.closed or standing.read_at is None or standing.age(self._clock()) < longest:
            return
        _log.error("the %s could not be read for %.0f s: everything is refused until it can", self._what, longest)
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
    """The key groups that enabled distributions trust and that hold no key that can be used."""
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
