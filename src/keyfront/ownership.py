"""Which files and folders of ours are believed: those that this user owns, and that nobody else may write to.

What keyfront wrote earlier (an authority, keys, a state) decides what is trusted today. In a folder of another user's,
or in one that others may write to, anybody may have put it there.
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
    """`folder`, which is made (mode 0700, whatever the umask) if it is missing, with everything in it checked.

    Raises `InputError` for a folder that cannot be made, and for all that `check_below` refuses.
    """
    try:
        _make(folder)
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        check_below(folder)
    except OSError as error:
        raise InputError(f"nothing can be kept in {folder}: {error.strerror}; name another directory") from None
    return folder


def check_below(folder: Path) -> None:
    """`InputError` unless `folder`, everything in it, and what links there lead to may be believed.

    A file that another process takes away meanwhile is passed over. Raises `OSError` where nothing can be read.
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
    """`InputError` unless this user owns `path`, and nobody else may write to it."""
    if sys.platform == "win32":  # which has no such owners and modes
        return
    if status.st_uid != os.geteuid():
        raise InputError(
            f"{path} belongs to another user, {_name(status.st_uid)}: what is kept there cannot be trusted. "
            "Move it away, or name another place"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise InputError(
            f"others than its owner, {_name(status.st_uid)}, may write to {path}: what is kept there cannot be "
            f"trusted. If all of it is yours, run chmod -R go-w {path}"
        )


def check_secret(path: Path) -> None:
    """`InputError` where others than this user may read or change the file. Raises `OSError` without one."""
    status = path.stat()
    check_owner(path, status)
    if sys.platform != "win32" and (mode := stat.S_IMODE(status.st_mode)) & 0o077:
        raise InputError(
            f"{path} has mode {mode:04o}, so that others than its owner, {_name(status.st_uid)}, may read this key: "
            f"run chmod 600 {path}, or delete it, and a new one is made"
        )


def _make(folder: Path) -> None:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        try:
            each.mkdir(mode=_PRIVATE)
        except FileExistsError:
            continue
        each.chmod(_PRIVATE)  # a umask can take away what the owner needs, too


def _status(path: Path) -> os.stat_result | None:
    """Of what `path` leads to; `None` when there is nothing (any more)."""
    try:
        if stat.S_ISLNK(path.lstat().st_mode):
            _check_links(path)
        return path.stat()
    except FileNotFoundError:
        return None


def _check_links(path: Path) -> None:
    """`InputError` when another user made one of the links over which `path` leads. Raises `OSError`.

    Those of the system's (`/var/run`) are root's.
    """
    if sys.platform == "win32":
        return
    path.stat()  # `OSError` for a link that leads nowhere, or to itself
    absolute = path.absolute()
    for part in (*reversed(absolute.parents), absolute):
        status = part.lstat()
        if not stat.S_ISLNK(status.st_mode):
            continue
        target = part.parent / part.readlink()
        if status.st_uid not in (os.geteuid(), _ROOT):
            raise InputError(
                f"{part} is a link to {target} that another user made, {_name(status.st_uid)}: what is kept there "
                "cannot be trusted. Delete the link, or name another place"
            )
        _check_links(target)


def _name(user: int) -> str:
    """A user as a person knows them."""
    if sys.platform == "win32":
        return str(user)
    import pwd

    try:
        return f"{pwd.getpwuid(user).pw_name} (uid {user})"
    except KeyError:
        return f"uid {user}"
