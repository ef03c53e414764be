# mypy: disable-error-code="import-untyped"
"""Sign tables on Spark (`DataFrame.mapInArrow`), for more rows than one machine can sign.

The plan contains the key's address, never the key. Each executor's Python process opens the key store once.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from keyfront.core.misuse import bounded, of_lifetime, warn
from keyfront.core.policy import epoch
from keyfront.errors import InputError
from keyfront.integrations.tables.batches import sign_batch, signed_schema
from keyfront.integrations.tables.terms import TableTerms
from keyfront.keystore import KeyStore, open_keystore
from keyfront.keystore.addresses import Address

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, slots=True)
class BatchSigner:
    """`sign_batch` for `mapInArrow`. It can be pickled, and opens its key store in the process where it runs."""

    address: str
    """Where the key lives: `ssm:/shop/signing-key`, `kms:alias/shop`, … (see `keyfront.keystore.open_keystore`)."""
    terms: TableTerms
    key_pair_id: str | None = None
    """Needed for a PEM that is stored without its id, or for a key in KMS."""

    def __post_init__(self) -> None:
        Address.parse(self.address)

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the signed batches, with the reasons for rows that are not signed. Raises as `sign_batch`."""
        store = _opened(self.address, self.key_pair_id)
        for batch in batches:
            yield sign_batch(batch, store.signer(), self.terms)


def sign_dataframe(
    frame: "DataFrame", address: str, terms: TableTerms, *, key_pair_id: str | None = None
) -> "DataFrame":
    """Return `frame` with its URLs signed, and a column `terms.reason_column` for rows that could not be signed.

    It is lazy, as all of Spark is. A duration in `terms` counts from now, so a retried task gives the same result.
    Raises `InputError` and `PolicyError` for an address, columns or terms that cannot be used. Warns
    (`SigningWarning`) about a lifetime over seven days here as well, not only on the executors.
    """
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    Address.parse(address)
    now = time.time()
    fixed = terms.fixed(now)
    _judge_lifetime(fixed, now)
    schema = signed_schema(to_arrow_schema(frame.schema), fixed)
    names = [field.name for field in frame.schema]
    if len(set(names)) < len(names):
        raise InputError(f"two of the columns {', '.join(names)} have the same name: rename one")
    return frame.mapInArrow(BatchSigner(address, fixed, key_pair_id), from_arrow_schema(schema))


def _judge_lifetime(terms: TableTerms, now: float) -> None:
    if terms.expires is None:
        return
    seconds = epoch(terms.expires, now) - now
    if terms.max_lifetime is None:
        warn(of_lifetime(seconds))
    else:
        bounded(seconds, terms.max_lifetime)  # otherwise each executor's signer would refuse every row


@lru_cache(maxsize=16)
def _opened(address: str, key_pair_id: str | None) -> KeyStore:
    """Return the key store of this process. It fetches the key once, and again when it may have been rotated."""
    return open_keystore(address, key_pair_id)
