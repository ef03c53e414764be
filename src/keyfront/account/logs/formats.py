"""Finds out how a log file is written, from its first bytes."""

import json
import re
import zlib
from pathlib import Path
from typing import Final

from keyfront.account.logs.values import Shape
from keyfront.errors import InputError

HEAD_BYTES: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"
MOST_EXPANSION: Final = 250
"""Access logs shrink to a tenth or so. What grows to 250 times its size is not a log, but made to fill a disk."""
_FIELD: Final = re.compile(r"[A-Za-z0-9()_-]{1,60}")
_NEEDED: Final = {"sc_status"}


class UnreadableError(InputError):
    """A file that is not an access log. Its text is the reason, without the file's name."""


def column(field: str) -> str:
    """Return a field's name as a column: `cs(User-Agent)`, `cs-user-agent` and `cs_user_agent` are one."""
    return re.sub(r"[^a-z0-9]+", "_", field.lower()).strip("_")


def shape_of(path: Path, fields: tuple[str, ...] = ()) -> Shape:
    """Return how the file is written. `fields` are the columns of real-time logs, which have no header.

    Raises `UnreadableError`.
    """
    try:
        with path.open("rb") as file:
            start = file.read(HEAD_BYTES)
    except OSError as error:
        raise UnreadableError(f"it cannot be opened: {error.strerror}") from None
    if start.startswith(b"PAR1"):
        return Shape("parquet")
    compressed = start.startswith(_GZIP)
    text = (_inflated(start) if compressed else start).decode("utf-8", "replace")
    if not text.strip():
        raise UnreadableError("it is empty")
    if text.lstrip().startswith("{"):
        return _json(text, compressed=compressed)
    named = next((line for line in text.splitlines() if line.startswith("#Fields:")), "")
    columns = tuple(column(each) for each in named[8:].replace(",", " ").split()) or fields
    if not columns:
        raise UnreadableError(
            "it has no #Fields line, so it is not a standard log; for real-time logs, name their fields with --fields"
        )
    _check_columns(columns)
    rows = [line for line in text.splitlines() if line and not line.startswith("#")]
    delimiter = next((each for each in "\t ," if rows and each in rows[0]), "\t")
    return Shape("w3c" if named else "realtime", columns, delimiter, compressed)


def named_fields(text: str) -> tuple[str, ...]:
    """Return the columns of `--fields`. Raises `InputError`."""
    names = [each.strip() for each in text.split(",") if each.strip()]
    for each in names:
        if not _FIELD.fullmatch(each):
            raise InputError(f"--fields: {each[:60]!r} is not the name of a field, such as cs-uri-stem")
    columns = tuple(column(each) for each in names)
    try:
        _check_columns(columns)
    except UnreadableError as error:
        raise InputError(f"--fields: {error}") from None
    return columns


def _check_columns(columns: tuple[str, ...]) -> None:
    if missing := _NEEDED - set(columns):
        raise UnreadableError(f"it has no field {', '.join(missing).replace('_', '-')}, which every answer needs")
    if not ({"date", "time"} <= set(columns) or {"timestamp", "timestamp_ms"} & set(columns)):
        raise UnreadableError("it has no time: log date and time, or timestamp")
    if len(set(columns)) < len(columns):
        raise UnreadableError("it names a field twice")


def _json(text: str, *, compressed: bool) -> Shape:
    first = text.lstrip().partition("\n")[0]
    try:
        row = json.loads(first)
    except (ValueError, RecursionError):
        row = None
    if isinstance(row, dict) and "log" not in row:
        return Shape("json", tuple(str(name) for name in row), compressed=compressed)
    if re.match(r'\s*\{\s*"log"\s*:', text):
        return Shape("har", compressed=compressed)
    raise UnreadableError("it is JSON, but neither a row of a log in each line nor a HAR file")


def _inflated(start: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(start, len(start) * MOST_EXPANSION)
    except zlib.error:
        raise UnreadableError("it is not in gzip's format, although it begins like that") from None
    if stream.unconsumed_tail and len(start) > 1024:
        raise UnreadableError(f"it unpacks to more than {MOST_EXPANSION} times its size, which no log does")
    return text[: 4 * HEAD_BYTES]
