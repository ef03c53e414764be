# mypy: disable-error-code="import-untyped"
"""The same function on Spark (`DataFrame.mapInArrow`), for more rows than one machine signs.

The plan holds the key's address, never the key. Each executor's Python process opens the key store itself, once.
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
    """`sign_batch` for `mapInArrow`: it may be pickled, and finds its key where it runs."""

    address: str
    """Where the key lives: `ssm:/shop/signing-key`, `kms:alias/shop`, … (see `keyfront.keystore.open_keystore`)."""
    terms: TableTerms
    key_pair_id: str | None = None
    """Needed where `address` holds a PEM alone, or names a key in KMS."""

    def __post_init__(self) -> None:
        Address.parse(self.address)

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The batches signed, with the reasons of the rows that are not. Raises as `sign_batch`."""
        store = _opened(self.address, self.key_pair_id)
        for batch in batches:
            yield sign_batch(batch, store.signer(), self.terms)


def sign_dataframe(
    frame: "DataFrame", address: str, terms: TableTerms, *, key_pair_id: str | None = None
) -> "DataFrame":
    """Return `frame` with its URLs signed, and a column `terms.reason_column` for the rows that could not be.

    It is lazy, as all of Spark is. A span in `terms` counts from now, so a task that is tried again gives the same.
    Raises `InputError` and `PolicyError` for an address, columns or terms that no executor could use. Warns
    (`SigningWarning`) of a lifetime over seven days here as well, not on the executors alone.
    """
    from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema

    Address.parse(address)
    now = time.time()
    fixed = terms.fixed(now)
    _judge_lifetime(fixed, now)
    schema = signed_schema(to_arrow_schema(frame.schema), fixed)
    names = [field.name for field in frame.schema]
    if len(set(names)) < len(names):
        raise InputError(f"two columns have the same name among {', '.join(names)}: rename one")
    return frame.mapInArrow(BatchSigner(address, fixed, key_pair_id), from_arrow_schema(schema))


def _judge_lifetime(terms: TableTerms, now: float) -> None:
    if terms.expires is None:
        return
    seconds = epoch(terms.expires, now) - now
    if terms.max_lifetime is None:
        warn(of_lifetime(seconds))
    else:
        bounded(seconds, terms.max_lifetime)  # each executor's signer would refuse every row


@lru_cache(maxsize=16)
def _opened(address: str, key_pair_id: str | None) -> KeyStore:
    """The key store of this process. It fetches the key once, and again when it may have been rotated."""
    return open_keystore(address, key_pair_id)
