"""The commit that this keyfront was made from, for `keyfront --version`."""

import re
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).parents[1]
_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}")
_SHOWN: Final = 12


def commit(package: Path = _PACKAGE) -> str:
    """Return the first digits of the commit: the one in the package, or the checkout's. Empty if none is known."""
    found = _text(package / "commit.txt") or _of_checkout(package.parents[1])
    return found[:_SHOWN] if _COMMIT.fullmatch(found) else ""


def _of_checkout(root: Path) -> str:
    """Return the commit that a checkout is at, without git."""
    git = root / ".git"
    if not git.is_dir() or not (root / "pyproject.toml").exists():
        return ""
    head = _text(git / "HEAD")
    name = head.removeprefix("ref: ")
    if name == head:
        return head
    packed = re.search(rf"^([0-9a-f]+) {re.escape(name)}$", _text(git / "packed-refs"), re.MULTILINE)
    return _text(git / name) or (packed[1] if packed else "")


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
