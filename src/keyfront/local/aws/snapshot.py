"""The file of moto's state: a line of JSON with the versions that wrote it, then the pickled state.

The pickle is read only if this user owns the file, only this user may write to it, and the same moto wrote it.
"""

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from keyfront.errors import InputError
from keyfront.local.state_directory import write_atomically
from keyfront.ownership import check_owner

FORMAT: Final = 1
"""The format of the file and of our classes in it. A version of keyfront reads only its own format."""


@dataclass(frozen=True)
class Snapshot:
    """The bytes from `pickling.dump`, and the file names of the large objects' contents, in the same order."""

    pickled: bytes
    contents: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The SHA-256 of the pickled state."""
        return hashlib.sha256(self.pickled).hexdigest()

    @property
    def size(self) -> int:
        """The size of its file in bytes, without the first line."""
        return len(self.pickled)


def write(path: Path, snapshot: Snapshot) -> None:
    """Replace the file with this snapshot, safe from a crash on return. Raises `OSError`."""
    header = {**_writer(), "sha256": snapshot.digest, "contents": snapshot.contents}
    write_atomically(path, [json.dumps(header).encode() + b"\n", snapshot.pickled])


def read(path: Path) -> Snapshot | None:
    """Return the snapshot, or `None` if there is no file. Raises `InputError` if it is damaged or not readable here."""
    try:
        with path.open("rb") as file:
            check_owner(path, os.fstat(file.fileno()))
            line, pickled = file.readline(), file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    try:
        header = json.loads(line)
        snapshot = Snapshot(pickled, tuple(header["contents"]))
        written = {name: str(header[name]) for name in _writer()}
        damaged = header["sha256"] != snapshot.digest
    except (ValueError, KeyError, TypeError):
        damaged = True
    if damaged:
        raise InputError(f"{path} is damaged: restore it from a backup, or move {path.parent} away: {_ANEW}")
    _check_writer(path, written)
    return snapshot


_ANEW: Final = "then the services start empty, and CloudFront's state stays"


def _writer() -> dict[str, str]:
    return {
        "format": str(FORMAT),
        "keyfront": version("keyfront"),
        "moto": version("moto"),
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


def _check_writer(path: Path, written: dict[str, str]) -> None:
    ours = _writer()
    for name, program in (("moto", "moto"), ("python", "Python"), ("format", "keyfront")):
        if written[name] != ours[name]:
            what, there = (program, written[name]) if name != "format" else ("keyfront", written["keyfront"])
            raise InputError(
                f"{path} was written with {what} {there}, and this is {what} {ours[what.lower()]}, which cannot read "
                f"it: use {what} {there}, or move {path.parent} away: {_ANEW}"
            )
