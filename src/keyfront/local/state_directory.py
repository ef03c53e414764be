"""The folder of `keyfront up --state DIR`: checks its owner, and lets only one process use it."""

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
    """A folder that only this process uses, until `close` or the end of the process."""

    def __init__(self, path: Path) -> None:
        """Create the folder if it is missing, readable only by its owner, and lock it.

        Raises `InputError` if it is not a folder, if another process uses it, or if it or a file in it belongs to
        another user or can be written by others (keyfront trusts its content).
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
                f"another keyfront up (process {user}) keeps its state in {path}: stop it, or use another folder"
            ) from None
        # On a full disk the process id is not written. Later writes report the full disk.
        with suppress(OSError):
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    @property
    def journal(self) -> Path:
        """The file with CloudFront's state."""
        return self.path / "cloudfront.db"

    @property
    def services(self) -> Path:
        """The folder with the state of the other services."""
        return self.path / "services"

    def ports(self) -> dict[str, int]:
        """Return the HTTPS port of each distribution, by its id. Raises `InputError` if the file is damaged."""
        file = self.path / _PORTS
        try:
            known = json.loads(file.read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            known = None
        if not isinstance(known, dict) or not all(isinstance(port, int) for port in known.values()):
            raise InputError(f"{file} does not contain ports: move it away, and every distribution gets a new port")
        return known

    def keep_ports(self, ports: Mapping[str, int]) -> None:
        """Save these ports, safe from a crash. Raises `ServiceError` if the disk cannot be written."""
        try:
            write_atomically(self.path / _PORTS, [json.dumps(ports).encode()])
        except OSError as error:
            raise ServiceError(
                f"the port of a distribution cannot be saved in {self.path / _PORTS}: {error.strerror}"
            ) from None

    def close(self) -> None:
        """Unlock the folder."""
        os.close(self._lock)


def write_atomically(path: Path, content: "list[bytes | memoryview]") -> None:
    """Replace the file (mode 0600), on disk, with all of this content or not at all. Raises `OSError`."""
    temporary = path.with_name(f".{path.name}.new")
    write_durably(temporary, content)
    temporary.replace(path)
    sync_directory(path.parent)


def write_durably(path: Path, content: "Iterable[bytes | memoryview]") -> None:
    """Write the file (mode 0600) with this content, on disk. If it raises `OSError`, the file does not exist."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        for part in content:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except BaseException:
        # Half a file would take space that the next try needs.
        with suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(descriptor)


def sync_directory(path: Path) -> None:
    """Write the names in a folder to disk. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
