"""Builds the zip file. Names are sorted, times and modes are fixed: the same content gives the same bytes."""

import base64
import hashlib
import io
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from keyfront.errors import InputError
from keyfront.packaging.bytecode import compiled
from keyfront.packaging.contents import Files, included, of_wheels, ours
from keyfront.packaging.plan import Plan
from keyfront.packaging.wheels import download

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = 0o100644
_LEVEL: Final = 6
"""Level 9 takes three times as long and saves one percent."""
_MOST_UNZIPPED: Final = 250 * 1024 * 1024
"""Source: Lambda Developer Guide, "Lambda quotas"."""


@dataclass(frozen=True, slots=True)
class Built:
    """A finished package."""

    path: Path
    size: int
    """Bytes, compressed."""
    unzipped: int
    """Bytes."""
    files: int
    sha256: str
    """In hex."""

    @property
    def code_sha256(self) -> str:
        """The hash as Lambda's `CodeSha256` and Terraform's `source_code_hash` write it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


def build(plan: Plan, out: Path) -> Built:
    """Write the package of `plan` to `out`, whole or not at all. Raises `InputError` and `ServiceError`."""
    if not out.parent.is_dir():
        raise InputError(f"there is no folder {str(out.parent)!r} for {out.name}: create it first")
    with tempfile.TemporaryDirectory(prefix="keyfront-package-") as folder:
        files = ours(plan.function) | of_wheels(download(plan, Path(folder)))
    files |= included(plan.includes, files)
    if plan.bytecode:
        files |= compiled(files, plan.python)
    unzipped = sum(map(len, files.values()))
    if unzipped > _MOST_UNZIPPED:
        raise InputError(
            f"the package has {unzipped:,} bytes unzipped, and Lambda accepts {_MOST_UNZIPPED:,}: include less"
        )
    data = zipped(files)
    _write(out, data)
    return Built(out, len(data), unzipped, len(files), hashlib.sha256(data).hexdigest())


def zipped(files: Files) -> bytes:
    """Return a zip file of `files`. The same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            # Always Unix: otherwise the mode is ignored.
            entry.create_system, entry.external_attr = 3, _MODE << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def _write(out: Path, data: bytes) -> None:
    partial = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(out)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{str(out)!r} cannot be written: {error.strerror}") from None
