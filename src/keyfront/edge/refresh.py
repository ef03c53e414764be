"""Keeping up with the account: the CloudFront API is asked again and again, and what changed is applied.

It runs in a thread of its own, since boto3 blocks. While the API fails the last good configuration stays.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from keyfront.edge.configuration import Configuration, configure
from keyfront.edge.invalidations import Invalidation, unfinished
from keyfront.errors import KeyfrontError
from keyfront.inventory import Inventory, read

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

_log = logging.getLogger(__name__)

Apply = Callable[[Configuration], frozenset[str]]
"""Takes a configuration into use, and returns the ids of distributions that cannot be served yet."""

Purge = Callable[[Invalidation], None]
"""Takes what an invalidation names out of the cache."""

OnApplied = Callable[[Mapping[str, str]], None]
"""Told which distributions (ids) are served, and with which configuration (ETags); an invalidation is its own."""


class Refresher:
    """Reads an account every few seconds, from `start` to `stop`."""

    def __init__(
        self,
        client: "CloudFrontClient",
        apply: Apply,
        purge: Purge,
        *,
        seconds: float = 1.0,
        on_applied: OnApplied | None = None,
    ) -> None:
        """`apply`, `purge` and `on_applied` are called in the refresher's thread."""
        self._client = client
        self._apply = apply
        self._purge = purge
        self._purged: frozenset[str] = frozenset()
        self._seconds = seconds
        self._on_applied = on_applied
        self._inventory: Inventory | None = None
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
        """Read the account once, apply what changed, and tell. Raises `KeyfrontError` when the API fails."""
        inventory = read(self._client, self._inventory)
        if inventory != self._inventory:
            self._configuration = configure(inventory)
            self._pending = self._apply(self._configuration)
            self._inventory = inventory
        elif self._pending and self._configuration is not None:
            self._pending = self._apply(self._configuration)
        self._tell(inventory)
        self._invalidate(inventory)

    def _invalidate(self, inventory: Inventory) -> None:
        for invalidation in unfinished(self._client, [each.id for each in inventory.distributions], self._purged):
            self._purge(invalidation)
            self._purged |= {invalidation.id}
            if self._on_applied is not None:
                self._on_applied({invalidation.id: invalidation.id})

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
                    _log.warning("the CloudFront API answers again")
                self._failing = False
            self._stopping.wait(self._seconds)

    def _tell(self, inventory: Inventory) -> None:
        """Report what is newly applied, and again whatever the API still calls in progress."""
        if self._on_applied is None:
            return
        applied = {each.id: each.etag for each in inventory.distributions if each.id not in self._pending}
        waiting = {each.id for each in inventory.distributions if each.status != "Deployed"}
        news = {name: etag for name, etag in applied.items() if name in waiting or self._told.get(name) != etag}
        if news:
            self._on_applied(news)
        self._told = applied
