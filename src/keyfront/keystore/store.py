"""A signer whose key is kept elsewhere and may change while the program runs."""

import hashlib
import time
from collections.abc import Callable

from keyfront.keystore.document import SignerDocument
from keyfront.keystore.refreshing import Refreshing
from keyfront.keystore.sources import Source
from keyfront.signing import Signer


class KeyStore:
    """The current `Signer` of a source: fetched once in `ttl` seconds, parsed only when the text has changed.

    Safe for threads and event loops alike; see `Refreshing` for what happens when the source fails. `key_pair_id`
    is needed when the source holds a PEM alone. `clock` counts the seconds of `ttl`; `now` tells the signer the
    time in seconds since the epoch.
    """

    def __init__(
        self,
        source: Source,
        key_pair_id: str | None = None,
        *,
        ttl: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._key_pair_id = key_pair_id
        self._now = now
        self._parsed: tuple[bytes, Signer] | None = None
        self._current = Refreshing(self._fetch, name=source.name, ttl=ttl, clock=clock)

    def signer(self) -> Signer:
        """The signer of now. Blocks while the first fetch runs; raises its `KeyfrontError`."""
        return self._current.get()

    async def signer_async(self) -> Signer:
        """As `signer`, without blocking the event loop."""
        return await self._current.get_async()

    def _fetch(self) -> Signer:
        # Runs in one thread at a time: `Refreshing` sees to it.
        text = self._source.fetch()
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        if self._parsed is None or self._parsed[0] != digest:
            document = SignerDocument.parse(text, source=self._source.name, key_pair_id=self._key_pair_id)
            signer = Signer(document.key_pair_id, document.key, document.hash_algorithm, clock=self._now)
            self._parsed = (digest, signer)
        return self._parsed[1]
