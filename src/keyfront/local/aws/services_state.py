"""moto's part of a kept state: written to the disk soon after each change, and back at the next start.

What every service has is one file, written anew and exchanged as a whole (`snapshot`). Large objects are files of
their own (`object_files`). While the state is looked at no request is let in (`snapshot_lock`), so that the file is
true of one moment. It goes to the disk afterwards, in a thread of its own.
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
"""From one look at the state to the next."""
_SETTLE_SECONDS: Final = 0.1
"""From a change to the look: changes come in bursts."""
_QUIET_SECONDS: Final = 0.25
"""How long a look waits for requests under way. Who takes longer waits for somebody else, and changes nothing."""
_TRIES: Final = 10
"""A background job of moto's may change what is looked at; so often in a row something is wrong."""
_SPARE_BYTES: Final = 64 * 1024
"""Of room beside what a change brings: what moto notes of it, and what file systems need for a file."""


class ServicesState:
    """What moto's services have, in a directory, from `load` to `close`."""

    def __init__(self, directory: Path) -> None:
        """Make the directory if it is missing; `InputError` when it, or what is in it, cannot be used."""
        self._directory = directory
        own_folder(directory)
        own_folder(directory / "contents")
        self._file, self._contents = directory / "state", ObjectFiles(directory / "contents")
        self._kept: Snapshot | None = snapshot.read(self._file)
        self._written = ""
        self._names: WeakKeyDictionary[FakeKey, str] = WeakKeyDictionary()
        """Of the contents of large objects that are on the disk; an object's content never changes."""
        self._left_out: set[str] = set()
        self._snapshot_lock = SnapshotLock()
        self._lock = threading.Lock()
        """Around what follows."""
        self._size = self._kept.size if self._kept else 0
        """Bytes of the file. The next one is written beside it, and needs as much."""
        self._owed = 0
        """Bytes that requests brought, and that are not on the disk yet."""
        self._failure: str | None = None
        """Why the last look could not be written."""
        self._refusing = False
        self._changed, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="keyfront-state", daemon=True)

    def load(self) -> None:
        """Let moto (which is loaded for it) have what was kept, and keep it from now on.

        Call it once, before any request. `InputError` when something cannot be brought back.
        """
        if self._kept is not None:
            self._restore(self._kept)
            self._kept = None
        self._thread.start()

    def admit(self, size: int) -> None:
        """Let somebody bring `size` bytes. `ServiceError` when a change cannot be kept now; the next one may be."""
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
        """Around a request to moto; `changes`: whether it may change something."""
        with self._snapshot_lock.shared():
            try:
                yield
            finally:
                if changes:
                    self._changed.set()

    def close(self) -> None:
        """Write what has changed, and keep no more. Blocks; `KeyfrontError` when that cannot be done."""
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
        except Exception as error:  # noqa: BLE001  what is run there can fail in any way
            _log.debug("the state cannot be brought back", exc_info=True)
            raise InputError(
                f"{self._file} cannot be brought back ({type(error).__name__}: {error}): move {self._directory} away, "
                "and the services begin anew; CloudFront's part stays"
            ) from None
        for key, name in zip(keys, kept.contents, strict=True):
            key.contentsize = self._contents.copy(name, key._value_buffer)
            self._names[key] = name
        self._written = kept.digest

    def _missing(self, size: int) -> str | None:
        """What is in the way of writing the state with `size` bytes more, as far as that can be seen."""
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
        """Note whether changes are refused from now on, and say so in the log when that is new. With the lock held."""
        if missing is not None and not self._refusing:
            _log.error("the state cannot be written to %s: %s; changes are refused until it can", self._file, missing)
        if missing is None and self._refusing:
            _log.warning("the state is kept in %s again: changes are taken", self._file)
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
            except Exception as error:  # noqa: BLE001  whatever it is: the next one may succeed
                self._changed.set()
                failures += 1
                if failures >= (_TRIES if type(error) is RuntimeError else 1):
                    self._fail((isinstance(error, OSError) and error.strerror) or f"{type(error).__name__}: {error}")
            else:
                self._fail(None)
                failures = 0
            took = time.monotonic() - began
            # However long it takes, requests have half of the time.
            self._stopping.wait(max(_PAUSE_SECONDS - took - _SETTLE_SECONDS, took))

    def _write(self) -> None:
        """Write the state, if it is another. `RuntimeError` when it changed under our eyes, `OSError` from the disk."""
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
        """What there is; a service with something that nobody can write down must not cost the others."""
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
                    _log.warning("what moto has in %s is not kept: %s", name, why)
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
