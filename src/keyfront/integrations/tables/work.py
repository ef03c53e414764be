# mypy: disable-error-code="import-untyped"
"""The folder beside a table that is being written: its parts, its journal, and a lock.

A part is a run of rows with a number, always of the same size but the last. It has its name only when it is whole and
on the disk, so that whatever kills a run, each part is either there or to be made. The journal's token is in the name:
what a process of a run that was killed still writes is never taken for a part of a run that was begun anew.
"""

import contextlib
import fcntl
import json
import os
import re
import stat
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

import pyarrow as pa

from keyfront.errors import InputError, ServiceError
from keyfront.integrations.tables.journal import Journal
from keyfront.integrations.tables.summary import Seen
from keyfront.integrations.tables.writing import sync, writing
from keyfront.ownership import check_owner

_NOTES: Final = b"keyfront:seen"
_PART: Final = re.compile(r"part-([0-9a-f]+)-([0-9]{8})\.arrows")
_OURS: Final = re.compile(r"part-[0-9a-f]+-[0-9]{8}\.arrows(\.[0-9-]+\.tmp)?|(journal|out|reject)(\.json)?(\.tmp)?")


class Work:
    """What is done of the table `out`, in the folder `out`.keyfront."""

    def __init__(self, out: Path) -> None:
        self.folder = out.with_name(f"{out.name}.keyfront")
        self.out = self.folder / "out.tmp"
        """The whole table, until it is put in its place."""
        self.reject = self.folder / "reject.tmp"
        self._journal = self.folder / "journal.json"
        self._lock = self.folder / "lock"

    @contextmanager
    def held(self) -> Iterator["Work"]:
        """The folder, for this process alone. It is gone afterwards unless it holds something to go on with."""
        with writing(self.folder):
            self.folder.mkdir(mode=0o700, exist_ok=True)
            found = self.folder.lstat()
            if not stat.S_ISDIR(found.st_mode):
                raise InputError(f"{self.folder} is not a folder: move it away, or choose another name for the table")
            check_owner(self.folder, found)
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise InputError(f"another run is writing into {self.folder}: wait for it, or stop it") from None
            if os.fstat(descriptor).st_nlink == 0:
                raise InputError(f"another run has just finished with {self.folder}: look at its result")
            try:
                yield self
            finally:
                if not self.out.exists() and not any(_PART.fullmatch(each.name) for each in self.folder.iterdir()):
                    self._journal.unlink(missing_ok=True)
                    self._lock.unlink(missing_ok=True)
                    with contextlib.suppress(OSError):  # it holds what is not ours
                        self.folder.rmdir()
        finally:
            os.close(descriptor)

    def journal(self) -> Journal | None:
        """What an earlier run noted. Raises `InputError`."""
        return Journal.read(self._journal)

    def note(self, journal: Journal) -> None:
        """Replace the journal in one step."""
        beside = self._journal.with_suffix(".tmp")
        with writing(self._journal):
            beside.write_text(journal.to_json(), "utf-8")
            sync(beside)
            beside.replace(self._journal)
            sync(self.folder)

    def done(self, token: str) -> set[int]:
        """The numbers of the parts that are there."""
        found = (_PART.fullmatch(each.name) for each in self.folder.iterdir())
        return {int(each[2]) for each in found if each and each[1] == token}

    def clear(self) -> None:
        """Remove all that a run left, its journal last."""
        with writing(self.folder):
            for each in self.folder.iterdir():
                if _OURS.fullmatch(each.name) and each != self._journal:
                    each.unlink()
            self._journal.unlink(missing_ok=True)

    def read(self, token: str, number: int) -> tuple[Iterator[pa.RecordBatch], list[Seen]]:
        """A part's rows, and what was seen when they were signed."""
        path = part(self.folder, token, number)
        try:
            stream = pa.ipc.open_stream(str(path))
            seen = [Seen(**each) for each in json.loads(stream.schema.metadata[_NOTES])]
        except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
            raise _damaged(path) from None

        def batches() -> Iterator[pa.RecordBatch]:
            with stream:
                while True:
                    try:
                        batch = stream.read_next_batch()
                    except StopIteration:
                        return
                    except (OSError, pa.ArrowException):
                        raise _damaged(path) from None
                    yield batch

        return batches(), seen


def part(folder: Path, token: str, number: int) -> Path:
    """Where a part stands."""
    return folder / f"part-{token}-{number:08d}.arrows"


def write_part(folder: Path, token: str, number: int, batches: Sequence[pa.RecordBatch], seen: Iterable[Seen]) -> None:
    """Have a part whole on the disk, and then give it its name. Raises `ServiceError`."""
    path = part(folder, token, number)
    beside = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    schema = batches[0].schema
    notes = json.dumps([asdict(each) for each in seen]).encode()
    schema = schema.with_metadata({**(schema.metadata or {}), _NOTES: notes})
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with writing(path):
        try:
            with pa.ipc.new_stream(str(beside), schema, options=options) as stream:
                for batch in batches:
                    stream.write_batch(batch)
            sync(beside)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def _damaged(path: Path) -> ServiceError:
    return ServiceError(f"{path} cannot be read any more: remove it, and the same command makes it again")
