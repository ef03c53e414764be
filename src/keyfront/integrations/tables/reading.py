# mypy: disable-error-code="import-untyped"
"""A table read from a file, batch after batch: no more of it is in memory than a few batches need."""

import csv
from collections.abc import Callable, Iterator
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
"""Bytes of CSV that are parsed at once, and of a Parquet column that are read at once. A row of CSV is no longer."""
_MAGIC: Final = b"ARROW1"


@dataclass(frozen=True)
class Table:
    """A table in a file that is open."""

    schema: pa.Schema
    rows: int | None
    """How many it has, where the file says so."""
    batches: Callable[[int, int], Iterator[pa.RecordBatch]]
    """Its rows behind the first so many, in batches of so many rows at most."""


@contextmanager
def open_table(path: Path, kind: Format) -> Iterator[Table]:
    """The table in the file at `path`. Raises `InputError` for one that cannot be read, then or while it is read."""
    with ExitStack() as stack:
        try:
            table = _OPENERS[kind](path, kind, stack)
        except OSError as error:
            raise _unreadable(path, kind, error) from None
        except (pa.ArrowException, ValueError) as error:
            raise _unreadable(path, kind, error) from None

        def batches(skip: int, size: int) -> Iterator[pa.RecordBatch]:
            return _sliced(_told(path, kind, table.batches(skip, size)), size)

        yield Table(table.schema, table.rows, batches)


def _parquet(path: Path, _kind: Format, stack: ExitStack) -> Table:
    file = stack.enter_context(pyarrow.parquet.ParquetFile(path, pre_buffer=False, buffer_size=_BLOCK))

    def batches(skip: int, size: int) -> Iterator[pa.RecordBatch]:
        groups = list(range(file.num_row_groups))
        while groups and skip >= file.metadata.row_group(groups[0]).num_rows:
            skip -= file.metadata.row_group(groups.pop(0)).num_rows
        if groups:
            yield from _behind(skip, file.iter_batches(size, row_groups=groups, use_threads=False))

    return Table(file.schema_arrow, file.metadata.num_rows, batches)


def _arrow_file(path: Path, kind: Format, stack: ExitStack) -> Table:
    with path.open("rb") as begin:
        if begin.read(len(_MAGIC)) != _MAGIC:
            return _arrow_stream(path, kind, stack)
    file = stack.enter_context(pa.ipc.open_file(stack.enter_context(pa.OSFile(str(path)))))

    def batches(skip: int, _size: int) -> Iterator[pa.RecordBatch]:
        return _behind(skip, (file.get_batch(number) for number in range(file.num_record_batches)))

    return Table(file.schema, None, batches)


def _arrow_stream(path: Path, _kind: Format, _stack: ExitStack) -> Table:
    def batches(skip: int, _size: int) -> Iterator[pa.RecordBatch]:
        with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
            yield from _behind(skip, stream)

    with pa.OSFile(str(path)) as source, pa.ipc.open_stream(source) as stream:
        return Table(stream.schema, None, batches)


def _separated(path: Path, kind: Format, _stack: ExitStack) -> Table:
    """CSV or TSV: every cell is the text that it is. What looks like a number may be an id with zeros in front."""
    delimiter = DELIMITERS[kind]
    with path.open(encoding="utf-8-sig", newline="") as file:
        names = next(csv.reader(file, delimiter=delimiter), [])
    if not names:
        raise ValueError("its first line is empty, and the columns' names are needed there")

    def opened() -> pyarrow.csv.CSVStreamingReader:
        return pyarrow.csv.open_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(block_size=_BLOCK, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )

    def batches(skip: int, _size: int) -> Iterator[pa.RecordBatch]:
        with opened() as reader:
            yield from _behind(skip, reader)

    with opened() as reader:
        return Table(reader.schema, None, batches)


_OPENERS: Final[dict[str, Callable[[Path, Format, ExitStack], Table]]] = {
    "csv": _separated,
    "tsv": _separated,
    "parquet": _parquet,
    "arrow": _arrow_file,
    "arrows": _arrow_stream,
}


def _behind(skip: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if skip >= len(batch):
            skip -= len(batch)
        else:
            yield batch.slice(skip)
            skip = 0


def _sliced(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for start in range(0, len(batch), size):
            yield batch.slice(start, size)


def _told(path: Path, kind: Format, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = next(batches, None)
        except (OSError, pa.ArrowException, ValueError) as error:
            raise _unreadable(path, kind, error) from None
        if batch is None:
            return
        yield batch


def _unreadable(path: Path, kind: Format, error: Exception) -> KeyfrontError:
    if isinstance(error, KeyfrontError):
        return error
    if isinstance(error, FileNotFoundError):
        return InputError(f"there is no file {path}")
    if isinstance(error, OSError) and error.strerror:
        return InputError(f"{path} cannot be read: {error.strerror}")
    if isinstance(error, UnicodeDecodeError) or "invalid UTF8" in str(error):
        return InputError(f"{path} is not UTF-8 text: convert it (iconv -f latin1 -t utf-8, say)")
    why = " ".join(str(error).split())
    return InputError(f"{path} cannot be read as {kind}: {why[:300]}")
