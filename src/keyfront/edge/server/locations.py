"""Edge locations: what one is called, and how much later than the account it is.

A location takes every change up, in its order and at a moment of its own, as those of the real service do. How the
moments are spread is ours; the service promises nothing but that a change takes its time.
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
"""Seconds that a change may be under way at most."""

Change = Inventory | Invalidation
"""An account as it was at some moment, or files that are to be fetched anew."""


@dataclass(frozen=True, slots=True)
class Location:
    """One of `of` edge locations, counted from 1; `delay` seconds after a change the last of them has it."""

    number: int = 1
    of: int = 1
    delay: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise InputError(f"there is no location {self.number} of {self.of}: they are counted from 1")
        if not 0 <= self.delay <= LONGEST_DELAY:
            raise InputError(f"a propagation delay of {self.delay} seconds: give from 0 to {LONGEST_DELAY:,}")

    @property
    def name(self) -> str:
        """What `X-Amz-Cf-Pop` says: no airport has this code."""
        return f"LOC{self.number}-P1"

    def lag(self, chance: float) -> float:
        """How many seconds this location waits before it takes up a change; `chance` is from 0 to 1.

        The delay is cut into as many parts as there are locations. Each takes a change up at a random moment in the
        first half of its part, so that no two do it together; the last one at the end.
        """
        if self.number == self.of:
            return self.delay
        return self.delay * (self.number - 1 + chance / 2) / self.of


ALONE: Final = Location()
"""The one location of an edge that has no others."""


class Lag:
    """The changes that a location has seen and has not taken up yet."""

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
        """Let `change` wait its time, and never overtake an earlier one."""
        due = self._clock() + (0 if at_once else self._location.lag(self._chance()))
        if self._waiting:
            due = max(due, self._waiting[-1][0])
        self._waiting.append((due, change))

    def due(self) -> Iterator[Change]:
        """The changes whose time has come; each is gone when the next is asked for."""
        while self.seconds() <= 0:
            yield self._waiting[0][1]
            # Not before: what could not be taken up is still there to be tried again.
            self._waiting.popleft()

    def seconds(self) -> float:
        """Until the next change is due; infinite when none waits."""
        return self._waiting[0][0] - self._clock() if self._waiting else math.inf
