# mypy: disable-error-code="import-untyped"
"""Write a table to a file in batches."""

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet
import pyarrow.types as kinds

from keyfront.errors import KeyfrontError, ServiceError
from keyfront.integrations.tables.columns import is_text, texts
from keyfront.integrations.tables.formats import DELIMITERS, Format

_GROUP_ROWS: Final = 64 * 1024
_GROUP_BYTES: Final = 32 << 20
"""A row group of Parquet ends at this many rows, or this many bytes in memory."""


Write = Callable[[pa.RecordBatch], None]
"""Writes the next rows."""


@contextmanager
def new_file(path: Path, kind: Format, schema: pa.Schema) -> Iterator[Write]:
    """Write a table to a new file at `path`. It is on the disk when the context ends.

    Raises `ServiceError` for a full disk and for a file that already exists.
    """
    if kind in DELIMITERS:
        opened = _separated(path, DELIMITERS[kind], schema)
    else:
        opened = _parquet(path, schema) if kind == "parquet" else _arrow(path, kind, schema)
    with writing(path):
        path.touch(exist_ok=False)  # does not follow a link that another user made
        with opened as write:
            yield write
        sync(path)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn errors while writing `path` into a `ServiceError` that names it."""
    try:
        yield
    except KeyfrontError:
        raise
    except (OSError, pa.ArrowException) as error:
        told = (isinstance(error, OSError) and error.strerror) or " ".join(str(error).split())[:300]
        raise ServiceError(f"{path} cannot be written: {told}") from None


def sync(path: Path) -> None:
    """Wait until the file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _parquet(path: Path, schema: pa.Schema) -> Iterator[Write]:
    waiting: list[pa.RecordBatch] = []

    def group() -> None:
        if waiting:
            table = pa.Table.from_batches(waiting, schema)
            waiting.clear()
            writer.write_table(table, row_group_size=len(table))

    def write(batch: pa.RecordBatch) -> None:
        waiting.append(batch)
        if sum(map(len, waiting)) >= _GROUP_ROWS or sum(each.nbytes for each in waiting) >= _GROUP_BYTES:
            group()

    with pyarrow.parquet.ParquetWriter(path, schema) as writer:
        yield write
        group()


@contextmanager
def _arrow(path: Path, kind: Format, schema: pa.Schema) -> Iterator[Write]:
    if kind == "arrows":
        with pa.ipc.new_stream(str(path), schema) as stream:
            yield stream.write_batch
        return
    # The file format has one dictionary per column, but batches may have different ones, so the values are written.
    plain = pa.schema([_plain(field) for field in schema], schema.metadata)
    with pa.ipc.new_file(str(path), plain) as file:
        yield lambda batch: file.write_batch(batch.cast(plain))


def _plain(field: pa.Field) -> pa.Field:
    return field.with_type(field.type.value_type) if kinds.is_dictionary(field.type) else field


@contextmanager
def _separated(path: Path, delimiter: str, schema: pa.Schema) -> Iterator[Write]:
    # Bytes that are not UTF-8 are written unchanged.
    with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        plain = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        # With "\n" as the line end, csv does not quote a cell with "\r", but other readers end a line there.
        quoted = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
        plain.writerow(schema.names)

        def write(batch: pa.RecordBatch) -> None:
            columns = [_cells(column) for column in batch.columns]
            returns = any("\r" in cell for column in columns for cell in column if cell)
            (quoted if returns else plain).writerows(zip(*columns, strict=True))

        yield write


def _cells(column: pa.Array) -> list[str | None]:
    if is_text(column.type):
        return texts(column)
    plain = column.dictionary_decode() if kinds.is_dictionary(column.type) else column
    return texts(plain.cast(pa.string()))
