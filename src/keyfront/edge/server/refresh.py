"""Follows the account: reads its source again and again, and applies changes when they are due.

It runs in a thread of its own, since boto3 blocks. While the source fails, the last good configuration stays in use for
a limited time (see `keyfront.edge.server.standing`). Keys that can be read are applied nevertheless.
"""

import logging
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

from keyfront.edge.cache.invalidations import Invalidation
from keyfront.edge.configuration import Configuration, configure
from keyfront.edge.server.locations import ALONE, Lag, Location
from keyfront.edge.server.sources import Source
from keyfront.edge.server.standing import Keeper, groups_without_keys
from keyfront.errors import KeyfrontError
from keyfront.inventory import Inventory
from keyfront.inventory.files import Reading

_log = logging.getLogger(__name__)

Apply = Callable[[Configuration], frozenset[str]]
"""Applies a configuration, and returns the ids of distributions that cannot be served yet."""

Purge = Callable[[Invalidation], None]
"""Removes an invalidation's objects from the cache."""

OnApplied = Callable[[Mapping[str, str]], None]
"""Takes the ids of applied distributions, each with its ETag. For an invalidation, its id is both key and value."""


class Refresher:
    """Reads an account every few seconds, from `start` to `stop`.

    Each change is applied when it is due at `location`. The first distributions are applied at once, since a new edge
    has nothing else to serve.
    """

    def __init__(
        self,
        source: Source,
        apply: Apply,
        purge: Purge,
        keeper: Keeper,
        *,
        seconds: float = 1.0,
        location: Location = ALONE,
        on_applied: OnApplied | None = None,
    ) -> None:
        """`apply`, `purge` and `on_applied` are called in this object's thread. `keeper` gets each reading's result."""
        self._source = source
        self._keeper = keeper
        self._apply = apply
        self._purge = purge
        self._seconds = seconds
        self._on_applied = on_applied
        self._name = location.name
        self._lag = Lag(location)
        self._seen: Inventory | None = None
        self._known: frozenset[str] = frozenset()
        """The ids of the invalidations that were seen."""
        self._applied: Inventory | None = None
        self._configuration: Configuration | None = None
        self._pending: frozenset[str] = frozenset()
        self._reported: dict[str, str] = {}
        self._uninvalidated = ""
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keyfront-edge-refresh", daemon=True)

    def start(self) -> None:
        """Begin to read, in the background."""
        self._keeper.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop reading. Returns when nothing more will be applied, or when a call under way has timed out."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._keeper.stop()

    def read_now(self) -> None:
        """Start the next reading now, without waiting for it."""
        self._wake.set()

    def refresh(self) -> None:
        """Read the account once, apply the changes that are due, and report them. Raises `KeyfrontError`."""
        if self._pending and self._configuration is not None:
            self._pending = self._apply(self._configuration)
        self._take_up()  # due changes are applied even if the source does not respond
        # Read before the account: an invalidation must not overtake a change that was made before it.
        before = self._seen
        invalidations = [] if before is None else self._invalidations(before)
        reading = self._source.read(before)
        self._seen = reading.inventory
        first = before is None or not before.distributions
        if first:
            invalidations = self._invalidations(self._seen)
        if before is None or _settled(before) != _settled(self._seen):
            self._lag.see(self._seen, at_once=first)
        self._take_up()
        self._report_applied()
        self._judge(reading)
        for invalidation in invalidations:
            self._lag.see(invalidation, at_once=first)
            self._known |= {invalidation.id}
        self._take_up()

    def _invalidations(self, account: Inventory) -> list[Invalidation]:
        """Return the new invalidations. If they cannot be read, the reading of the account still counts as complete."""
        found: list[Invalidation] = []
        try:
            found.extend(self._source.invalidations([each.id for each in account.distributions], self._known))
            self._uninvalidated = ""
        except KeyfrontError as error:
            if self._uninvalidated != str(error):
                _log.warning("%s; invalidated objects may still be served", error)
            self._uninvalidated = str(error)
        return found

    def _judge(self, reading: Reading) -> None:
        keyless = groups_without_keys(reading.inventory)
        if reading.kept:
            self._keeper.read_in_part("; ".join(reading.kept), untrusted=reading.untrusted, keyless=keyless)
        else:
            self._keeper.read(untrusted=reading.untrusted, keyless=keyless)

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
        while True:
            self._wake.clear()
            if self._stopping:
                return
            failing = True
            try:
                self.refresh()
                failing = False
            except KeyfrontError as error:
                self._keeper.failed(str(error))
            except Exception as error:  # noqa: BLE001  any failed reading is logged, and the edge goes on
                self._keeper.failed(f"the account could not be read: {error!r}", traceback=True)
            until_due = math.inf if failing else self._lag.seconds()
            self._wake.wait(min(self._seconds, max(0, until_due)))

    def _report_applied(self) -> None:
        """Report newly applied changes, and again those that are still in progress in the API."""
        if self._on_applied is None or self._applied is None or self._seen is None:
            return
        applied = {each.id: each.etag for each in self._applied.distributions if each.id not in self._pending}
        waiting = {each.id for each in self._seen.distributions if each.status != "Deployed"}
        news = {name: etag for name, etag in applied.items() if name in waiting or self._reported.get(name) != etag}
        if news:
            self._on_applied(news)
        self._reported = applied


def _settled(inventory: Inventory) -> Inventory:
    """Return `inventory` without the deployment status, which is not a change to apply."""
    return replace(inventory, distributions=tuple(replace(each, status="") for each in inventory.distributions))
