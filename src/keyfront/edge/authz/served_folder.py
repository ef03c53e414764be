"""Whether the folder that a front door serves ignores case: read from its file system."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from keyfront.errors import InputError

MOST_FOLDERS: Final = 10_000
"""How many folders are read. Case may count in one and not in the next."""


def ignores_case(root: Path) -> bool:
    """Whether case is ignored in `root` or in any folder below it; also true where that cannot be seen.

    It cannot where no name in `root` has a letter, and beyond 10,000 folders. Raises `InputError` for a folder that
    cannot be read.
    """
    for number, (folder, names) in enumerate(_folders(root)):
        ignored = _ignores_case(folder, names)
        if ignored or number >= MOST_FOLDERS or (ignored is None and number == 0):
            return True
    return False


def _folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder from `root` on, with the names in it."""

    def fail(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}): give the folder that is served")

    for folder, folders, files in os.walk(root, onerror=fail):
        yield Path(folder), [*folders, *files]


def _ignores_case(folder: Path, names: list[str]) -> bool | None:
    """Whether case is ignored in this folder; `None` when its names do not show it."""
    there = set(names)
    for name in names:
        other = name.swapcase()
        if other != name and other not in there:
            return os.path.lexists(folder / other)
    return None
