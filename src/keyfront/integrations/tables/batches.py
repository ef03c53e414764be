# mypy: disable-error-code="import-untyped"
"""Sign a record batch: add a column with the signed URLs, and a column with the reasons for rows without one."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import pyarrow as pa
import pyarrow.compute as pc

from keyfront.core.options import URLTerms
from keyfront.core.policy import Moment
from keyfront.core.signing import Signer
from keyfront.errors import InputError, URLError
from keyfront.integrations.tables.columns import check_moments, check_text, moments, position, text_column, texts
from keyfront.integrations.tables.terms import TableTerms

_MOST_GRANTS = 1024


def signed_schema(schema: pa.Schema, terms: TableTerms) -> pa.Schema:
    """Return the schema of the result of `sign_batch` for batches of `schema`.

    The signed column replaces a column or follows the others, and the reasons are the last column. Raises `InputError`
    for columns that are missing or have the wrong type.
    """
    for name in (terms.url_column, terms.ip_column, terms.resource_column):
        if name is not None:
            check_text(schema, name)
    if terms.expires_column is not None:
        check_moments(schema, terms.expires_column)
    signed = pa.field(terms.signed_name, pa.string())
    if terms.signed_name not in schema.names:
        schema = schema.append(signed)
    elif terms.signed_column is None:
        raise InputError(
            f"the table already has a column {terms.signed_name!r}: replace it (--signed-column {terms.signed_name}) "
            "or choose another name"
        )
    else:
        schema = schema.set(position(schema, terms.signed_name), signed)
    if terms.reason_column in schema.names:
        raise InputError(f"the table already has a column {terms.reason_column!r}: choose another reason_column")
    return schema.append(pa.field(terms.reason_column, pa.string()))


def sign_batch(batch: pa.RecordBatch, signer: Signer, terms: TableTerms) -> pa.RecordBatch:
    """Return `batch` with its URLs signed, in the schema of `signed_schema`.

    Rows keep their order. A row that cannot be signed has no signed URL (or keeps its URL if the column is replaced).
    The reason is in `terms.reason_column`, which is empty in every other row. With one `resource` with wildcards, all
    rows share one signature.

    It works in the caller's thread. Raises `InputError` for columns with a wrong type, and the key's `ServiceError` if
    the key cannot sign at all.
    """
    schema = signed_schema(batch.schema, terms)
    sign = _signing(signer)
    signed: list[str | None] = []
    reasons: list[str | None] = []
    untils, moment = _untils(batch, terms.expires_column)
    ips, resources = _texts(batch, terms.ip_column), _texts(batch, terms.resource_column)
    by_row = any((terms.expires_column, terms.ip_column, terms.resource_column))
    common = None if by_row else terms.row(None, None, None)
    replaced = terms.signed_name == terms.url_column
    for url, until, ip, resource in zip(_texts(batch, terms.url_column), untils, ips, resources, strict=True):
        try:
            if url is None:
                raise URLError("the URL is missing")
            signed.append(sign(url, common or terms.row(moment(until), ip, resource)))
            reasons.append(None)
        except InputError as error:
            signed.append(_shown(url) if replaced else None)
            reasons.append(str(error))
    columns = list(batch.columns)
    place = schema.get_field_index(terms.signed_name)
    columns[place : place + 1] = [text_column(signed)]
    return pa.RecordBatch.from_arrays([*columns, text_column(reasons)], schema=schema)


def separate(batch: pa.RecordBatch, terms: TableTerms) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Split the result of `sign_batch` into the signed rows, without reasons, and the other rows."""
    reasons = batch.column(terms.reason_column)
    signed = batch.filter(pc.is_null(reasons)) if reasons.null_count < len(batch) else batch
    return signed.drop_columns([terms.reason_column]), batch.filter(pc.is_valid(reasons))


def _texts(batch: pa.RecordBatch, name: str | None) -> Sequence[str | None]:
    return [None] * len(batch) if name is None else texts(batch.column(position(batch.schema, name)))


def _untils(batch: pa.RecordBatch, name: str | None) -> tuple[Sequence[object], Callable[[object], Moment | None]]:
    return (
        ([None] * len(batch), lambda _: None) if name is None else moments(batch.column(position(batch.schema, name)))
    )


def _shown(url: str | None) -> str | None:
    return None if url is None else url.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _signing(signer: Signer) -> Callable[[str, URLTerms], str]:
    """Return a function that signs single rows. It reuses one signature for all URLs of a pattern."""
    granted = lru_cache(_MOST_GRANTS)(signer.grant)

    def sign(url: str, terms: URLTerms) -> str:
        resource = terms.get("resource")
        if resource is None or "*" not in resource or "://" not in url:
            return signer.sign_url(url, **terms)
        return granted(**terms).url(url)

    return sign
