"""File systems that take `/PRIVATE/x` for `/private/x`, behind a check that does not.

CloudFront's path patterns count case, and S3's keys do. A folder on macOS or Windows, or an ext4 folder with
`casefold`, does not: what a pattern protects could be read by another spelling. Then patterns have to be matched as
such a file system compares names.
"""

import os
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from keyfront.core.paths import normalise
from keyfront.core.resource import wildcard
from keyfront.errors import InputError

MOST_FOLDERS: Final = 10_000
"""How many folders are looked into; case may count in one and not in the next."""
# HFS+ passes over them: Apple's Technical Note 1150, "Case-Insensitive String Comparison Algorithm".
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


def usual() -> bool:
    """Whether this machine's file systems usually ignore case."""
    return sys.platform in ("darwin", "win32", "cygwin")


@lru_cache(maxsize=1024)
def folded_matcher(pattern: str) -> Callable[[str], bool]:
    """What tells whether a normalised path, without its first slash, is in `pattern` when case does not count."""
    matches = wildcard(_folded(normalise("/" + pattern.removeprefix("/"))[1:])).fullmatch
    return lambda relative: matches(_folded(relative)) is not None


def is_ignored_in(root: Path) -> bool:
    """Whether case is ignored in `root` or in any folder below it; also true where that cannot be seen.

    It cannot where no name in `root` has a letter, and beyond 10,000 folders. Raises `InputError` for a folder that
    cannot be read.
    """
    for number, (folder, names) in enumerate(_folders(root)):
        ignored = _is_ignored(folder, names)
        if ignored or number >= MOST_FOLDERS or (ignored is None and number == 0):
            return True
    return False


def _folders(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder from `root` on, with the names in it."""

    def fail(error: OSError) -> None:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}): give the folder that is served")

    for folder, folders, files in os.walk(root, onerror=fail):
        yield Path(folder), [*folders, *files]


def _is_ignored(folder: Path, names: list[str]) -> bool | None:
    """Whether case is ignored in this folder; `None` when its names do not show it."""
    there = set(names)
    for name in names:
        other = name.swapcase()
        if other != name and other not in there:
            return os.path.lexists(folder / other)
    return None


def _folded(path: str) -> str:
    """Names that some file system takes for the same give the same text."""
    text = _IGNORED.sub("", unicodedata.normalize("NFD", unquote(path)))
    return unicodedata.normalize("NFD", text.casefold())
