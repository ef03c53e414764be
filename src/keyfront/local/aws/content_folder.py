"""Finds the content files in a folder, and the S3 metadata of each."""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from mimetypes import MimeTypes
from pathlib import Path
from typing import Final, Self

from keyfront.errors import InputError

_KEY_BYTES: Final = 1024
HIDDEN: Final = "is hidden"
SHOP_FILE: Final = "shop.toml"
"""The file of a folder that describes its shop. It is not content."""
DESCRIBES: Final = "describes the shop"
# XML 1.0 cannot contain these characters: one key with them would make every listing of its bucket unreadable. Lone
# surrogates stand for bytes of a name that are not UTF-8.
_UNWRITABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_UNKNOWN_TYPE: Final = "binary/octet-stream"
_COMPRESSED: Final = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}

# Not every system's list has these types, and a shop for books and music needs them.
_TYPES: Final = MimeTypes()
for _type, _ending in (
    ("application/epub+zip", ".epub"),
    ("application/vnd.amazon.ebook", ".azw3"),
    ("application/x-mobipocket-ebook", ".mobi"),
    ("application/vnd.comicbook+zip", ".cbz"),
    ("audio/mp4", ".m4a"),
    ("audio/mp4", ".m4b"),
    ("audio/flac", ".flac"),
    ("audio/ogg", ".ogg"),
    ("audio/ogg", ".opus"),
    ("video/x-matroska", ".mkv"),
    ("video/webm", ".webm"),
    ("image/webp", ".webp"),
    ("image/avif", ".avif"),
    ("text/markdown", ".md"),
    ("text/vtt", ".vtt"),
    ("application/vnd.apple.mpegurl", ".m3u8"),
    ("font/woff2", ".woff2"),
):
    _TYPES.add_type(_type, _ending)


@dataclass(frozen=True)
class Facts:
    """The S3 metadata of a file. `modified` is an aware datetime in UTC, in whole seconds."""

    size: int
    modified: datetime
    etag: str

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Return the metadata for a file's status.

        The ETag looks like one of a multipart upload, so that no client takes it for the content's MD5.
        """
        identity = f"{status.st_ino} {status.st_size} {status.st_mtime_ns}"
        digest = hashlib.md5(identity.encode(), usedforsecurity=False).hexdigest()
        modified = datetime.fromtimestamp(int(status.st_mtime), UTC)
        return cls(status.st_size, modified, f"{digest}-1")


@dataclass(frozen=True)
class FolderContent:
    """A folder's files by name (`/` between folders), and the files left out, with the reasons."""

    files: dict[str, Path]
    left_out: dict[Path, str]


def root_of(folder: Path) -> Path:
    """Return the folder as an absolute path without symlinks. Raises `InputError` if it cannot be read."""
    try:
        root = folder.resolve(strict=True)
    except (OSError, RuntimeError):
        raise InputError(f"the folder {str(folder)!r} does not exist; name one that exists") from None
    if not root.is_dir():
        raise InputError(f"{str(folder)!r} is not a folder; name the folder that the file is in")
    if not os.access(root, os.R_OK | os.X_OK):
        raise InputError(f"the folder {str(folder)!r} cannot be read by this user")
    return root


def contents(root: Path) -> FolderContent:
    """Return the content files under `root` (from `root_of`); see `_unfit`."""
    files: dict[str, Path] = {}
    left_out: dict[Path, str] = {}
    for path in _walk(root, left_out):
        if reason := _unfit(root, path):
            left_out[path] = reason
        else:
            files[path.relative_to(root).as_posix()] = path
    return FolderContent(files, left_out)


def find(root: Path, name: str) -> Path | None:
    """Return the content file of that name, as in `contents`, without a walk. No name leads out of `root`."""
    parts = name.split("/")
    if not all(parts) or any(part.startswith(".") for part in parts) or "\0" in name:
        return None
    path = root.joinpath(*parts)
    try:
        if os.path.realpath(path.parent) != str(path.parent) or _unfit(root, path):
            return None
    except OSError:
        return None
    return path


def content_type(name: str) -> str:
    """Return the `Content-Type` for a name's ending."""
    kind, encoding = _TYPES.guess_type(name)
    # A compressed file is sent unchanged. With a Content-Encoding, the browser would unpack it.
    return _COMPRESSED.get(encoding, _UNKNOWN_TYPE) if encoding else kind or _UNKNOWN_TYPE


def _walk(root: Path, left_out: dict[Path, str]) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        for name in folders:
            if (here / name).is_symlink():
                left_out[here / name] = "is a link to a folder"
            elif name.startswith("."):
                left_out[here / name] = HIDDEN
        folders[:] = sorted(name for name in folders if here / name not in left_out)
        yield from (here / name for name in sorted(names))


def _unfit(root: Path, path: Path) -> str | None:
    """Return why a file is not content: hidden, a link out of the folder, not a regular file, or unreadable."""
    name = path.relative_to(root).as_posix()
    if path.name.startswith("."):
        return HIDDEN
    if name == SHOP_FILE:
        return DESCRIBES
    if _UNWRITABLE.search(name):
        return "has a name that S3 cannot list"
    if len(name.encode()) > _KEY_BYTES:
        return f"has a name of more than {_KEY_BYTES} bytes"
    if path.is_symlink():
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(root):
            return "is a link that leads out of the folder"
        if any(part.startswith(".") for part in target.relative_to(root).parts):
            return "is a link to a hidden file"
    try:
        mode = path.stat().st_mode
    except OSError:
        return "cannot be read"
    if not stat.S_ISREG(mode):
        return "is not a regular file"
    return None if os.access(path, os.R_OK) else "cannot be read by this user"
