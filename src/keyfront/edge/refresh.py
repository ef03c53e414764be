"""Keeping up with the account: its source is asked again and again, and what changed is applied in its time.

It runs in a thread of its own, since boto3 blocks. While the source fails the last good configuration stays.
"""

import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from keyfront.edge.configuration import Configuration, configure
from keyfront.edge.invalidations import Invalidation
from keyfront.edge.locations import ALONE, Lag, Location
from keyfront.edge.sources import Source
from keyfront.errors import KeyfrontError
from keyfront.inventory import Inventory

_log = logging.getLogger(__name__)

Apply = Callable[[Configuration], frozenset[str]]
"""Takes a configuration into use, and returns the ids of distributions that cannot be served yet."""

Purge = Callable[[Invalidation], None]
"""Takes what an invalidation names out of the cache."""

OnApplied = Callable[[Mapping[str, str]], None]
"""Told which distributions (ids) are served, and with which configuration (ETags); an invalidation is its own."""

OnRead = Callable[[], None]
"""Told each time that the account could be read, once what was due is applied."""


class Refresher:
    """Reads an account every few seconds, from `start` to `stop`.

    What changes in it is applied when its time has come at `location`. The first distributions are not waited for: an
    edge that starts has nothing yet that it could go on serving.
    """

    def __init__(
        self,
        source: Source,
        apply: Apply,
        purge: Purge,
        *,
        seconds: float = 1.0,
        location: Location = ALONE,
        on_applied: OnApplied | None = None,
        on_read: OnRead | None = None,
    ) -> None:
        """`apply`, `purge`, `on_applied` and `on_read` are called in the refresher's thread."""
        self._source = source
        self._on_read = on_read
        self._apply = apply
        self._purge = purge
        self._seconds = seconds
        self._on_applied = on_applied
        self._name = location.name
        self._lag = Lag(location)
        self._seen: Inventory | None = None
        self._known: frozenset[str] = frozenset()
        """Invalidations that were seen."""
        self._applied: Inventory | None = None
        self._configuration: Configuration | None = None
        self._pending: frozenset[str] = frozenset()
        self._told: dict[str, str] = {}
        self._failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keyfront-edge-refresh", daemon=True)

    def start(self) -> None:
        """Read for the first time now, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; returns when nothing will be applied any more, or after a call under way times out."""
        self._stopping.set()
        self._thread.join()

    def refresh(self) -> None:
        """Read the account once, apply the changes that are due, and tell. `KeyfrontError` when that fails."""
        if self._pending and self._configuration is not None:
            self._pending = self._apply(self._configuration)
        self._take_up()  # what is due is so whether or not there is an answer
        before, self._seen = self._seen, self._source.read(self._seen)
        first = before is None or not before.distributions
        if before is None or _settled(before) != _settled(self._seen):
            self._lag.see(self._seen, at_once=first)
        self._take_up()
        self._tell()
        ids = [each.id for each in self._seen.distributions]
        for invalidation in self._source.invalidations(ids, self._known):
            self._lag.see(invalidation, at_once=first)
            self._known |= {invalidation.id}
        self._take_up()
        if self._on_read is not None:
            self._on_read()

    def _take_up(self) -> None:
        for change in self._lag.due():
            if isinstance(change, Invalidation):
                self._purge(change)
                if self._on_applied is not None:
                    self._on_applied({change.id: change.id})
            else:
                self._configuration = configure(change, self._name)
                self._pending = self._apply(self._configuration)
                self._applied = change

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh()
            except KeyfrontError as error:
                if not self._failing:
                    _log.warning("%s; the last good configuration stays in use", error)
                self._failing = True
            except Exception:  # noqa: BLE001  whatever it is: an edge that stops learning must say so and go on serving
                if not self._failing:
                    _log.exception("the account could not be read; the last good configuration stays in use")
                self._failing = True
            else:
                if self._failing:
                    _log.warning("the account can be read again")
                self._failing = False
            until_due = math.inf if self._failing else self._lag.seconds()
            self._stopping.wait(min(self._seconds, max(0, until_due)))

    def _tell(self) -> None:
        """Report what is newly applied, and again whatever the API still calls in progress."""
        if self._on_applied is None or self._applied is None or self._seen is None:
            return
        applied = {each.id: each.etag for each in self._applied.distributions if each.id not in self._pending}
        waiting = {each.id for each in self._seen.distributions if each.status != "Deployed"}
        news = {name: etag for name, etag in applied.items() if name in waiting or self._told.get(name) != etag}
        if news:
            self._on_applied(news)
        self._told = applied


def _settled(inventory: Inventory) -> Inventory:
    """`inventory` without how far its changes have come: that a change arrives is none."""
    return replace(inventory, distributions=tuple(replace(each, status="") for each in inventory.distributions))
