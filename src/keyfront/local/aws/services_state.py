"""Saves moto's state to disk soon after each change, and restores it at the next start.

The state of all services is one file, which is rewritten and replaced as a whole (`snapshot`). Large objects have
their own files (`object_files`). Requests wait while the state is read (`snapshot_lock`), so the file is consistent.
Another thread then writes it to disk.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from keyfront.errors import InputError, KeyfrontError, ServiceError
from keyfront.local.aws import snapshot
from keyfront.local.aws.object_files import ObjectFiles
from keyfront.local.aws.snapshot import Snapshot
from keyfront.local.aws.snapshot_lock import SnapshotLock
from keyfront.ownership import own_folder

if TYPE_CHECKING:
    from moto.s3.models import FakeKey

_log = logging.getLogger(__name__)

_PAUSE_SECONDS: Final = 1.0
"""The time between two reads of the state."""
_SETTLE_SECONDS: Final = 0.1
"""The time from a change to the read, because changes come in bursts."""
_QUIET_SECONDS: Final = 0.25
"""How long a read waits for running requests. A longer request waits for something itself, and changes nothing."""
_TRIES: Final = 10
"""A background job of moto may change the state during a read. After so many failures in a row, something is wrong."""
_SPARE_BYTES: Final = 64 * 1024
"""Extra space for a change: moto's data about it, and the file system's overhead."""


class ServicesState:
    """The saved state of moto's services, in a folder, from `load` to `close`."""

    def __init__(self, directory: Path) -> None:
        """Create the folder if it is missing. Raises `InputError` if the folder or a file in it cannot be used."""
        self._directory = directory
        own_folder(directory)
        own_folder(directory / "contents")
        self._file, self._contents = directory / "state", ObjectFiles(directory / "contents")
        self._kept: Snapshot | None = snapshot.read(self._file)
        self._written = ""
        self._names: WeakKeyDictionary[FakeKey, str] = WeakKeyDictionary()
        """The file names of large objects' contents on disk. An object's content never changes."""
        self._left_out: set[str] = set()
        self._snapshot_lock = SnapshotLock()
        self._lock = threading.Lock()
        """Guards the attributes below."""
        self._size = self._kept.size if self._kept else 0
        """The size of the file in bytes. The next file is written beside it and needs as much space."""
        self._owed = 0
        """Bytes from requests that are not on disk yet."""
        self._failure: str | None = None
        """Why the last write failed."""
        self._refusing = False
        self._changed, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="keyfront-state", daemon=True)

    def load(self) -> None:
        """Load moto, restore the saved state, and save changes from now on.

        Call it once, before any request. Raises `InputError` if something cannot be restored.
        """
        if self._kept is not None:
            self._restore(self._kept)
            self._kept = None
        self._thread.start()

    def admit(self, size: int) -> None:
        """Accept a change of `size` bytes. Raises `ServiceError` if it cannot be saved now. A later one may succeed."""
        with self._lock:
            missing = self._failure or self._missing(0)
            self._turn(missing)
            missing = missing or self._missing(size)
            if missing is None:
                self._owed += size
        if missing is not None:
            raise ServiceError(f"The change was not made: it cannot be kept in {self._directory}: {missing}.")

    @contextmanager
    def request(self, *, changes: bool) -> Iterator[None]:
        """Wrap a request to moto. `changes`: whether it may change something."""
        with self._snapshot_lock.shared():
            try:
                yield
            finally:
                if changes:
                    self._changed.set()

    def close(self) -> None:
        """Save the last changes, and stop. Blocks. Raises `KeyfrontError` if they cannot be saved."""
        if not self._thread.is_alive():
            return
        self._stopping.set()
        self._changed.set()
        self._thread.join()
        for _ in range(_TRIES):
            try:
                self._write()
            except Exception as error:  # noqa: BLE001  moto's objects can fail in any way
                why = error
                time.sleep(_SETTLE_SECONDS)
            else:
                return
        raise KeyfrontError(f"the last changes could not be written to {self._file}: {why}")

    def _restore(self, kept: Snapshot) -> None:
        from keyfront.local.aws import pickling

        try:
            keys = pickling.load(kept.pickled)
        except Exception as error:  # noqa: BLE001  the code in it can fail in any way
            _log.debug("the state cannot be restored", exc_info=True)
            raise InputError(
                f"{self._file} cannot be restored ({type(error).__name__}: {error}): move {self._directory} away, "
                "and the services start empty; CloudFront's state stays"
            ) from None
        for key, name in zip(keys, kept.contents, strict=True):
            key.contentsize = self._contents.copy(name, key._value_buffer)
            self._names[key] = name
        # The same objects give other bytes after their first way through pickle. Without a change, nothing is written.
        self._written = Snapshot(self._look()[0]).digest

    def _missing(self, size: int) -> str | None:
        """Return why the state with `size` more bytes cannot be written, as far as is known, or `None`."""
        try:
            disk = os.statvfs(self._directory)
        except OSError as error:
            return error.strerror
        if disk.f_flag & os.ST_RDONLY:
            return "the file system is read-only"
        room = (disk.f_bfree if os.geteuid() == 0 else disk.f_bavail) * disk.f_frsize
        needed = self._size + self._owed + size + _SPARE_BYTES
        if disk.f_blocks and room < needed:
            return f"the disk has {room} bytes left, and {needed} are needed"
        return None

    def _turn(self, missing: str | None) -> None:
        """Set whether changes are refused, and log it if that is new. Call it with the lock held."""
        if missing is not None and not self._refusing:
            _log.error("the state cannot be written to %s: %s; changes are refused until it can", self._file, missing)
        if missing is None and self._refusing:
            _log.warning("the state is kept in %s again: changes are accepted", self._file)
        self._refusing = missing is not None

    def _fail(self, why: str | None) -> None:
        with self._lock:
            self._failure = why
            self._turn(why or self._missing(0))

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._changed.wait()
            if self._stopping.wait(_SETTLE_SECONDS):
                return
            self._changed.clear()
            began = time.monotonic()
            try:
                self._write()
            except Exception as error:  # noqa: BLE001  whatever it is, the next write may succeed
                self._changed.set()
                failures += 1
                if failures >= (_TRIES if type(error) is RuntimeError else 1):
                    self._fail((isinstance(error, OSError) and error.strerror) or f"{type(error).__name__}: {error}")
            else:
                self._fail(None)
                failures = 0
            took = time.monotonic() - began
            # However long it takes, requests get half of the time.
            self._stopping.wait(max(_PAUSE_SECONDS - took - _SETTLE_SECONDS, took))

    def _write(self) -> None:
        """Write the state if it has changed. Raises `RuntimeError` if it changes during the read, and `OSError`."""
        from keyfront.local.aws import pickling

        with ExitStack() as sources:
            there = self._contents.names()
            with self._snapshot_lock.exclusive(_QUIET_SECONDS):
                owed = self._owed
                pickled, large = self._look()
                missing = [key for key in large if self._names.get(key) not in there]
                new = {key: sources.enter_context(pickling.source(key)) for key in missing}
            if Snapshot(pickled).digest == self._written and not new and self._file.exists():
                self._settle(owed, self._size)
                return
            for key, content in new.items():
                self._names[key] = self._contents.put(content)
        if new:
            self._contents.settle()
        now = Snapshot(pickled, tuple(self._names[key] for key in large))
        snapshot.write(self._file, now)
        self._written = now.digest
        self._settle(owed, now.size)
        self._contents.drop_all_but(set(now.contents))

    def _settle(self, owed: int, size: int) -> None:
        with self._lock:
            self._owed -= owed
            self._size = size

    def _look(self) -> "tuple[bytes, list[FakeKey]]":
        """Read the state. A service with objects that cannot be pickled is left out, and the others are saved."""
        from keyfront.local.aws import pickling

        names = pickling.services().keys() - self._left_out
        try:
            return pickling.dump(names)
        except RuntimeError:
            raise
        except Exception:  # noqa: BLE001  moto's objects can fail in any way
            for name in sorted(names):
                if why := _unwritable(name):
                    self._left_out.add(name)
                    _log.warning("the state of %s is not kept: %s", name, why)
        return pickling.dump(names - self._left_out)


def _unwritable(name: str) -> str | None:
    from keyfront.local.aws import pickling

    try:
        pickling.dump({name})
    except RuntimeError:
        raise
    except Exception as error:  # noqa: BLE001  as above
        return f"{type(error).__name__}: {error}"
    return None
