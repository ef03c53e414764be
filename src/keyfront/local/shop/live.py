"""Keeps the shop's catalogue as its folder is, while it runs."""

import logging
import math
import time
from collections.abc import Callable
from threading import Lock
from typing import Final

from sqlalchemy import Engine

from keyfront.backend.service.ledger import Ledger
from keyfront.errors import InputError
from keyfront.local.shop.catalogue import Shop

_SECONDS: Final = 1.0
_log = logging.getLogger("keyfront.shop")


class LiveCatalogue:
    """Adds the files that appear in a folder, changes what `shop.toml` changes, and removes what is gone.

    A folder that cannot be read, or a wrong `shop.toml`, changes nothing, and the log has the reason.
    """

    def __init__(
        self, shop: Shop, load: Callable[[], Shop], engine: Engine, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._shop = shop
        self._load = load
        self._ledger = Ledger(engine)
        self._clock = clock
        self._looked = -math.inf
        self._told = ""
        self._lock = Lock()

    def refresh(self) -> None:
        """Look into the folder, at most once a second. Blocks."""
        with self._lock:
            if self._clock() - self._looked < _SECONDS:
                return
            try:
                self._take(self._load())
                self._told = ""
            except InputError as error:
                if str(error) != self._told:
                    _log.warning("the shop stays as it is: %s", error)
                self._told = str(error)
            self._looked = self._clock()

    def _take(self, shop: Shop) -> None:
        if shop.items == self._shop.items:
            return
        self._ledger.seed(shop.items, (), ())
        for gone in {item.id for item in self._shop.items} - {item.id for item in shop.items}:
            self._ledger.remove_item(gone, with_purchases=True)
        self._shop = shop
