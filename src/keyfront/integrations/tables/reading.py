# mypy: disable-error-code="import-untyped"
"""Read a table from a file in batches. Only a few batches are in memory at a time."""

import csv
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from keyfront.errors import InputError, KeyfrontError
from keyfront.integrations.tables.formats import DELIMITERS, Format

_BLOCK: Final = 1 << 20
"""Bytes of CSV that are parsed at once, and of a Parquet column that are read at once. The longest row of CSV."""
_BATCH_ROWS: Final = 16 * 1024
_BATCH_BYTES: Final = 4 << 20
"""The most rows of Parquet that are read at once, and about the most bytes."""
_MAGIC: Final = b"ARROW1"


@dataclass(frozen=True)
class Table:
    """A table in an open file."""

    schema: pa.Schema
    rows: int | None
    """The number of rows, if the file contains it."""
    batches: Iterator[pa.RecordBatch]


@contextmanager
def open_table(path: Path, kind: Format) -> Iterator[Table]:
    """Open the table in the file at `path`. Raises `InputError` if it cannot be read, then or later."""
    with ExitStack() as stack:
        with _reading(path, kind):
            if kind in DELIMITERS:
                table = _separated(path, kind, stack)
            else:
                table = _parquet(path, stack) if kind == "parquet" else _arrow(path, stack)

        def batches() -> Iterator[pa.RecordBatch]:
            with _reading(path, kind):
                yield from table.batches

        yield Table(table.schema, table.rows, batches())


def _parquet(path: Path, stack: ExitStack) -> Table:
    file = stack.enter_context(pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BLOCK))
    batches = file.iter_batches(_batch_rows(file.metadata), use_threads=False)
    return Table(file.schema_arrow, file.metadata.num_rows, batches)


def _batch_rows(file: pyarrow.parquet.FileMetaData) -> int:
    """Return how many rows are read at once: fewer if they are wide."""
    groups = [file.row_group(number) for number in range(file.num_row_groups)]
    widest = max((group.total_byte_size / max(1, group.num_rows) for group in groups), default=1.0)
    return max(1, min(_BATCH_ROWS, int(_BATCH_BYTES / max(1.0, widest))))


def _arrow(path: Path, stack: ExitStack) -> Table:
    source = stack.enter_context(pa.OSFile(str(path)))
    if source.read(len(_MAGIC)) == _MAGIC:
        file = stack.enter_context(pa.ipc.open_file(source))
        return Table(file.schema, None, map(file.get_batch, range(file.num_record_batches)))
    source.seek(0)
    stream = stack.enter_context(pa.ipc.open_stream(source))
    return Table(stream.schema, None, iter(stream))


def _separated(path: Path, kind: Format, stack: ExitStack) -> Table:
    """Open CSV or TSV. Every cell stays text: a number may be an id with leading zeros."""
    delimiter = DELIMITERS[kind]
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(file, delimiter=delimiter), [])
    if not names:
        raise ValueError("its first line is empty: it must contain the column names")
    reader = pyarrow.csv.open_csv(
        path,
        read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    return Table(reader.schema, None, iter(stack.enter_context(reader)))


@contextmanager
def _reading(path: Path, kind: Format) -> Iterator[None]:
    """Turn errors while reading `path` into an `InputError` that names it."""
    try:
        yield
    except KeyfrontError:
        raise
    except (OSError, pa.ArrowException, ValueError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path} cannot be read: {error.strerror}") from None
        if isinstance(error, UnicodeDecodeError) or "invalid UTF8" in str(error):
            raise InputError(f"{path} is not UTF-8 text: convert it, for example iconv -f latin1 -t utf-8") from None
        raise InputError(f"{path} cannot be read as {kind}: {' '.join(str(error).split())[:300]}") from None
