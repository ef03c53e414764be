"""Access logs in CloudFront's standard format: 33 fields with tabs between them, a file for each distribution and hour.

Source: Developer Guide, "Standard logging reference". Files are named as CloudFront names them,
`DISTRIBUTION.YYYY-MM-DD-HH.UNIQUE.gz`. A file that is being written has no `.gz` yet.
"""

import gzip
import logging
import math
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from keyfront.edge.observation.log_fields import FIELDS, log_fields
from keyfront.edge.observation.record import Record
from keyfront.errors import InputError

_log = logging.getLogger(__name__)

HEAD: Final = f"#Version: 1.0\n#Fields: {' '.join(FIELDS)}\n"
_HEAD: Final = HEAD.encode("ascii")
_MAX_BYTES: Final = 64 * 1024 * 1024
_FLUSH_SECONDS: Final = 1.0
_MOST_WAITING: Final = 1024 * 1024
"""Limit of the lines that wait for the disk, in bytes. Further lines are lost."""


class _Open:
    """A file that is being written. On disk it always ends with a complete line."""

    def __init__(self, directory: Path, distribution: str, hour: str) -> None:
        """Create the file. Raises `OSError`."""
        self._directory, self._distribution, self.hour = directory, distribution, hour
        self._waiting: list[bytes] = []
        self._waiting_bytes, self._flushed = 0, -math.inf
        self._descriptor: int | None = None
        self._begin()

    @property
    def size(self) -> int:
        """The size in bytes, including lines that wait for the disk."""
        return self._written + self._waiting_bytes

    @property
    def waits(self) -> bool:
        """Whether lines wait for the disk."""
        return bool(self._waiting)

    def add(self, text: str) -> bool:
        """Queue a line for the next `flush`. Return whether there was room for it."""
        line = text.encode("ascii")
        if self._waiting_bytes + len(line) > _MOST_WAITING:
            return False
        self._waiting.append(line)
        self._waiting_bytes += len(line)
        return True

    def flush(self, *, at_once: bool = False) -> None:
        """Write the waiting lines if the last write is a while ago. After an `OSError` they keep waiting."""
        moment = time.monotonic()
        if not (self._waiting and (at_once or moment - self._flushed > _FLUSH_SECONDS)):
            return
        self._flushed = moment
        if self._descriptor is not None and os.fstat(self._descriptor).st_nlink == 0:  # the file was deleted
            self._let_go()
        descriptor = self._begin() if self._descriptor is None else self._descriptor
        content = memoryview(b"".join(self._waiting))
        try:
            done = 0
            while done < len(content):
                done += os.pwrite(descriptor, content[done:], self._written + done)
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, self._written)
            raise
        self._written += len(content)
        self._waiting, self._waiting_bytes = [], 0

    def close(self) -> int:
        """Write the rest and close the file. Return how many lines were lost."""
        try:
            self.flush(at_once=True)
        except OSError:
            return len(self._waiting) - self._waiting.count(_HEAD)
        finally:
            self._let_go()
        return 0

    def _let_go(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None

    def _begin(self) -> int:
        self.path = self._directory / f"{self._distribution}.{self.hour}.{secrets.token_hex(4)}"
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._written = 0
        if _HEAD not in self._waiting:
            self._waiting.insert(0, _HEAD)
            self._waiting_bytes += len(_HEAD)
        return self._descriptor


class AccessLog:
    """Writes logs into a folder. A file that is full, or from an earlier hour, is compressed."""

    def __init__(
        self,
        directory: Path,
        *,
        domain_name: Callable[[str], str],
        include_cookies: Callable[[str], bool] = lambda _: False,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        """Use a folder, or create it. `domain_name` and `include_cookies` take a distribution's id.

        Raises `InputError` if the folder cannot be used.
        """
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"access logs cannot be written to {str(directory)!r}: {error.strerror}") from None
        if not os.access(directory, os.W_OK):
            raise InputError(
                f"access logs cannot be written to {str(directory)!r}: the folder is not writable; name another one"
            )
        self._directory = directory
        self._domain_name = domain_name
        self._include_cookies = include_cookies
        self._max_bytes = max_bytes
        self._open: dict[str, _Open] = {}
        self._compressing: list[threading.Thread] = []
        self._failing = False
        self._lost = 0

    def observe(self, record: Record) -> None:
        """Write a record to its distribution's log. A request for no distribution is not logged."""
        distribution = record.outcome.distribution_id
        if not distribution:
            return
        values = log_fields(record, self._domain_name(distribution), cookies=self._include_cookies(distribution))
        text = "\t".join(values.values()) + "\n"
        try:
            self._write(distribution, text, record.ended)
        except OSError as error:
            # A full disk must not stop the edge.
            if not self._failing:
                _log.error("access logs cannot be written to %s: %s", self._directory, error.strerror)
            self._failing = True

    def close(self) -> None:
        """Compress the open files. If lines cannot be written, they are lost, and the log says how many."""
        for distribution in list(self._open):
            self._retire(distribution)
        for thread in self._compressing:
            thread.join()
        if self._lost and self._failing:
            _log.error("%d lines of access logs could not be written to %s", self._lost, self._directory)

    def _write(self, distribution: str, text: str, now: float) -> None:
        hour = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d-%H")
        current = self._open.get(distribution)
        if current is not None and (current.hour != hour or current.size >= self._max_bytes):
            self._retire(distribution)
            current = None
        if current is None:
            try:
                current = self._open[distribution] = _Open(self._directory, distribution, hour)
            except OSError:
                self._lost += 1
                raise
        if not current.add(text):
            self._lost += 1
        current.flush()
        if self._failing and not current.waits:
            _log.warning("access logs are written to %s again; %d lines were lost", self._directory, self._lost)
            self._failing, self._lost = False, 0

    def _retire(self, distribution: str) -> None:
        finished = self._open.pop(distribution)
        lost = finished.close()
        if lost and not self._failing:
            _log.error("%d lines of access logs could not be written to %s", lost, finished.path)
        self._lost += lost
        thread = threading.Thread(target=_compress, args=(finished.path,), name="keyfront-access-log")
        thread.start()
        self._compressing = [each for each in self._compressing if each.is_alive()] + [thread]


def _compress(path: Path) -> None:
    packed = path.with_name(f"{path.name}.gz")
    try:
        with path.open("rb") as plain, gzip.open(packed, "xb") as stream:
            shutil.copyfileobj(plain, stream)
    except OSError as error:
        _log.error("%s stays uncompressed: %s", path, error.strerror)
        packed.unlink(missing_ok=True)
    else:
        path.unlink()
