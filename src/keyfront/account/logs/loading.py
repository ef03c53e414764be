"""Reads log files into the table `loaded`, a part at a time, so that Ctrl-C keeps what is done."""

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

import duckdb

from keyfront.account.logs.engine import Engine, sql
from keyfront.account.logs.formats import UnreadableError, shape_of
from keyfront.account.logs.reading import COLUMNS, LONGEST_LINE, MOST_REJECTED, parquet_columns, select
from keyfront.account.logs.recorded import har_rows
from keyfront.account.logs.salvage import salvage
from keyfront.account.logs.values import Count, LogFile, Progress, Shape, Window

PART_BYTES: Final = 48 * 1024 * 1024
PART_FILES: Final = 400
_ROWS_A_BYTE: Final = 2
_SOME_ROWS: Final = 100_000
"""A file may have so many rows, and more for each of its bytes. What unpacks to more is made to keep a machine busy."""
_MOST_SAMPLES: Final = 5
_BROKEN: Final = '"at" IS NULL OR status IS NULL'

_REJECTED: Final = {
    "LINE SIZE OVER MAXIMUM": f"longer than {LONGEST_LINE // 1024} KiB",
    "INVALID ENCODING": "not UTF-8",
}
"""DuckDB's reasons for lines that it does not read, in other words."""

_ALWAYS: Final = ("at", "status", "path", "file")
_OF_BROKEN: Final = {
    # Of a broken row, the path is the row's beginning.
    "path": f"CASE WHEN {_BROKEN} THEN path END"
}
_KEPT: Final = {
    # The judge needs these of refused requests only. Signatures and addresses of all others are not even stored.
    "query": "CASE WHEN maybe_refused THEN query END",
    "cookie": "CASE WHEN maybe_refused THEN cookie END",
    "address": "CASE WHEN maybe_refused THEN address END",
    # A broken row is kept for its file and its beginning.
    "file": f"CASE WHEN {_BROKEN} THEN file END",
}


class Loader:
    """Fills the table `loaded` of an engine, over which the views are."""

    def __init__(
        self,
        engine: Engine,
        window: Window,
        *,
        columns: Collection[str],
        fields: tuple[str, ...] = (),
        replaced: Mapping[str, str] | None = None,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """`columns` are the wanted columns of `requests`: others are not even computed. `fields` are the columns of
        real-time logs. `replaced` has the SQL of columns that differ from the view's.
        """
        self.count = Count()
        self._engine, self._fields, self._progress = engine, fields, progress
        self._names: dict[str, str] = {}
        self._of_bytes = 0
        nothing = ", ".join(f'CAST(NULL AS VARCHAR) AS "{name}"' for name in COLUMNS)
        self._run(f"CREATE TEMP VIEW logs AS SELECT {nothing} WHERE false")
        self._run(f"CREATE TEMP VIEW read_requests AS {sql('requests')}")
        wanted = dict.fromkeys([*_ALWAYS, *columns])
        values = {**_KEPT, **(replaced or {})} | ({} if "path" in columns else _OF_BROKEN)
        selected = ", ".join(f'{values.get(name, quoted(name))} AS "{name}"' for name in wanted)
        self._select = f"SELECT {selected} FROM read_requests WHERE {_within(window)}"  # noqa: S608
        self._run(f"CREATE TABLE loaded AS {self._select} LIMIT 0")
        self._run(f"CREATE VIEW requests AS SELECT * EXCLUDE (file) FROM loaded WHERE NOT ({_BROKEN})")  # noqa: S608

    def load(self, files: Sequence[LogFile], of_bytes: int | None = None) -> None:
        """Read files. `count` names the files that cannot be read. `of_bytes` is the size of all files to come."""
        self._of_bytes = of_bytes or sum(each.size for each in files)
        self._names |= {str(each.path): each.name for each in files}
        try:
            for shape, part in _parts(self._shaped(files)):
                self._load(shape, part)
        except KeyboardInterrupt:
            self.count.stopped = True

    def finish(self) -> Count:
        """Count the broken rows, and return what was read."""
        broken = self._engine.rows(f"SELECT file, count(*) FROM loaded WHERE {_BROKEN} GROUP BY file ORDER BY file")  # noqa: S608
        self.count.broken += sum(_number(rows) for _, rows in broken)
        self.count.rows -= sum(_number(rows) for _, rows in broken)
        found = self._engine.rows(f"SELECT file, path FROM loaded WHERE {_BROKEN} ORDER BY 1, 2 LIMIT {_MOST_SAMPLES}")  # noqa: S608
        self.count.samples += [(self._name(file), str(path)) for file, path in found]
        return self.count

    def _shaped(self, files: Iterable[LogFile]) -> Iterator[tuple[Shape, LogFile]]:
        for each in files:
            try:
                shape = shape_of(each.path, self._fields)
                if shape.kind == "parquet":
                    names = self._engine.rows(parquet_columns(each.path))
                    shape = replace(shape, fields=tuple(str(name) for (name,) in names))
                yield shape, each
            except (UnreadableError, duckdb.Error) as error:
                self._leave(each, _reason(error))

    def _load(self, shape: Shape, part: Sequence[LogFile]) -> None:
        try:
            self._insert(shape, part)
        except (duckdb.Error, UnreadableError) as error:
            # One bad file must not cost its neighbours.
            if len(part) > 1:
                for each in part:
                    self._load(shape, [each])
                return
            self._save(shape, part[0], error)
        else:
            self._told(part)

    def _save(self, shape: Shape, file: LogFile, error: Exception) -> None:
        """Read what can be read of a damaged file, or name it as unread."""
        damaged = shape.compressed or isinstance(error, duckdb.OutOfMemoryException)
        if not damaged or isinstance(error, UnreadableError):
            self._leave(file, _reason(error))
            return
        copy = self._engine.folder / "salvaged" / file.path.name.removesuffix(".gz")
        copy.parent.mkdir(exist_ok=True)
        try:
            whole = salvage(file.path, copy, compressed=shape.compressed)
            self._names[str(copy)] = file.name
            self._insert(replace(shape, compressed=False), [replace(file, path=copy)])
        except (duckdb.Error, UnreadableError, OSError) as second:
            self._leave(file, _reason(second))
        else:
            if not whole:
                self.count.cut.append(file.name)
            self._told([file])
        finally:
            shutil.rmtree(copy.parent)

    def _insert(self, shape: Shape, part: Sequence[LogFile]) -> None:
        if shape.kind == "har":
            columns = ", ".join(f'"{name}" VARCHAR' for name in COLUMNS)
            self._run(f"CREATE OR REPLACE TEMP TABLE recorded ({columns})")
            rows = [row for each in part for row in har_rows(each.path, compressed=shape.compressed)]
            if rows:
                marks = ", ".join("?" * len(COLUMNS))
                self._engine.connection.executemany(f"INSERT INTO recorded VALUES ({marks})", rows)  # noqa: S608
            self._run("CREATE OR REPLACE TEMP VIEW logs AS SELECT * FROM recorded")
        else:
            self._run(f"CREATE OR REPLACE TEMP VIEW logs AS {select(shape, [each.path for each in part])}")
        most = _SOME_ROWS + _ROWS_A_BYTE * sum(each.size for each in part)
        with self._engine.transaction():
            ((rows_read,),) = self._engine.rows(f"INSERT INTO loaded {self._select} LIMIT {most + 1}")
            if _number(rows_read) > most:
                raise UnreadableError(f"it has more than {most:,} rows, which no log of its size has")
            if shape.kind in ("w3c", "json", "realtime"):
                self._rejected()
        self.count.rows += _number(rows_read)

    def _rejected(self) -> None:
        """Count the lines that DuckDB itself could not read: too long, or not UTF-8. Raises `UnreadableError`."""
        found = self._engine.rows(
            "SELECT s.file_path, count(DISTINCT e.line_byte_position), min(e.error_type) FROM reject_errors e "
            "JOIN reject_scans s USING (scan_id, file_id) GROUP BY s.file_path"
        )
        if any(_number(lines) >= MOST_REJECTED for _, lines, _ in found):
            raise UnreadableError(f"it has {MOST_REJECTED:,} lines or more that are too long or not UTF-8")
        for file, lines, kind in found:
            self.count.broken += _number(lines)
            if len(self.count.samples) < _MOST_SAMPLES:
                self.count.samples.append((self._name(file), f"({_REJECTED.get(str(kind), str(kind).lower())})"))
        self._run("DELETE FROM reject_errors")

    def _told(self, part: Sequence[LogFile]) -> None:
        self.count.files += len(part)
        self.count.bytes += sum(each.size for each in part)
        self._progress(Progress(self.count.bytes, self._of_bytes, self.count.rows))

    def _leave(self, file: LogFile, reason: str) -> None:
        self.count.unread.append((file.name, reason))

    def _name(self, path: object) -> str:
        return self._names.get(str(path), str(path))

    def _run(self, query: str) -> None:
        self._engine.rows(query)


def _parts(files: Iterable[tuple[Shape, LogFile]]) -> Iterator[tuple[Shape, list[LogFile]]]:
    """Group neighbours of the same shape, up to a part's size."""
    part: list[LogFile] = []
    of: Shape | None = None
    size = 0
    for shape, each in files:
        full = size >= PART_BYTES or len(part) >= PART_FILES
        if of is not None and (shape != of or full):
            yield of, part
            part, size = [], 0
        of = shape
        part.append(each)
        size += each.size
    if of is not None:
        yield of, part


def quoted(name: str) -> str:
    """Return a column's name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def _within(window: Window) -> str:
    since = "true" if window.since is None else f'"at" >= {window.since}'
    until = "true" if window.until is None else f'"at" < {window.until}'
    return f'("at" IS NULL OR ({since} AND {until}))'


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _reason(error: Exception) -> str:
    """Return an error's first line, without DuckDB's name for its kind."""
    text = str(error).partition("\n")[0].strip()
    return text.partition("Error: ")[2] or text if isinstance(error, duckdb.Error) else text
