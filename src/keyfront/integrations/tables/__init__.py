# mypy: disable-error-code="import-untyped"
"""Sign tables of URLs: one function from an Arrow record batch to a record batch, for files and for Spark.

Needs pyarrow (the extra `tables`).
"""

from keyfront.errors import KeyfrontError
from keyfront.home import install

try:
    import pyarrow  # noqa: F401  the error below explains how to install it
except ModuleNotFoundError as error:
    if error.name != "pyarrow":
        raise
    raise KeyfrontError(f"signing tables needs pyarrow: {install('tables')}") from None

from keyfront.integrations.tables.batches import separate, sign_batch, signed_schema
from keyfront.integrations.tables.formats import Format
from keyfront.integrations.tables.run import sign_table
from keyfront.integrations.tables.summary import Progress, Seen, Summary
from keyfront.integrations.tables.terms import TableTerms

__all__ = [
    "Format",
    "Progress",
    "Seen",
    "Summary",
    "TableTerms",
    "separate",
    "sign_batch",
    "sign_table",
    "signed_schema",
]
