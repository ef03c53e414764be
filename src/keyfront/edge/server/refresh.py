"""Keeping up with the account: its source is asked again and again, and what changed is applied in its time.

It runs in a thread of its own, since boto3 blocks. While the source fails the last good configuration stays, for a
time that is bounded (`keyfront.edge.server.standing`); but keys that can be read count at once.
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
"""Takes a configuration into use, and returns the ids of distributions that cannot be served yet."""

Purge = Callable[[Invalidation], None]
"""Takes what an invalidation names out of the cache."""

OnApplied = Callable[[Mapping[str, str]], None]
"""Told which distributions (ids) are served, and with which configuration (ETags); an invalidation is its own."""


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
        keeper: Keeper,
        *,
        seconds: float = 1.0,
        location: Location = ALONE,
        on_applied: OnApplied | None = None,
    ) -> None:
        """`apply`, `purge` and `on_applied` are called in the refresher's thread. `keeper` is told how it went."""
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
        """Invalidations that were seen."""
        self._applied: Inventory | None = None
        self._configuration: Configuration | None = None
        self._pending: frozenset[str] = frozenset()
        self._reported: dict[str, str] = {}
        self._uninvalidated = ""
        self._stopping = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keyfront-edge-refresh", daemon=True)

    def start(self) -> None:
        """Read for the first time now, in the background."""
        self._keeper.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; returns when nothing will be applied any more, or after a call under way times out."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._keeper.stop()

    def read_now(self) -> None:
        """Let the next reading begin at once. Returns before it does."""
        self._wake.set()

    def refresh(self) -> None:
        """Read the account once, apply the changes that are due, and tell. `KeyfrontError` when that fails."""
        if self._pending and self._configuration is not None:
            self._pending = self._apply(self._configuration)
        self._take_up()  # what is due is so whether or not there is an answer
        reading = self._source.read(self._seen)
        before, self._seen = self._seen, reading.inventory
        first = before is None or not before.distributions
        if before is None or _settled(before) != _settled(self._seen):
            self._lag.see(self._seen, at_once=first)
        self._take_up()
        self._report_applied()
        self._judge(reading)
        self._invalidate([each.id for each in self._seen.distributions], at_once=first)
        self._take_up()

    def _invalidate(self, ids: list[str], *, at_once: bool) -> None:
        """Take up invalidations. That they cannot be read makes what was read of the account no older."""
        try:
            for invalidation in self._source.invalidations(ids, self._known):
                self._lag.see(invalidation, at_once=at_once)
                self._known |= {invalidation.id}
            self._uninvalidated = ""
        except KeyfrontError as error:
            if self._uninvalidated != str(error):
                _log.warning("%s; what is invalidated may still be served", error)
            self._uninvalidated = str(error)

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
            except Exception as error:  # noqa: BLE001  whatever it is: an edge that stops learning must say so and go on
                self._keeper.failed(f"the account could not be read: {error!r}", traceback=True)
            until_due = math.inf if failing else self._lag.seconds()
            self._wake.wait(min(self._seconds, max(0, until_due)))

    def _report_applied(self) -> None:
        """Report what is newly applied, and again whatever the API still calls in progress."""
        if self._on_applied is None or self._applied is None or self._seen is None:
            return
        applied = {each.id: each.etag for each in self._applied.distributions if each.id not in self._pending}
        waiting = {each.id for each in self._seen.distributions if each.status != "Deployed"}
        news = {name: etag for name, etag in applied.items() if name in waiting or self._reported.get(name) != etag}
        if news:
            self._on_applied(news)
        self._reported = applied


def _settled(inventory: Inventory) -> Inventory:
    """`inventory` without how far its changes have come: that a change arrives is none."""
    return replace(inventory, distributions=tuple(replace(each, status="") for each in inventory.distributions))
