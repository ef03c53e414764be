# mypy: disable-error-code="import-untyped"
"""The file with the rows that are signed so far, beside the result: parts, each with its length and checksum.

If a run is killed while it writes a part, the checksum of that part does not match. It is cut off and signed again.
"""

import fcntl
import json
import os
import stat
import struct
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Final

from keyfront.errors import InputError, ServiceError
from keyfront.integrations.tables.writing import writing
from keyfront.ownership import check_owner

Run = Mapping[str, str]
"""The input of a run, by name. The run can be continued only with the same input."""

_SIZES: Final = struct.Struct(">QQ")
"""Bytes and rows of the next part."""
_CHECK: Final = struct.Struct(">I")
_AGAIN: Final = "--restart discards it and starts again"


class WorkFile:
    """The work file of one run. Its first part has no rows; it contains the run's input."""

    def __init__(self, path: Path, file: FileIO) -> None:
        self.path = path
        self.rows = 0
        """Rows in the parts."""
        self.placing = False
        """Whether the result was complete and could be put in its place."""
        self._file = file
        self.ours = not os.fstat(file.fileno()).st_size

    def run(self) -> Run | None:
        """Return the input of the run that left rows, or `None`. Cuts off an incomplete part. Raises `InputError`."""
        parts = self._parts()
        first = next(parts, None)
        if first is None and os.fstat(self._file.fileno()).st_size:
            raise InputError(f"{self.path} is not a work file of this version of keyfront: {_AGAIN}")
        self.ours, whole = True, self._file.tell()
        for rows, _ in parts:
            self.rows, self.placing, whole = self.rows + rows, not rows, self._file.tell()
        with writing(self.path):
            self._file.truncate(whole)
        found: Run | None = json.loads(first[1]) if first and self.rows else None
        return found

    def begin(self, run: Run) -> None:
        """Discard the contents, and start with `run`. Raises `ServiceError`."""
        self.rows, self.placing, self.ours = 0, False, True
        with writing(self.path):
            self._file.truncate(0)
        self.add(0, json.dumps(dict(run)).encode())

    def remove(self) -> None:
        """Remove the file."""
        with writing(self.path):
            self.path.unlink(missing_ok=True)

    def add(self, rows: int, part: bytes) -> None:
        """Append a part. Raises `ServiceError`."""
        sizes = _SIZES.pack(len(part), rows)
        data = memoryview(sizes + _CHECK.pack(zlib.crc32(part, zlib.crc32(sizes))) + part)
        with writing(self.path):
            self._file.seek(0, os.SEEK_END)
            while data:
                data = data[self._file.write(data) or 0 :]
        self.rows += rows

    def place(self) -> None:
        """Record that the result may be put in its place, so that the next run may do it if this one is killed."""
        self.add(0, b"")
        self.placing = True

    def parts(self) -> Iterator[bytes]:
        """Yield the parts with rows, in order. Raises `ServiceError` if a part can no longer be read."""
        there = 0
        for rows, part in self._parts():
            there += rows
            if rows:
                yield part
        if there != self.rows:
            raise ServiceError(f"{self.path} can no longer be read: {_AGAIN}")

    def _parts(self) -> Iterator[tuple[int, bytes]]:
        self._file.seek(0)
        size, head = os.fstat(self._file.fileno()).st_size, _SIZES.size + _CHECK.size
        while (begun := self._file.tell()) + head <= size:
            sizes, check = self._file.read(_SIZES.size), self._file.read(_CHECK.size)
            length, rows = _SIZES.unpack(sizes)
            part = self._file.read(length) if begun + head + length <= size else b""
            if len(part) != length or _CHECK.unpack(check)[0] != zlib.crc32(part, zlib.crc32(sizes)):
                return
            yield rows, part


@contextmanager
def work_file(out: Path) -> Iterator[WorkFile]:
    """Open the work file `out`.keyfront of the result `out`, for this process only. It is removed if it has no rows.

    Raises `InputError` if another run has it open, or if another user could have written it.
    """
    path = out.with_name(f"{out.name}.keyfront")
    with writing(path):
        if (path.exists() or path.is_symlink()) and not stat.S_ISREG(path.lstat().st_mode):
            raise InputError(f"{path} is not a regular file: move it away, or choose another name for the table")
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+")
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InputError(f"another run is writing to {path}: wait for it, or stop it") from None
        found = os.fstat(file.fileno())
        check_owner(path, found)
        if not found.st_nlink:
            raise InputError(f"another run has just finished with {path}: check its result")
        work = WorkFile(path, file)
        try:
            yield work
        finally:
            if work.ours and not work.rows:
                work.remove()
