"""Edge locations: their names, and how far they are behind the account.

A location applies every change, in order and at a time of its own, as CloudFront's do. How these times are spread is
our choice: CloudFront only says that a change takes time.
"""

import math
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from keyfront.edge.cache.invalidations import Invalidation
from keyfront.errors import InputError
from keyfront.inventory import Inventory

LONGEST_DELAY = 86_400
"""The most seconds that a change may take."""

Change = Inventory | Invalidation
"""An account at one moment, or paths that must be fetched again."""


@dataclass(frozen=True, slots=True)
class Location:
    """One of `of` edge locations, counted from 1. The last one has a change after `delay` seconds."""

    number: int = 1
    of: int = 1
    delay: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise InputError(f"there is no location {self.number} of {self.of}: they are counted from 1")
        if not 0 <= self.delay <= LONGEST_DELAY:
            raise InputError(f"the propagation delay is {self.delay} seconds: give 0 to {LONGEST_DELAY:,}")

    @property
    def name(self) -> str:
        """The name in `X-Amz-Cf-Pop`. No airport has this code."""
        return f"LOC{self.number}-P1"

    def lag(self, chance: float) -> float:
        """Return how many seconds this location waits before it applies a change. `chance` is from 0 to 1.

        The delay is divided into as many parts as there are locations. Each location applies a change at a random time
        in the first half of its part, so that no two do it together. The last location applies it at the end.
        """
        if self.number == self.of:
            return self.delay
        return self.delay * (self.number - 1 + chance / 2) / self.of


ALONE: Final = Location()
"""The only location of an edge."""


class Lag:
    """The changes that a location has seen but not applied yet."""

    def __init__(
        self,
        location: Location,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._location = location
        self._clock = clock
        self._chance = chance
        self._waiting: deque[tuple[float, Change]] = deque()

    def see(self, change: Change, *, at_once: bool = False) -> None:
        """Add `change`. It waits its time, and never overtakes an earlier one."""
        due = self._clock() + (0 if at_once else self._location.lag(self._chance()))
        if self._waiting:
            due = max(due, self._waiting[-1][0])
        self._waiting.append((due, change))

    def due(self) -> Iterator[Change]:
        """Yield the changes whose time has come. Each is removed when the next one is requested."""
        while self.seconds() <= 0:
            yield self._waiting[0][1]
            # Only now, so that a change that could not be applied is tried again.
            self._waiting.popleft()

    def seconds(self) -> float:
        """Return the seconds until the next change is due; infinite if none waits."""
        return self._waiting[0][0] - self._clock() if self._waiting else math.inf
