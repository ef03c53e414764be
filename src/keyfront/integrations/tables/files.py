"""The files of a run: the table, the result and the reject file."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from keyfront.errors import InputError
from keyfront.integrations.tables.formats import Format, format_of
from keyfront.integrations.tables.writing import sync, writing


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a run, and their formats."""

    source: Path
    source_kind: Format
    out: Path
    out_kind: Format
    reject: Path
    reject_kind: Format

    @classmethod
    def checked(cls, source: Path, out: Path, reject: Path | None, kind: Format | None) -> "Files":
        """Return the files with these names. Raises `InputError` for names that cannot be used."""
        if not source.exists():
            raise InputError(f"there is no file {source}: give an existing file")
        if not source.is_file():
            raise InputError(f"{source} is not a regular file, so a killed run could not read it again: give a file")
        out_kind = format_of(out, kind)
        reject = reject or out.with_name(f"{out.name}.rejects.csv")
        for target in (out, reject):
            if not target.absolute().parent.is_dir():
                raise InputError(f"there is no folder {target.parent}: make it first")
            if target.is_dir():
                raise InputError(f"{target} is a folder: name a file")
        if len({source.resolve(), out.resolve(), reject.resolve()}) < 3:
            raise InputError(f"{source}, {out} and {reject} must be three files")
        return cls(source, format_of(source, kind), out, out_kind, reject, format_of(reject, kind))

    def check_free(self, *, force: bool) -> None:
        """Raise `InputError` if a file would be replaced without `force`."""
        for target in (self.out, self.reject):
            if target.exists() and not force:
                raise InputError(f"{target} already exists: --force replaces it")

    def told(self) -> dict[str, str]:
        """Return the facts that must be the same to continue a run. The table must have the same size and time."""
        found = self.source.stat()
        return {
            "the table": f"{self.source.resolve()} ({found.st_size} bytes, changed at {found.st_mtime_ns} ns)",
            "the formats": f"{self.source_kind} and {self.out_kind}",
            "reject": str(self.reject.resolve()),
        }

    @contextmanager
    def written(self) -> Iterator[tuple[Path, Path]]:
        """Yield temporary paths for the table and the rejected rows. `place` uses them; the rest is removed."""
        beside = (_beside(self.out), _beside(self.reject))
        try:
            for each in beside:
                each.unlink(missing_ok=True)
            yield beside
        finally:
            for each in beside:
                each.unlink(missing_ok=True)

    def place(self) -> None:
        """Move the written files to their final names, the table last. Removes an older run's reject file."""
        with writing(self.out):
            for target in (self.reject, self.out):
                if _beside(target).exists():
                    _beside(target).replace(target)
                    sync(target.absolute().parent)
                else:
                    target.unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    return target.with_name(f"{target.name}.keyfront-new")
