# mypy: disable-error-code="import-untyped"
"""The formats of a table in a file, by the file's name."""

from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
import pyarrow.types as kinds

from keyfront.errors import InputError

Format = Literal["csv", "tsv", "parquet", "arrow", "arrows"]
"""`arrow` is Arrow's IPC file (Feather 2 is the same), `arrows` its stream."""

DELIMITERS: Final[dict[str, str]] = {"csv": ",", "tsv": "\t"}
_BY_SUFFIX: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".arrows": "arrows",
}


def format_of(path: Path, told: Format | None) -> Format:
    """Return the format of the file at `path`: by its name, or else `told`. Raises `InputError` without either."""
    found = _BY_SUFFIX.get(path.suffix.lower(), told)
    if found is None:
        raise InputError(
            f"{path} does not say by its name what it is ({', '.join(_BY_SUFFIX)}): say it with --format csv, tsv, "
            "parquet, arrow or arrows"
        )
    return found


def check_writable(schema: pa.Schema, kind: Format) -> None:
    """Raise `InputError` for a column that this format cannot hold: lists and bytes do not fit CSV."""
    if kind not in DELIMITERS:
        return
    for field in schema:
        plain = field.type.value_type if kinds.is_dictionary(field.type) else field.type
        if kinds.is_nested(plain) or kinds.is_binary(plain) or kinds.is_large_binary(plain) or not _has_text(plain):
            raise InputError(
                f"the column {field.name!r} holds {field.type}, which has no form in {kind.upper()}: write Parquet or "
                "Arrow, or leave the column out"
            )


def _has_text(kind: pa.DataType) -> bool:
    try:
        pa.array([], kind).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True
