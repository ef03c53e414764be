"""Path patterns for file systems that ignore case.

CloudFront's path patterns and S3's keys are case-sensitive. A folder on macOS or Windows, or an ext4 folder with
`casefold`, is not: `/PRIVATE/x` would read the file that a pattern for `/private/*` protects. For such folders,
patterns must be matched the way the file system compares names.
"""

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

from keyfront.core.paths import normalise
from keyfront.core.resource import wildcard

# HFS+ ignores them: Apple's Technical Note 1150, "Case-Insensitive String Comparison Algorithm".
_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


def usual() -> bool:
    """Return whether this machine's file systems usually ignore case."""
    return sys.platform in ("darwin", "win32", "cygwin")


@lru_cache(maxsize=1024)
def folded_matcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that checks whether a normalised path, without its first slash, matches `pattern`.

    Case is ignored.
    """
    matches = wildcard(_folded(normalise("/" + pattern.removeprefix("/"))[1:])).fullmatch
    return lambda relative: matches(_folded(relative)) is not None


def _folded(path: str) -> str:
    """Return the same text for all names that some file system treats as the same."""
    text = _IGNORED.sub("", unicodedata.normalize("NFD", unquote(path)))
    return unicodedata.normalize("NFD", text.casefold())
