"""Finds out whether the folder that a front door serves ignores case."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keyfront.errors import InputError

MOST_FOLDERS: Final = 10_000
"""How many folders are read. Each folder may treat case in its own way."""


def ignores_case(root: Path) -> bool:
    """Return whether `root` or any folder below it ignores case; also true if that cannot be found out.

    It cannot if no name in `root` has a letter, or if there are more than 10,000 folders. Raises `InputError` for a
    folder that cannot be read.
    """
    for number, (folder, names) in enumerate(_folders(root)):
        ignored = _ignores_case(folder, names)
        if ignored or number >= MOST_FOLDERS or (ignored is None and number == 0):
            return True
    return False


def _folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield `root` and every folder below it, each with its names."""

    def fail(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}): give the folder that is served")

    for folder, folders, files in os.walk(root, onerror=fail):
        yield Path(folder), [*folders, *files]


def _ignores_case(folder: Path, names: list[str]) -> bool | None:
    """Return whether this folder ignores case, or `None` if its names do not show it."""
    there = set(names)
    for name in names:
        other = name.swapcase()
        if other != name and other not in there:
            return os.path.lexists(folder / other)
    return None
