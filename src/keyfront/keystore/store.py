"""A signer with a key that is kept elsewhere and may change while the program runs."""

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from keyfront.core.keys import PublicKey
from keyfront.core.signing import Signer
from keyfront.keystore.addresses import Address
from keyfront.keystore.document import SignerDocument
from keyfront.keystore.refreshing import SECONDS, Counts, Refreshing
from keyfront.keystore.source import Connect, Opening, Source

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

TTL: Final = 300.0
"""Seconds until a key is fetched again."""
USABLE: Final = 24 * 3600.0
"""Seconds that the last good key is used while its source fails."""

Check = Callable[[str, PublicKey], None]
"""Takes a key-pair id and the public half of the key that would sign for it. Raises `KeyfrontError` to refuse it."""


class KeyStore:
    """The current `Signer` of a source: fetched once in `ttl` seconds, and parsed only if the text has changed.

    Threads and event loops can share it. `Refreshing` says what happens if the source fails.

    - `key_pair_id` is needed if the source holds a PEM alone.
    - `usable`: how many seconds the last good key is used while the source fails (`None`: no limit).
    - `check` is called before a key is used for the first time.
    - `kms` returns a client for keys in KMS. If not given, one is made by boto3's own rules.
    - `seconds`: the longest time that a caller waits for a key.
    - `clock` counts the seconds of `ttl`. `now` returns the signer's time in seconds since the epoch.
    - `max_lifetime` and `ipv6` are the signer's.
    """

    def __init__(
        self,
        source: Source,
        key_pair_id: str | None = None,
        *,
        ttl: float = TTL,
        usable: float | None = USABLE,
        check: Check | None = None,
        kms: "Callable[[], KMSClient] | None" = None,
        seconds: float = SECONDS,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        max_lifetime: timedelta | None = None,
        ipv6: bool | None = None,
    ) -> None:
        self._source = source
        self._key_pair_id = key_pair_id
        self._check = check
        self._kms = kms or self._own_kms
        self._seconds = seconds
        self._now = now
        self._max_lifetime = max_lifetime
        self._ipv6 = ipv6
        self._parsed: tuple[bytes, Signer] | None = None
        self._current = Refreshing(self._fetch, name=source.name, ttl=ttl, usable=usable, seconds=seconds, clock=clock)

    @property
    def name(self) -> str:
        """The source's name in log lines and errors."""
        return self._source.name

    @property
    def counts(self) -> Counts:
        """How often the source was read, and with what result."""
        return self._current.counts

    def signer(self) -> Signer:
        """Return the current signer. Blocks while the first fetch runs, and raises its `KeyfrontError`."""
        return self._current.get()

    async def signer_async(self) -> Signer:
        """Return the current signer, as `signer` does, without blocking the event loop."""
        return await self._current.get_async()

    def _own_kms(self) -> "KMSClient":
        # Imported late: only keys in KMS need it.
        from keyfront.keystore.services import client

        return client("kms", self.name, seconds=self._seconds)

    def _fetch(self) -> Signer:
        # `Refreshing` runs it in one thread at a time.
        text = self._source.read()
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        if self._parsed is None or self._parsed[0] != digest:
            document = SignerDocument.parse(text, source=self._source.name, key_pair_id=self._key_pair_id)
            signer = Signer(
                document.key_pair_id,
                document.open(self._kms),
                document.hash_algorithm,
                clock=self._now,
                max_lifetime=self._max_lifetime,
                ipv6=self._ipv6,
            )
            if self._check is not None:
                self._check(signer.key_pair_id, signer.key.public_key)
            self._parsed = (digest, signer)
        return self._parsed[1]


def open_keystore(
    address: str,
    key_pair_id: str | None = None,
    *,
    ttl: float = TTL,
    usable: float | None = USABLE,
    check: Check | None = None,
    seconds: float = SECONDS,
    now: Callable[[], float] = time.time,
    max_lifetime: timedelta | None = None,
    ipv6: bool | None = None,
    connect: Connect | None = None,
) -> KeyStore:
    """Return the key store at `address`, such as `file:PATH`, `ssm:NAME` or `kms:KEY` (see docs/keystores.md).

    `key_pair_id` is needed for a PEM alone and for `kms:`, because neither names CloudFront's public key. A document
    holds its own id. `connect` makes the AWS clients; if not given, boto3's rules apply. Nothing is read before the
    first call for a signer. The other arguments are those of `KeyStore`. Raises `InputError` for an address that cannot
    be right.
    """
    return KeyStore(
        Address.parse(address).open(Opening(key_pair_id, seconds, connect)),
        key_pair_id,
        ttl=ttl,
        usable=usable,
        check=check,
        kms=None if connect is None else lambda: cast("KMSClient", connect("kms")),
        seconds=seconds,
        now=now,
        max_lifetime=max_lifetime,
        ipv6=ipv6,
    )
