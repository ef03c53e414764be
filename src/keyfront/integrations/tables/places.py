"""Where a table comes from and where it goes, and what may not be there already."""

from dataclasses import dataclass
from pathlib import Path

from keyfront.errors import InputError
from keyfront.integrations.tables.formats import Format, format_of


@dataclass(frozen=True, slots=True)
class Places:
    """The files of a run."""

    source: Path
    source_kind: Format
    out: Path
    out_kind: Format
    reject: Path
    reject_kind: Format
    force: bool

    @classmethod
    def checked(cls, source: Path, out: Path, reject: Path | None, kind: Format | None, *, force: bool) -> "Places":
        """The files as they were named. Raises `InputError` for names that cannot be meant."""
        if not source.exists():
            raise InputError(f"there is no file {source}")
        if not source.is_file():
            raise InputError(f"{source} is no regular file: a run that was killed could not read it again")
        out_kind = format_of(out, kind)
        if reject is None:
            reject = out.with_name(f"{out.name}.rejects.csv")
        for target in (out, reject):
            if not target.absolute().parent.is_dir():
                raise InputError(f"there is no folder {target.parent}: make it first")
            if target.is_dir():
                raise InputError(f"{target} is a folder: name a file")
        if len({source.resolve(), out.resolve(), reject.resolve()}) < 3:
            raise InputError(f"{source}, {out} and {reject} must be three files")
        return cls(source, format_of(source, kind), out, out_kind, reject, format_of(reject, kind), force)

    def check_free(self) -> None:
        """Raises `InputError` when a file would be replaced and nobody said that it may be."""
        for target in (self.out, self.reject):
            if target.exists() and not self.force:
                raise InputError(f"{target} exists already: --force replaces it")

    def told(self) -> dict[str, str | int | float | None]:
        """What a run is continued with, and no other."""
        return {
            "the table": str(self.source.resolve()),
            "its format": self.source_kind,
            "the format of what is written": self.out_kind,
            "reject": str(self.reject.resolve()),
        }
