"""The account on the disk. Every change is on the disk, safe from a crash, before its caller gets a response.

The file is an SQLite database with a write-ahead log. SQLite flushes the log at each commit, recovers it when it opens
the file, and merges it into the database from time to time. A row is a resource as JSON. Nothing in the file is ever
executed.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from keyfront.errors import KeyfrontError
from keyfront.local.controlplane.store import Resource

if TYPE_CHECKING:
    from keyfront.local.controlplane.store import Table

_log = logging.getLogger(__name__)

_APPLICATION: Final = 0x6B667274
"""The application id in the file's header (`kfrt`), which tells our database from another program's."""
FORMAT: Final = 1
"""The format of the rows. If you change how a resource is stored, increase it, and migrate rows of the old format."""
_BYTES: Final = "$bytes"
"""The key that marks bytes in JSON. No member of the API and no tag has a dollar sign in its name."""
_RESOURCES: Final = """
    CREATE TABLE resources (family TEXT, id TEXT, document TEXT NOT NULL, PRIMARY KEY (family, id)) WITHOUT ROWID
"""
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_IN_USE: Final = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_PRIMARY: Final = 0xFF
"""The bits of an SQLite error code with the kind of error. The other bits have details."""


class JournalError(KeyfrontError):
    """An account's file that cannot be read or written."""


class Journal:
    """The open file, used by one process. Calls must not overlap (`Store` ensures that)."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._files = {file: _identity(file) for file in (path, path.with_name(f"{path.name}-wal"))}
        self._failing = False

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Open or create the file (mode 0600). Raise `JournalError` if it is not ours, damaged or in another format."""
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            # isolation_level None: this module begins and ends transactions itself.
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0)
        except (OSError, sqlite3.Error) as error:
            raise JournalError(f"{path} cannot be opened: {error}") from None
        try:
            _prepare(path, connection)
        except sqlite3.Error as error:
            connection.close()
            raise JournalError(_unusable(path, error)) from None
        except BaseException:
            connection.close()
            raise
        return cls(path, connection)

    def restore(self, tables: Mapping[str, Table[Any]]) -> None:
        """Fill the tables (by family name) from the file. Raise `JournalError` if it cannot be read."""
        try:
            rows = self._connection.execute("SELECT family, id, document FROM resources").fetchall()
        except sqlite3.Error as error:
            raise JournalError(_unusable(self._path, error)) from None
        for family, identifier, document in rows:
            try:
                tables[family].put(_decoded(identifier, document))
            except (ValueError, KeyError, TypeError):
                message = f"{self._path} has {identifier!r} of {family!r}, which this version of keyfront cannot read"
                raise JournalError(f"{message}: use {_writer(self._connection)}, or choose another file") from None
        for table in tables.values():
            table.keep()

    def write(self, changes: Mapping[str, Mapping[str, Resource[Any] | None]]) -> None:
        """Write the given resources, by family and id (`None`: deleted). On return all of them are on the disk.

        Raises `JournalError` if they cannot be written, and then writes none. The next change may succeed. There is a
        log line when changes begin to fail, and another when they are saved again.
        """
        if not changes:
            return
        try:
            self._write(changes)
        except JournalError as error:
            if not self._failing:
                _log.error("%s; changes in CloudFront are refused until the file can be written", error)
            self._failing = True
            raise
        if self._failing:
            _log.warning("changes in CloudFront are saved in %s again", self._path)
        self._failing = False

    def _write(self, changes: Mapping[str, Mapping[str, Resource[Any] | None]]) -> None:
        self._check_files()
        put, gone = [], []
        for family, resources in changes.items():
            for identifier, resource in resources.items():
                if resource is None:
                    gone.append((family, identifier))
                else:
                    put.append((family, identifier, _encoded(resource)))
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO resources VALUES (?, ?, ?)", put)
            connection.executemany("DELETE FROM resources WHERE family = ? AND id = ?", gone)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            erased = self._erase() or getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_IOERR_FSYNC
            after = "" if erased else "; if the machine loses power before the next change, it may come back"
            message = f"the change could not be written to {self._path}, and was not made: {error}{after}"
            raise JournalError(message) from None

    def _check_files(self) -> None:
        for file, before in self._files.items():
            if _identity(file) != before:
                raise JournalError(
                    f"the change was not made: {file} was removed or replaced; put it back, or restart keyfront"
                )

    def _erase(self) -> bool:
        """Write an empty commit over a refused one, and return whether it is on the disk.

        After a failed flush the refused commit is complete in the log, and SQLite would accept it when the file is
        opened after a crash. The next commit overwrites it. If that commit is not flushed either, only a loss of power
        can bring the refused change back. A killed process cannot, because its writes stay.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            _sign(self._connection)
            self._connection.execute("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            return False
        return True

    def close(self) -> None:
        """Merge the log into the database and close the file."""
        self._connection.close()


def _identity(file: Path) -> tuple[int, int] | None:
    """Return the identity of the file with this name. `None` if it does not exist or is not visible."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _prepare(path: Path, connection: sqlite3.Connection) -> None:
    pragma = connection.execute
    # Before the first read: with the exclusive lock the log's index stays in memory (a full disk has no room for it),
    # and no other process can open the file.
    pragma("PRAGMA locking_mode = EXCLUSIVE")
    application, written = pragma("PRAGMA application_id").fetchone()[0], pragma("PRAGMA user_version").fetchone()[0]
    tables = pragma("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables and application != _APPLICATION:
        raise JournalError(f"{path} is another program's database: choose another file")
    if tables and written != FORMAT:
        raise JournalError(
            f"{path} was written by {_writer(connection)} in format {written}; this is keyfront {version('keyfront')}, "
            f"which reads format {FORMAT}: use that version, or choose another file"
        )
    pragma("PRAGMA journal_mode = WAL")
    pragma("PRAGMA synchronous = FULL")
    pragma("PRAGMA fullfsync = ON")
    if (said := pragma("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
        raise sqlite3.DatabaseError(said)
    if tables and _writer(connection) == f"keyfront {version('keyfront')}":
        return  # A file that needs no change can be opened on a full disk.
    pragma("BEGIN IMMEDIATE")
    if not tables:
        pragma(_RESOURCES)
        pragma("CREATE TABLE writer (version TEXT NOT NULL)")
        pragma(f"PRAGMA application_id = {_APPLICATION}")
        pragma(f"PRAGMA user_version = {FORMAT}")
    _sign(connection)
    pragma("COMMIT")


def _sign(connection: sqlite3.Connection) -> None:
    """Write the version of keyfront into the file. SQLite writes the page even if the version is the same."""
    connection.execute("DELETE FROM writer")
    connection.execute("INSERT INTO writer VALUES (?)", (version("keyfront"),))


def _writer(connection: sqlite3.Connection) -> str:
    try:
        (said,) = connection.execute("SELECT version FROM writer").fetchone()
    except (sqlite3.Error, TypeError):
        return "another version of keyfront"
    return f"keyfront {said}"


def _unusable(path: Path, error: sqlite3.Error) -> str:
    # An error without a code comes from `quick_check`.
    kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & _PRIMARY
    if kind in _IN_USE:
        return f"{path} is in use by another process: stop that process, or choose another file"
    if kind in _DAMAGED:
        return (
            f"{path} is damaged or not a database ({error}): restore a copy, or move it away to start with an empty "
            "account"
        )
    return (
        f"{path} cannot be opened: {error}. The file is not damaged, so leave it there. Check that its disk works, "
        "has free space and is writable, then start again"
    )


def _encoded(resource: Resource[Any]) -> str:
    document = {
        "etag": resource.etag,
        "created": resource.created.isoformat(),
        "modified": resource.modified.isoformat(),
        "parent": resource.parent,
        "config": resource.config,
    }
    return json.dumps(document, default=_plain, separators=(",", ":"))


def _decoded(identifier: str, text: str) -> Resource[Any]:
    document = json.loads(text, object_hook=_original)
    created, modified = (datetime.fromisoformat(document[name]) for name in ("created", "modified"))
    return Resource(identifier, document["etag"], document["config"], created, modified, document["parent"])


def _plain(value: object) -> dict[str, str]:
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    raise TypeError(f"a resource has a {type(value).__name__}, which cannot be stored")


def _original(value: dict[str, Any]) -> object:
    return base64.b64decode(value[_BYTES]) if value.keys() == {_BYTES} else value
