"""File systems that take `/PRIVATE/x` for `/private/x`, behind a check that does not.

CloudFront's path patterns count case, and S3's keys do. A folder on macOS or Windows, or an ext4 folder with
`casefold`, does not: what a pattern protects could be read by another spelling. Then patterns have to be matched as
such a file system compares names.
"""

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote

from keyfront.core.paths import normalise
from keyfront.core.resource import wildcard

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


def _folded(path: str) -> str:
    """Names that some file system takes for the same give the same text."""
    text = _IGNORED.sub("", unicodedata.normalize("NFD", unquote(path)))
    return unicodedata.normalize("NFD", text.casefold())
