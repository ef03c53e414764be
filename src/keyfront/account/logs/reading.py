"""The SQL by which DuckDB reads log files of each format into the columns of `logs`, all of them texts."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from keyfront.account.logs.formats import column
from keyfront.account.logs.values import Shape

COLUMNS: Final = (
    *("date", "time", "timestamp", "timestamp_ms", "distributionid", "cs_host", "x_host_header", "cs_protocol"),
    *("cs_method", "cs_uri_stem", "cs_uri_query", "cs_cookie", "cs_referer", "cs_user_agent", "c_ip", "c_country"),
    *("sc_status", "sc_bytes", "time_taken", "x_edge_result_type", "x_edge_detailed_result_type"),
    *("cache_behavior_path_pattern", "file"),
)
"""The columns that the views read."""

LONGEST_LINE: Final = 256 * 1024
"""Bytes. CloudFront allows a URL of 8,192 and headers of 20,480 bytes. Encoded, each byte takes up to three."""

MOST_REJECTED: Final = 100_000
"""How many lines of one file DuckDB remembers that it could not read."""

_SHOWN: Final = 24
"""How many characters of a broken row are shown. They hold neither an address nor a signature."""


def select(shape: Shape, paths: Iterable[Path]) -> str:
    """Return the query that reads files of one shape. Broken rows have no time, so that they can be counted."""
    names = ", ".join(literal(str(path)) for path in paths)
    if shape.kind == "parquet":
        return _parquet(names, shape.fields)
    return _objects(names, shape) if shape.kind == "json" else _cells(names, shape)


def literal(text: str) -> str:
    """Return `text` as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def parquet_columns(path: Path) -> str:
    """Return the query for the names of a Parquet file's columns."""
    return f"SELECT name FROM parquet_schema({literal(str(path))}) WHERE num_children IS NULL"  # noqa: S608 (quoted)


def _cells(names: str, shape: Shape) -> str:
    """Return the query for rows of cells. DuckDB takes only those cells out of a row that a query needs."""
    number = len(shape.fields)
    # A row that is too short has no last cell, and one that is too long has one more. Both cost no other row.
    cells = [f"c{at}" for at in range(number + 1)]
    rows = _csv(names, shape, shape.delimiter, cells)
    whole = f"{cells[-2]} IS NOT NULL AND {cells[-1]} IS NULL"
    wrong = f"CASE WHEN {cells[-1]} IS NULL THEN 'fewer' ELSE 'more' END || ' than {number} columns)'"
    values = [
        _value(name, cells[shape.fields.index(name)] if name in shape.fields else None, whole, "c0", wrong)
        for name in COLUMNS[:-1]
    ]
    return f"SELECT {', '.join(values)}, file FROM {rows} WHERE c0[1] <> '#'"  # noqa: S608 (columns are ours)


def _objects(names: str, shape: Shape) -> str:
    """Return the query for rows that are JSON objects."""
    fields = {column(name): name for name in shape.fields if column(name) in COLUMNS}
    paths = ", ".join(literal('$."' + name.replace('"', '\\"') + '"') for name in fields.values())
    row = f"CASE WHEN json_valid(line) THEN json_extract_string(line, [{paths}]) END"
    known = list(fields)
    values = [
        _value(name, f"v[{known.index(name) + 1}]" if name in fields else None, "v IS NOT NULL", "line", "'not JSON)'")
        for name in COLUMNS[:-1]
    ]
    lines = _csv(names, shape, "\x01", ["line"])
    return f"SELECT {', '.join(values)}, file FROM (SELECT {row} AS v, line, file FROM {lines} WHERE line <> '')"  # noqa: S608


def _csv(names: str, shape: Shape, delimiter: str, columns: Sequence[str]) -> str:
    """Return the call that reads lines. It leaves out lines that are too long or not UTF-8, and remembers them.

    Threads share files, but not one file: DuckDB forgets a line that is longer than the share of a thread.
    """
    typed = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
    return (
        f"read_csv([{names}], delim = {literal(delimiter)}, quote = '', escape = '', header = false, "
        f"auto_detect = false, columns = {{{typed}}}, nullstr = '\x02', null_padding = true, strict_mode = false, "
        f"compression = '{'gzip' if shape.compressed else 'none'}', max_line_size = {LONGEST_LINE}, "
        f"ignore_errors = true, store_rejects = true, rejects_limit = {MOST_REJECTED}, parallel = false, "
        "hive_partitioning = false, filename = 'file')"
    )


def _value(name: str, cell: str | None, whole: str, beginning: str, wrong: str) -> str:
    value = cell or "CAST(NULL AS VARCHAR)"
    if name in ("date", "timestamp", "timestamp_ms"):
        # Without its time a row is broken, so the others need no test.
        value = f"CASE WHEN {whole} THEN {value} END"
    if name == "cs_uri_stem":
        value = f"CASE WHEN {whole} THEN {value} ELSE substr({beginning}, 1, {_SHOWN}) || '… (' || {wrong} END"
    return f'{value} AS "{name}"'


def _parquet(names: str, fields: tuple[str, ...]) -> str:
    known = {column(name): name for name in fields}
    values = [
        f'CAST("{known[name]}" AS VARCHAR) AS "{name}"' if name in known else f'CAST(NULL AS VARCHAR) AS "{name}"'
        for name in COLUMNS
        if name != "file"
    ]
    return (
        f"SELECT {', '.join(values)}, file "  # noqa: S608 (names are quoted, columns are ours)
        f"FROM read_parquet([{names}], hive_partitioning = false, filename = 'file')"
    )
