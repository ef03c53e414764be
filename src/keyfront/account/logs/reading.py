"""The SQL by which DuckDB reads log files of each format into the columns of `logs`, all of them texts."""

from collections.abc import Iterable
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

_BEGINNING: Final = (
    "substr(line, 1, 24) || '… (' || length(line) || ' characters, ' || coalesce(len(v), 0) || ' columns)'"
)
"""How a broken row is shown: its first characters, which hold neither an address nor a signature."""


def select(shape: Shape, paths: Iterable[Path]) -> str:
    """Return the query that reads files of one shape. Broken rows have no time, so that they can be counted."""
    names = ", ".join(literal(str(path)) for path in paths)
    if shape.kind == "parquet":
        return _parquet(names, shape.fields)
    return _lines(names, shape)


def literal(text: str) -> str:
    """Return `text` as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def parquet_columns(path: Path) -> str:
    """Return the query for the names of a Parquet file's columns."""
    return f"SELECT name FROM parquet_schema({literal(str(path))}) WHERE num_children IS NULL"  # noqa: S608 (quoted)


def _lines(names: str, shape: Shape) -> str:
    compression = "gzip" if shape.compressed else "none"
    # Each line is one text first: a broken row then costs a row, and never its neighbours.
    lines = (
        f"read_csv([{names}], delim = '\x01', quote = '', escape = '', header = false, auto_detect = false, "
        f"columns = {{'line': 'VARCHAR'}}, compression = '{compression}', max_line_size = {LONGEST_LINE}, "
        "ignore_errors = true, store_rejects = true, rejects_limit = 100000, filename = 'file')"
    )
    if shape.kind == "json":
        fields = {column(name): name for name in shape.fields}
        paths = ", ".join(literal('$."' + name.replace('"', '\\"') + '"') for name in fields.values())
        row = f"CASE WHEN json_valid(line) THEN json_extract_string(line, [{paths}]) END"
        whole = "v IS NOT NULL"
        columns = tuple(fields)
    else:
        row = f"string_split(line, {literal(shape.delimiter)})"
        whole = f"len(v) = {len(shape.fields)}"
        columns = shape.fields
    values = [_value(name, columns, whole) for name in COLUMNS if name != "file"]
    return (
        f"SELECT {', '.join(values)}, file "  # noqa: S608 (names are quoted, columns are ours)
        f"FROM (SELECT {row} AS v, line, file FROM {lines} WHERE line <> '' AND line[1] <> '#')"
    )


def _value(name: str, columns: tuple[str, ...], whole: str) -> str:
    value = f"v[{columns.index(name) + 1}]" if name in columns else "CAST(NULL AS VARCHAR)"
    if name in ("date", "timestamp", "timestamp_ms"):
        # Without its time a row is broken, so the others need no test.
        value = f"CASE WHEN {whole} THEN {value} END"
    if name == "cs_uri_stem":
        value = f"CASE WHEN {whole} THEN {value} ELSE {_BEGINNING} END"
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
        f"FROM read_parquet([{names}], filename = 'file')"
    )
