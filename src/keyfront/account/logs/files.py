"""Finds the files of a log in a folder, and leaves out those that cannot hold a wanted request, by their names."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final

from keyfront.account.logs.values import LogFile, Window
from keyfront.errors import InputError

_IN_NAME: Final = re.compile(r"(?:^|\.)(\d{4})-(\d{2})-(\d{2})-(\d{2})\.")
"""Standard logging: `DISTRIBUTION.YYYY-MM-DD-HH.UNIQUE.gz`, also where v2 writes into folders."""
_HIVE: Final = re.compile(r"(?:^|/)year=(\d{4})/month=(\d{1,2})(?:/day=(\d{1,2}))?(?:/hour=(\d{1,2}))?(?:/|$)")
_FOLDERS: Final = re.compile(r"(?:^|/)(20\d{2})/(\d{2})/(\d{2})(?:/(\d{2}))?/")
_MONTH: Final = 31 * 86400


def find(source: Path, window: Window) -> tuple[list[LogFile], int]:
    """Return the files in `source` (a file, or a folder with all folders below), and how many were left out.

    Raises `InputError` if `source` does not exist or cannot be read.
    """
    if source.is_file():
        return [LogFile(source, str(source), source.stat().st_size)], 0
    if not source.is_dir():
        raise InputError(f"{str(source)!r} is neither a file nor a folder: name access logs, or s3://BUCKET/PREFIX")
    found, left_out = [], 0
    try:
        for path in sorted(each for each in source.rglob("*") if each.is_file() and not each.name.startswith(".")):
            relative = path.relative_to(source).as_posix()
            if wanted(relative, window):
                found.append(LogFile(path, relative, path.stat().st_size))
            else:
                left_out += 1
    except OSError as error:
        raise InputError(f"{str(source)!r} cannot be read: {error.strerror}") from None
    return found, left_out


def wanted(name: str, window: Window) -> bool:
    """Return whether the file with this name or key may hold a wanted request."""
    base = PurePosixPath(name).name
    if found := _IN_NAME.search(base):
        return window.may_hold(_seconds(found.groups()), 3600, delivered=False)
    if found := _HIVE.search(name) or _FOLDERS.search(name):
        groups = found.groups()
        length = 3600 if groups[3] else 86400 if groups[2] else _MONTH
        return window.may_hold(_seconds(groups), length, delivered=True)
    return True


def _seconds(parts: Iterable[str | None]) -> int | None:
    """Return the epoch second of year, month, day and hour; `None` if there is no such time."""
    year, month, day, hour = (None if part is None else int(part) for part in parts)
    try:
        return int(datetime(year or 1970, month or 1, day or 1, hour or 0, tzinfo=UTC).timestamp())
    except ValueError:
        return None
