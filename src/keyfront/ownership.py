"""Checks that only this user could have written keyfront's files and folders.

Files that keyfront wrote earlier (an authority, keys, a state) decide what it trusts today. If another user owns the
folder or may write to it, that user may have put them there.
"""

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Final

from keyfront.errors import InputError

_PRIVATE: Final = 0o700
_ROOT: Final = 0


def own_folder(folder: Path) -> Path:
    """Return `folder` after checking everything in it. Make it (mode 0700, whatever the umask) if it is missing.

    Raises `InputError` if it cannot be made, and as `check_below` does.
    """
    try:
        _make(folder)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        check_below(folder)
    except OSError as error:
        raise InputError(f"cannot use {folder}: {error.strerror}; name another directory") from None
    return folder


def check_below(folder: Path) -> None:
    """Raise `InputError` unless `folder`, everything in it, and the targets of links there can be trusted.

    Skips a file that another process deletes meanwhile. Raises `OSError` if something cannot be read.
    """
    _check_links(folder)
    seen, waiting = set[tuple[int, int]](), [folder]
    while waiting:
        path = waiting.pop()
        status = _status(path)
        if status is None or (status.st_dev, status.st_ino) in seen:
            continue
        check_owner(path, status)
        if stat.S_ISDIR(status.st_mode):
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(path) as entries:
                waiting.extend(Path(entry.path) for entry in entries)


def check_owner(path: Path, status: os.stat_result) -> None:
    """Raise `InputError` unless this user owns `path` and no other user may write to it."""
    if sys.platform == "win32":  # Windows has no such owners and modes
        return
    if status.st_uid != os.geteuid():
        raise InputError(
            f"{path} belongs to another user, {_name(status.st_uid)}: its content cannot be trusted. "
            "Move it away, or name another directory"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(
            f"users other than its owner, {_name(status.st_uid)}, may write to {path}: its content cannot be "
            f"trusted. If all of it is yours, run chmod -R go-w {path}"
        )


def check_secret(path: Path) -> None:
    """Raise `InputError` if other users may read or change the file, and `OSError` if there is no file."""
    status = path.stat()
    check_owner(path, status)
    if sys.platform != "win32" and (mode := stat.S_IMODE(status.st_mode)) & 0o077:
        raise InputError(
            f"{path} has mode {mode:04o}, so users other than its owner, {_name(status.st_uid)}, may read this key. "
            f"Run chmod 600 {path}, or delete it, and a new one is made"
        )


def _make(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        try:
            each.mkdir(mode=_PRIVATE)
        except FileExistsError:
            continue
        each.chmod(_PRIVATE)  # a umask can also remove the owner's own permissions


def _status(path: Path) -> os.stat_result | None:
    """Return the status of the file that `path` leads to; `None` if it does not exist (any more)."""
    try:
        if stat.S_ISLNK(path.lstat().st_mode):
            _check_links(path)
        return path.stat()
    except FileNotFoundError:
        return None


def _check_links(path: Path) -> None:
    """Raise `InputError` if another user made one of the links on the way to `path`. Raises `OSError`.

    Links of the system, such as `/var/run`, belong to root and are allowed.
    """
    if sys.platform == "win32":
        return
    path.stat()  # `OSError` for a broken link, or one that leads to itself
    absolute = path.absolute()
    for part in (*reversed(absolute.parents), absolute):
        status = part.lstat()
        if not stat.S_ISLNK(status.st_mode):
            continue
        target = part.parent / part.readlink()
        if status.st_uid not in (os.geteuid(), _ROOT):
            raise InputError(
                f"{part} is a link to {target}, made by another user, {_name(status.st_uid)}, so its content cannot "
                "be trusted. Delete the link, or name another directory"
            )
        _check_links(target)


def _name(user: int) -> str:
    """Return a user's name and id for a person."""
    if sys.platform == "win32":
        return str(user)
    import pwd

    try:
        return f"{pwd.getpwuid(user).pw_name} (uid {user})"
    except KeyError:
        return f"uid {user}"
