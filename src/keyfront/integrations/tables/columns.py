# mypy: disable-error-code="import-untyped"
"""A record batch's columns as Python values: texts and times."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Literal

import pyarrow as pa
import pyarrow.types as kinds

from keyfront.core.policy import Moment
from keyfront.errors import InputError, PolicyError

_TIMES: Final = "give a timestamp with a time zone, seconds since the epoch, or text such as 2030-01-01T00:00:00Z"


def position(schema: pa.Schema, name: str) -> int:
    """Return the position of the column `name`. Raises `InputError` if there is not exactly one."""
    found = schema.get_all_field_indices(name)
    if not found:
        shown = ", ".join(map(repr, schema.names[:20])) + (", …" if len(schema.names) > 20 else "")
        raise InputError(f"there is no column {name!r}: the table has {shown or 'no columns'}")
    if len(found) > 1:
        raise InputError(f"the table has {len(found)} columns named {name!r}: rename all but one")
    return int(found[0])


def is_text(kind: pa.DataType) -> bool:
    """Return whether a column of this type can contain text."""
    if kinds.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(
        kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind) or kinds.is_null(kind)
    )


def texts(
    column: pa.Array, errors: Literal["surrogateescape", "backslashreplace"] = "surrogateescape"
) -> list[str | None]:
    """Return a text column's values. Bytes that are not UTF-8 (Parquet does not check) are decoded with `errors`."""
    try:
        values: list[str | None] = column.to_pylist()
    except UnicodeDecodeError:
        plain = column.dictionary_decode() if kinds.is_dictionary(column.type) else column
        raw = plain.cast(pa.large_binary())
        values = [None if each is None else each.decode("utf-8", errors) for each in raw.to_pylist()]
    return values


def text_column(values: Sequence[str | None]) -> pa.Array:
    """Return a text column. Not by `pyarrow.array`, which loads pandas (40 MB in each process) if it is installed."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def check_text(schema: pa.Schema, name: str) -> None:
    """Raise `InputError` unless the column `name` contains text."""
    kind = schema.field(position(schema, name)).type
    if not is_text(kind):
        raise InputError(f"the column {name!r} holds {kind}: it must hold text")


def check_moments(schema: pa.Schema, name: str) -> None:
    """Raise `InputError` unless the column `name` can contain expiry times."""
    kind = schema.field(position(schema, name)).type
    if kinds.is_timestamp(kind) and kind.tz is None:
        raise InputError(f"the column {name!r} holds times without a time zone: {_TIMES}")
    if not (is_text(kind) or kinds.is_timestamp(kind) or kinds.is_integer(kind) or kinds.is_floating(kind)):
        raise InputError(f"the column {name!r} holds {kind}, which is not a time: {_TIMES}")


def moments(column: pa.Array) -> tuple[Sequence[object], Callable[[object], Moment | None]]:
    """Return a column's values, and a function that turns a value into a time (it may raise `PolicyError`)."""
    if is_text(column.type):
        return texts(column), _moment
    if kinds.is_timestamp(column.type):
        column = column.cast(pa.timestamp("s", column.type.tz), safe=False).cast(pa.int64())
    return column.to_pylist(), _number


def _number(value: object) -> Moment | None:
    assert value is None or isinstance(value, int | float)
    return value


def _moment(value: object) -> Moment | None:
    text = "" if value is None else str(value).strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= 20:
        return int(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise PolicyError(f"expires is {text[:60]!a}, which is not a time: {_TIMES}") from None
