"""Stores for bodies, while they arrive and afterwards: memory, or a file on disk."""

import asyncio
import logging
import os
import resource
import tempfile
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from keyfront.errors import InputError
from keyfront.ownership import own_folder

_log = logging.getLogger(__name__)

_CALM_SECONDS: Final = 10.0


class Store(Protocol):
    """Bytes at offsets."""

    async def write(self, offset: int, data: bytes) -> None:
        """Write `data` at `offset`. Raises `OSError` if there is no room."""

    async def read(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to before `end`, all of which were written before."""


class Memory:
    """Bytes in memory. With a `size` they can be written in any order, otherwise one after the other."""

    def __init__(self, size: int = 0) -> None:
        self._bytes = bytearray(size)

    async def write(self, offset: int, data: bytes) -> None:
        """Write `data` at `offset`."""
        self._bytes[offset : offset + len(data)] = data

    async def read(self, start: int, end: int) -> bytes:
        """Return a copy of the bytes from `start` to before `end`."""
        with memoryview(self._bytes) as view:
            return bytes(view[start:end])


class DiskFile:
    """Bytes in a file that exists as long as this object (see `Disk`)."""

    def __init__(self, directory: Path, report: Callable[[Exception | None], None]) -> None:
        """Create the file. `report` is called after each write, with the error or `None`."""
        self._report = report
        self._descriptor, name = tempfile.mkstemp(prefix="object-", dir=directory)
        Path(name).unlink()
        weakref.finalize(self, os.close, self._descriptor)

    async def write(self, offset: int, data: bytes) -> None:
        """Write `data` at `offset`. Raises `OSError` if the disk is full."""
        await asyncio.to_thread(self._write, offset, data)

    async def read(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to before `end`. Raises `OSError` if they cannot be read."""
        return await asyncio.to_thread(self._read, start, end)

    # These are methods, so that a working thread keeps this object alive and its descriptor stays open.

    def _write(self, offset: int, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                written = os.pwrite(self._descriptor, view, offset)
                offset, view = offset + written, view[written:]
        except OSError as error:
            self._report(error)
            raise
        self._report(None)

    def _read(self, start: int, end: int) -> bytes:
        parts: list[bytes] = []
        while start < end:
            part = os.pread(self._descriptor, end - start, start)
            if not part:
                raise OSError(f"a cache file ends at byte {start}, but should have {end} bytes")
            parts.append(part)
            start += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class Disk:
    """A folder for the bodies of large objects.

    A file's name is removed as soon as the file is created. So no half-written file is ever found, the file goes away
    when the last viewer has read it or when this process ends in any way, and nothing has to be cleaned up.
    """

    def __init__(self, directory: Path | None, limit: int) -> None:
        """`limit` is in bytes. Without a `directory`, or with a limit of 0, nothing is written to disk."""
        self._directory = directory if limit else None
        self.limit = limit if directory else 0
        self._files: weakref.WeakSet[DiskFile] = weakref.WeakSet()
        # Each file takes a file descriptor, and connections need some, too.
        self._most_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2
        self._failing, self._failed_at = False, 0.0

    def create(self) -> DiskFile | None:
        """Return a new file, or `None` if it cannot be created."""
        if self._directory is None or len(self._files) >= self._most_files:
            return None
        try:
            made = DiskFile(own_folder(self._directory), self._report)
        except (OSError, InputError) as error:
            self._report(error)
            return None
        self._files.add(made)
        return made

    def _report(self, error: Exception | None) -> None:
        """Log when writes begin to fail, and when none has failed for a while. Thread-safe."""
        moment = time.monotonic()
        if error is not None:
            if not self._failing:
                _log.warning("large objects cannot be cached in %s: %s", self._directory, error)
            self._failing, self._failed_at = True, moment
        elif self._failing and moment - self._failed_at > _CALM_SECONDS:
            # On a full disk the first bytes of an object may still fit.
            _log.warning("large objects are cached in %s again", self._directory)
            self._failing = False
