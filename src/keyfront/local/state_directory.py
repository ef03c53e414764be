"""The directory that `keyfront up --state DIR` keeps everything in: whose it is, and that one process uses it."""

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from keyfront.errors import InputError, ServiceError
from keyfront.ownership import own_folder

_LOCK: Final = "lock"
_PORTS: Final = "ports.json"


class StateDirectory:
    """A directory that is ours alone, from the moment it is made until `close`, or until the process ends."""

    def __init__(self, path: Path) -> None:
        """Make the directory if it is missing, for its owner alone, and lock it.

        Raises `InputError`: no directory, one that is another user's or that others may write to, or with anything in
        it that is (what is there is trusted), one that another process uses.
        """
        self.path = path
        own_folder(path)
        try:
            self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise InputError(f"the state cannot be kept in {path}: {error.strerror} ({error.filename})") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            user = os.read(self._lock, 20).decode(errors="replace").strip() or "unknown"
            os.close(self._lock)
            raise InputError(
                f"another keyfront up (process {user}) keeps its state in {path}: stop it, or name another directory"
            ) from None
        # On a full disk the others are not told which process it is. What can be done there is for others to say.
        with suppress(OSError):
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    @property
    def journal(self) -> Path:
        """The file of CloudFront's part."""
        return self.path / "cloudfront.db"

    @property
    def services(self) -> Path:
        """The directory of the other services' part."""
        return self.path / "services"

    def ports(self) -> dict[str, int]:
        """The HTTPS port that each distribution had, by its id. `InputError` when the file says something else."""
        file = self.path / _PORTS
        try:
            known = json.loads(file.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            known = None
        if not isinstance(known, dict) or not all(isinstance(port, int) for port in known.values()):
            raise InputError(f"{file} holds no ports: move it away, and every distribution gets a new one")
        return known

    def keep_ports(self, ports: Mapping[str, int]) -> None:
        """Let `ports` give these from now on, also after a crash. `ServiceError` when the disk does not take it."""
        try:
            write_atomically(self.path / _PORTS, [json.dumps(ports).encode()])
        except OSError as error:
            raise ServiceError(
                f"the port of a distribution cannot be kept in {self.path / _PORTS}: {error.strerror}"
            ) from None

    def close(self) -> None:
        """Let another process have the directory."""
        os.close(self._lock)


def write_atomically(path: Path, content: "list[bytes | memoryview]") -> None:
    """Let the file (mode 0600) have this content, all of it and on the disk, or stay as it is. Raises `OSError`."""
    temporary = path.with_name(f".{path.name}.new")
    write_durably(temporary, content)
    temporary.replace(path)
    sync_directory(path.parent)


def write_durably(path: Path, content: "Iterable[bytes | memoryview]") -> None:
    """Make the file (mode 0600) anew with this content, on the disk. Raises `OSError`; then there is no such file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        for part in content:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except BaseException:
        # Half of a file takes room that the next try needs.
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Let the names in a directory be on the disk. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
