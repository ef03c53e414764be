# mypy: disable-error-code="import-untyped"
"""The file formats of tables, found by the file's name."""

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
    """Return the format of the file at `path`, from its name or else from `told`. Raises `InputError` without both."""
    found = _BY_SUFFIX.get(path.suffix.lower(), told)
    if found is None:
        raise InputError(
            f"the name {path} does not show its format ({', '.join(_BY_SUFFIX)}): give --format csv, tsv, parquet, "
            "arrow or arrows"
        )
    return found


def check_writable(schema: pa.Schema, kind: Format) -> None:
    """Raise `InputError` for a column that this format cannot store, such as lists and bytes in CSV."""
    if kind not in DELIMITERS:
        return
    for field in schema:
        plain = field.type.value_type if kinds.is_dictionary(field.type) else field.type
        if kinds.is_nested(plain) or kinds.is_binary(plain) or kinds.is_large_binary(plain) or not _has_text(plain):
            raise InputError(
                f"the column {field.name!r} holds {field.type}, which {kind.upper()} cannot store: write Parquet or "
                "Arrow, or leave the column out"
            )


def _has_text(kind: pa.DataType) -> bool:
    try:
        pa.array([], kind).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True
