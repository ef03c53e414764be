"""The time that the edge and the signer of a `CloudFront` see."""

import time
from datetime import datetime, timedelta


class Clock:
    """The real time, until a test freezes or moves it."""

    def __init__(self) -> None:
        self._frozen: float | None = None
        self._ahead = 0.0

    def __call__(self) -> float:
        """Return seconds since the epoch."""
        return time.time() + self._ahead if self._frozen is None else self._frozen

    def freeze(self, moment: datetime | None = None) -> None:
        """Stop at `moment`, an aware datetime. If not given, stop now.

        Raises `ValueError` for a datetime without a time zone.
        """
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"{moment!r} has no time zone: write datetime(…, tzinfo=UTC)")
        self._frozen = self() if moment is None else moment.timestamp()

    def move(self, by: timedelta) -> None:
        """Go forward by `by`, or back if it is negative."""
        if self._frozen is None:
            self._ahead += by.total_seconds()
        else:
            self._frozen += by.total_seconds()

    def reset(self) -> None:
        """Return to the real time."""
        self._frozen, self._ahead = None, 0.0
