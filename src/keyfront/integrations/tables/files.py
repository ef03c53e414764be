"""The files of a run: where the table comes from, where it goes, and what may not be there already."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from keyfront.errors import InputError
from keyfront.integrations.tables.formats import Format, format_of
from keyfront.integrations.tables.writing import sync, writing


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a run, and their forms."""

    source: Path
    source_kind: Format
    out: Path
    out_kind: Format
    reject: Path
    reject_kind: Format

    @classmethod
    def checked(cls, source: Path, out: Path, reject: Path | None, kind: Format | None) -> "Files":
        """The files as they were named. Raises `InputError` for names that cannot be meant."""
        if not source.exists():
            raise InputError(f"there is no file {source}")
        if not source.is_file():
            raise InputError(f"{source} is not a regular file: a run that was killed could not read it again")
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
        """Raise `InputError` when a file would be replaced without `force`."""
        for target in (self.out, self.reject):
            if target.exists() and not force:
                raise InputError(f"{target} exists already: --force replaces it")

    def told(self) -> dict[str, str]:
        """What a run is continued with, and no other. The table is known again by its size and time."""
        found = self.source.stat()
        return {
            "the table": f"{self.source.resolve()} ({found.st_size} bytes, changed at {found.st_mtime_ns} ns)",
            "the forms": f"{self.source_kind} and {self.out_kind}",
            "reject": str(self.reject.resolve()),
        }

    @contextmanager
    def written(self) -> Iterator[tuple[Path, Path]]:
        """Where the table and the rejected rows are written before `place`. Nothing is left there at the end."""
        beside = (_beside(self.out), _beside(self.reject))
        try:
            for each in beside:
                each.unlink(missing_ok=True)
            yield beside
        finally:
            for each in beside:
                each.unlink(missing_ok=True)

    def place(self) -> None:
        """Put what was written in its place, the table last. A reject file of another run is removed."""
        with writing(self.out):
            for target in (self.reject, self.out):
                if _beside(target).exists():
                    _beside(target).replace(target)
                    sync(target.absolute().parent)
                else:
                    target.unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    return target.with_name(f"{target.name}.keyfront-new")
