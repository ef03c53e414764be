# mypy: disable-error-code="import-untyped"
"""The parts put together, and the finished files put in their places."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from keyfront.errors import ServiceError
from keyfront.integrations.tables.batches import separate
from keyfront.integrations.tables.columns import position, text_column, texts
from keyfront.integrations.tables.journal import Assembled, Identity, Journal
from keyfront.integrations.tables.notes import add
from keyfront.integrations.tables.places import Places
from keyfront.integrations.tables.summary import Progress, Seen
from keyfront.integrations.tables.terms import TableTerms
from keyfront.integrations.tables.work import Work
from keyfront.integrations.tables.writing import Write, new_file, sync, writing

_REJECTED = pa.schema([("row", pa.int64()), ("url", pa.string()), ("reason", pa.string())])


def assemble(
    work: Work,
    token: str,
    places: Places,
    terms: TableTerms,
    schema: pa.Schema,
    parts: int,
    rows: int,
    progress: Callable[[Progress], None],
) -> Assembled:
    """Write `parts` parts of `rows` rows into one table of `schema`, and the rows that are not signed into another."""
    seen: dict[str, Seen] = {}
    done = rejected = 0
    with ExitStack() as stack:
        write = stack.enter_context(new_file(work.out, places.out_kind, schema))
        write_reject: Write | None = None
        for number in range(parts):
            batches, notes = work.read(token, number)
            add(seen, notes)
            for batch in batches:
                signed, unsigned = separate(batch, terms)
                if len(unsigned):
                    write_reject = write_reject or stack.enter_context(
                        new_file(work.reject, places.reject_kind, _REJECTED)
                    )
                    write_reject(_rejected(batch, unsigned, terms, done))
                if len(signed):
                    write(signed.cast(schema))
                done, rejected = done + len(batch), rejected + len(unsigned)
            progress(Progress("writing", done, rows))
        if done != rows:
            raise ServiceError(
                f"the parts in {work.folder} have {done:,} rows, and the table has {rows:,}: --restart begins anew"
            )
    reject = Identity.of(work.reject) if rejected else None
    return Assembled(Identity.of(work.out), reject, done - rejected, rejected, tuple(seen.values()))


def publish(work: Work, places: Places, journal: Journal, done: Assembled) -> None:
    """Put the finished files in their places, the table last, and remove the parts.

    May be killed at any moment and called again: what was moved already is known by its size and time.
    """
    if work.out.exists() or work.reject.exists():
        if work.out.exists() and (work.reject.exists() or done.reject is None):
            places.check_free()
        work.note(replace(journal, assembled=done))
    with writing(places.out):
        if done.reject is None:
            places.reject.unlink(missing_ok=True)
        for beside, target, known in ((work.reject, places.reject, done.reject), (work.out, places.out, done.out)):
            if known is None:
                continue
            if beside.exists():
                beside.replace(target)
            elif not target.exists() or Identity.of(target) != known:
                raise ServiceError(f"{target} is not what was written there: --restart begins anew")
        sync(places.out.absolute().parent)
    work.clear()


def _rejected(batch: pa.RecordBatch, unsigned: pa.RecordBatch, terms: TableTerms, before: int) -> pa.RecordBatch:
    """Row number (the first row is 1), URL as it came and reason."""
    places = pc.indices_nonzero(pc.is_valid(batch.column(terms.reason_column)))
    urls = texts(unsigned.column(position(unsigned.schema, terms.url_column)), "backslashreplace")
    rows = pc.add(places.cast(pa.int64()), before + 1)
    return pa.RecordBatch.from_arrays([rows, text_column(urls), unsigned.column(terms.reason_column)], schema=_REJECTED)
