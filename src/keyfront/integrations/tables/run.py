# mypy: disable-error-code="import-untyped"
"""Sign a table from one file into another: in parts, and with one step at the end that puts the result in place."""

import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import fields, replace
from itertools import chain, islice
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from keyfront.core.keys import SigningKey
from keyfront.core.misuse import SigningWarning
from keyfront.core.policy import Moment
from keyfront.core.signing import Signer
from keyfront.errors import InputError
from keyfront.integrations.tables.batches import separate, signed_schema
from keyfront.integrations.tables.columns import position, text_column, texts
from keyfront.integrations.tables.files import Files
from keyfront.integrations.tables.formats import Format, check_writable
from keyfront.integrations.tables.pool import add, cores, read_part, workers
from keyfront.integrations.tables.reading import open_table
from keyfront.integrations.tables.summary import Progress, Seen, Summary
from keyfront.integrations.tables.terms import TableTerms
from keyfront.integrations.tables.work import Run, WorkFile, work_file
from keyfront.integrations.tables.writing import Write, new_file

Tell = Callable[[Progress], None]

_REASON: Final = "keyfront:reason"
_REJECTED: Final = pa.schema([("row", pa.int64()), ("url", pa.string()), ("reason", pa.string())])
_PART_ROWS: Final = {"ecdsa": 16 * 1024, "rsa": 1024}
_REMOTE_PART_ROWS: Final = 256
"""A core signs this many rows in about half a second. After a kill, this much is signed again."""
_PART_BYTES: Final = 4 << 20
_PROBE: Final = "https://d111111abcdef8.cloudfront.net/"
"""Signed before the first row, so that a wrong key or time is reported at once."""
_BEGUN: Final = "begun"
_AGAIN: Final = "--restart starts again"


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
    progress: Tell | None = None,
) -> Summary:
    """Sign the URLs of the table in the file `source` into a table in the file `out`.

    Rows keep their order. Rows that cannot be signed go to `reject` (if not given: `out`'s name with `.rejects.csv`) as
    row number, URL and reason. The files' names show their format; `kind` is the format if a name does not.

    Signed rows are kept in the file `out`.keyfront. The same call continues a run that ended early, with the first
    run's expiry times. `restart` discards the signed rows, and `force` allows `out` to be replaced. With a key in
    memory, `processes` processes sign in parallel (if not given: one per core). A part has at most `part_rows` rows.

    Raises `InputError` for input that cannot be read or understood and for a run that cannot be continued, and
    `ServiceError` for a full disk or a key that cannot sign.
    """
    files, tell = Files.checked(source, out, reject, kind), progress or (lambda _: None)
    terms = replace(terms, reason_column=_REASON)
    run = {**files.told(), **_told(terms, signer)}
    with open_table(source, files.source_kind) as table, work_file(out) as work:
        schema = signed_schema(table.schema, terms)
        schema = schema.remove(schema.get_field_index(_REASON))
        check_writable(schema, files.out_kind)
        before = None if restart else work.run()
        if before is None:
            files.check_free(force=force)
            before = {**run, _BEGUN: str(_proved(signer, terms))}
            work.begin(before)
        now, kept = float(before[_BEGUN]), work.rows
        _check_same(before, {**run, _BEGUN: before[_BEGUN]}, out)
        fixed = terms.fixed(now)
        until = None if fixed.expires is None else _seconds(fixed.expires)
        if until is not None and until <= time.time() and not work.placing:
            raise InputError(f"the expiry time of this run has passed: {_AGAIN}")
        parts = _parts(table.batches, part_rows or _part_rows(signer), kept)
        _sign(parts, work, signer, fixed, now, processes or cores(), lambda n: tell(Progress("signing", n, table.rows)))
        if files.told().items() - run.items():
            raise InputError(f"{source} was changed while it was read: {_AGAIN}")
        with files.written() as new:
            rejected, seen = _write(work, files, new, fixed, schema, lambda n: tell(Progress("writing", n, work.rows)))
            if not work.placing:
                files.check_free(force=force)
                work.place()
            files.place()
        signed = work.rows - rejected
        work.remove()
    return Summary(out, signed, rejected, files.reject if rejected else None, kept, until, seen)


def _check_same(before: Run, run: Run, out: Path) -> None:
    """Raise `InputError` if `run` differs from the run that was started `before`."""
    no = "not given"
    otherwise = "; ".join(
        f"{name} was {before.get(name, no)} and is {run.get(name, no)}"
        for name in {**before, **run}
        if before.get(name) != run.get(name)
    )
    if otherwise:
        raise InputError(f"{out} was started with other input ({otherwise}): give the same again, or {_AGAIN}")


def _proved(signer: Signer, terms: TableTerms) -> float:
    """Return the current time in seconds since the epoch. Raises `KeyfrontError` for terms that refuse every row."""
    now = time.time()
    fixed = terms.fixed(now)
    expires = now + 60 if fixed.expires is None else fixed.expires
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SigningWarning)
        signer.sign_url(_PROBE, expires=expires, max_lifetime=terms.max_lifetime)
    return now


def _part_rows(signer: Signer) -> int:
    return _PART_ROWS[signer.key.algorithm] if isinstance(signer.key, SigningKey) else _REMOTE_PART_ROWS


def _parts(batches: Iterator[pa.RecordBatch], rows: int, skip: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows after the first `skip`, in parts."""
    for batch in batches:
        fitting = max(1, min(rows, len(batch) * _PART_BYTES // max(1, batch.nbytes)))
        for start in range(min(skip, len(batch)), len(batch), fitting):
            yield batch.slice(start, fitting)
        skip = max(0, skip - len(batch))


def _sign(
    parts: Iterator[pa.RecordBatch],
    work: WorkFile,
    signer: Signer,
    terms: TableTerms,
    now: float,
    processes: int,
    tell: Callable[[int], None],
) -> None:
    """Add every part to the work file, in order."""
    waiting: deque[tuple[int, Future[bytes]]] = deque()

    def take() -> None:
        rows, signing = waiting.popleft()
        work.add(rows, signing.result())
        tell(work.rows)

    tell(work.rows)
    ahead = list(islice(parts, 2))
    if not ahead:
        return
    with workers(signer, terms, now=now, most=processes if len(ahead) > 1 else 1) as (submit, most):
        for part in chain(ahead, parts):
            waiting.append((len(part), submit(part)))
            while len(waiting) >= most or (waiting and waiting[0][1].done()):
                take()
        while waiting:
            take()


def _write(
    work: WorkFile,
    files: Files,
    new: tuple[Path, Path],
    terms: TableTerms,
    schema: pa.Schema,
    tell: Callable[[int], None],
) -> tuple[int, tuple[Seen, ...]]:
    """Write the table and the rejected rows. Return the number of rejected rows, and the warnings."""
    seen: dict[str, Seen] = {}
    done = rejected = 0
    with ExitStack() as stack:
        write = stack.enter_context(new_file(new[0], files.out_kind, schema))
        write_reject: Write | None = None
        for part in work.parts():
            batch, notes = read_part(part)
            add(seen, notes)
            signed, unsigned = separate(batch, terms)
            if len(unsigned):
                write_reject = write_reject or stack.enter_context(new_file(new[1], files.reject_kind, _REJECTED))
                write_reject(_rejected(batch, unsigned, terms, done))
            if len(signed):
                write(signed.cast(schema))
            done, rejected = done + len(batch), rejected + len(unsigned)
            tell(done)
    return rejected, tuple(seen.values())


def _rejected(batch: pa.RecordBatch, unsigned: pa.RecordBatch, terms: TableTerms, before: int) -> pa.RecordBatch:
    """Return row number (the first row is 1), original URL and reason of the rejected rows."""
    places = pc.indices_nonzero(pc.is_valid(batch.column(terms.reason_column)))
    urls = texts(unsigned.column(position(unsigned.schema, terms.url_column)), "backslashreplace")
    rows = pc.add(places.cast(pa.int64()), before + 1)
    return pa.RecordBatch.from_arrays([rows, text_column(urls), unsigned.column(terms.reason_column)], schema=_REJECTED)


def _told(terms: TableTerms, signer: Signer) -> Run:
    """Return the terms as they were given. A duration stays a duration, so that the same command is equal later."""
    who = f"{signer.key_pair_id}, {signer.key.public_key.fingerprint}, {signer.hash_algorithm}"
    given = {each.name: getattr(terms, each.name) for each in fields(terms)}
    return {**{name: str(value) for name, value in given.items() if value is not None}, "the signer": who}


def _seconds(moment: Moment) -> int:
    assert isinstance(moment, int)
    return moment
