# mypy: disable-error-code="import-untyped"
"""A table in a file signed into another: in parts that outlive the run, and put together at the end in one step."""

import secrets
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from keyfront.core.keys import SigningKey
from keyfront.core.misuse import SigningWarning
from keyfront.core.policy import Moment
from keyfront.core.signing import Signer
from keyfront.errors import InputError
from keyfront.integrations.tables.assembly import assemble, publish
from keyfront.integrations.tables.batches import signed_schema
from keyfront.integrations.tables.formats import Format, check_writable
from keyfront.integrations.tables.journal import Identity, Journal, Told, as_told, difference
from keyfront.integrations.tables.parts import sign_parts
from keyfront.integrations.tables.places import Places
from keyfront.integrations.tables.reading import Table, open_table
from keyfront.integrations.tables.summary import Progress, Summary
from keyfront.integrations.tables.terms import TableTerms
from keyfront.integrations.tables.work import Work
from keyfront.integrations.tables.workers import cores

_REASON: Final = "keyfront:reason"
_PART_ROWS: Final = {"ecdsa": 16 * 1024, "rsa": 1024}
_REMOTE_PART_ROWS: Final = 256
"""Rows that a core signs in about half a second: the most that a kill makes be signed once more, a worker."""
_PART_BYTES: Final = 4 << 20
_SAMPLE: Final = 1024
"""Rows by which the size of a row is judged."""
_PROBE: Final = "https://d111111abcdef8.cloudfront.net/"
"""Signed before the first row: a key or a time that is of no use is told at once."""


def sign_table(
    source: Path,
    out: Path,
    signer: Signer,
    terms: TableTerms,
    *,
    reject: Path | None = None,
    kind: Format | None = None,
    force: bool = False,
    restart: bool = False,
    processes: int | None = None,
    part_rows: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Summary:
    """Sign the URLs of the table in the file `source` into a table in the file `out`.

    Rows keep their order. Those that cannot be signed go to `reject` (without it: `out`'s name with `.rejects.csv`) as
    row number, URL and reason. Form by the files' names, or `kind` where a name says nothing.

    What is done is kept in the folder `out`.keyfront until all is. A run that ended too early, however it did, is
    continued by the same call: with the expiry that a span gave the first one. `restart` throws away what is done, and
    `force` lets `out` be replaced. `processes` sign at the same time (one a core; ECDSA and RSA keys that are here), a
    part of `part_rows` rows each.

    Raises `InputError` for what cannot be read, understood or continued, and `ServiceError` for a disk that is full
    or a key that cannot sign.
    """
    places = Places.checked(source, out, reject, kind, force=force)
    terms = replace(terms, reason_column=_REASON)
    before = Identity.of(source)
    tell = progress or _silent
    with open_table(source, places.source_kind) as table, Work(out).held() as work:
        schema = signed_schema(table.schema, terms)
        schema = schema.remove(schema.get_field_index(_REASON))
        check_writable(schema, places.out_kind)
        if restart:
            places.check_free()
            work.clear()
        told: Told = {**places.told(), **as_told(terms), **_signed_by(signer)}
        journal = _continued(work, places, before, told)
        if journal is None:
            now = _proved(signer, terms, places)
            work.clear()
            journal = Journal(secrets.token_hex(4), before, told, now, part_rows or _part_rows(signer, table))
            work.note(journal)
        fixed = terms.fixed(journal.now)
        done, kept = journal.assembled, 0
        if done is None:
            if fixed.expires is not None and _seconds(fixed.expires) <= time.time():
                raise InputError("what this run gives its URLs has expired meanwhile: --restart begins anew")
            read = sign_parts(table, work, journal, signer, fixed, processes or cores(), tell)
            if Identity.of(source) != journal.source:
                raise InputError(f"{source} was changed while it was read: --restart begins anew")
            done, kept = assemble(work, journal.token, places, terms, schema, read.parts, read.rows, tell), read.kept
        else:
            kept = done.signed + done.rejected
        publish(work, places, journal, done)
    return Summary(
        out=out,
        signed=done.signed,
        rejected=done.rejected,
        reject=places.reject if done.rejected else None,
        kept=kept,
        expires=None if fixed.expires is None else _seconds(fixed.expires),
        seen=done.seen,
    )


def _continued(work: Work, places: Places, source: Identity, told: Told) -> Journal | None:
    """The run that was begun, if it was this one. Raises `InputError` for another."""
    journal = work.journal()
    if journal is None or (journal.assembled is None and not work.done(journal.token)):
        return None
    again = f"--restart begins anew, without what is done in {work.folder}"
    if journal.source != source:
        raise InputError(f"{places.source} was changed since its signing began: {again}")
    if otherwise := difference(journal.told, told):
        raise InputError(f"{places.out} was begun with other options ({otherwise}): give those, or {again}")
    return journal


def _proved(signer: Signer, terms: TableTerms, places: Places) -> float:
    """The time of a new run's start. Raises `KeyfrontError` for what would refuse every row, before the first."""
    places.check_free()
    now = time.time()
    fixed = terms.fixed(now)
    expires = now + 60 if fixed.expires is None else fixed.expires
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SigningWarning)
        signer.sign_url(_PROBE, expires=expires, max_lifetime=terms.max_lifetime)
    return now


def _part_rows(signer: Signer, table: Table) -> int:
    rows = _PART_ROWS[signer.key.algorithm] if isinstance(signer.key, SigningKey) else _REMOTE_PART_ROWS
    sample = next(table.batches(0, _SAMPLE), None)
    if sample is None:
        return rows
    row_bytes: int = max(1, sample.nbytes // max(1, len(sample)))
    return max(1, min(rows, _PART_BYTES // row_bytes))


def _signed_by(signer: Signer) -> Told:
    return {"the signer": f"{signer.key_pair_id}, {signer.key.public_key.fingerprint}, {signer.hash_algorithm}"}


def _seconds(moment: Moment) -> int:
    assert isinstance(moment, int)
    return moment


def _silent(_progress: Progress) -> None:
    pass
