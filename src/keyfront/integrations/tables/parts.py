# mypy: disable-error-code="import-untyped"
"""A table cut into parts, and those signed that are not there yet."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import chain, count, islice

import pyarrow as pa

from keyfront.core.signing import Signer
from keyfront.integrations.tables.journal import Journal
from keyfront.integrations.tables.reading import Table
from keyfront.integrations.tables.summary import Progress
from keyfront.integrations.tables.terms import TableTerms
from keyfront.integrations.tables.work import Work
from keyfront.integrations.tables.workers import workers


@dataclass(slots=True)
class Read:
    """What was read so far."""

    parts: int
    rows: int
    kept: int


def sign_parts(
    table: Table,
    work: Work,
    journal: Journal,
    signer: Signer,
    terms: TableTerms,
    processes: int,
    tell: Callable[[Progress], None],
) -> Read:
    """Have every part in the folder."""
    size, done = journal.part_rows, work.done(journal.token)
    # The last of the leading parts that are there is read again: it tells how many rows the table has if it ends there.
    first = max(0, next(number for number in count() if number not in done) - 1)
    read = Read(first, first * size, first * size)
    ready = read.kept

    def missing() -> Iterator[tuple[int, int, list[pa.RecordBatch]]]:
        nonlocal ready
        for number, batches in _parts(table.batches(read.rows, size), size, first):
            rows = sum(map(len, batches))
            read.parts, read.rows = number + 1, read.rows + rows
            if number in done:
                read.kept, ready = read.kept + rows, ready + rows
            else:
                yield number, rows, batches

    todo = missing()
    ahead = list(islice(todo, 2))
    tell(Progress("signing", ready, table.rows))
    if not ahead:
        return read
    waiting: deque[tuple[int, Future[None]]] = deque()
    several = len(ahead) > 1
    with workers(work.folder, signer, terms, token=journal.token, now=journal.now, most=processes, several=several) as (
        submit,
        most,
    ):
        for number, rows, batches in chain(ahead, todo):
            waiting.append((rows, submit(number, batches)))
            while len(waiting) >= most or (waiting and waiting[0][1].done()):
                ready += _ended(waiting)
                tell(Progress("signing", ready, table.rows))
        while waiting:
            ready += _ended(waiting)
            tell(Progress("signing", ready, table.rows))
    return read


def _ended(waiting: deque[tuple[int, Future[None]]]) -> int:
    rows, signing = waiting.popleft()
    signing.result()
    return rows


def _parts(batches: Iterator[pa.RecordBatch], size: int, number: int) -> Iterator[tuple[int, list[pa.RecordBatch]]]:
    """The rows in parts of `size`, numbered from `number` on."""
    part: list[pa.RecordBatch] = []
    space = size
    for batch in batches:
        while len(batch):
            piece, batch = batch.slice(0, space), batch.slice(space)
            part.append(piece)
            space -= len(piece)
            if not space:
                yield number, part
                number, part, space = number + 1, [], size
    if part:
        yield number, part
