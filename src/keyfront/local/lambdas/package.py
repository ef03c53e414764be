"""Unpacks a function's code once. It writes nothing outside the folder."""

import os
import platform
import shutil
import stat
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import Final
from zipfile import BadZipFile, ZipFile, ZipInfo

from keyfront.local.lambdas.function import Archive, FunctionError

_LARGEST: Final = 262_144_000
"""The largest unpacked size in bytes. Source: Lambda Developer Guide, "Lambda quotas" (250 MB)."""
_READABLE: Final = 0o644
_MACHINES: Final = {62: "x86_64", 183: "arm64"}
"""The numbers of Lambda's architectures in an ELF header, bytes 18 and 19."""


def unpack(archives: tuple[Archive, ...], folder: Path) -> Path:
    """Unpack `archives` over one another into `folder`, unless it exists, and return it.

    Blocks. Raises `FunctionError` if one is not a zip file, is too large, contains a file outside the folder, or has
    machine code only for another architecture than this machine's.
    """
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # All or nothing, because two processes may start at the same time.
    building = Path(mkdtemp(dir=folder.parent))
    try:
        left = _LARGEST
        for archive in archives:
            left -= _extract(archive, building, left)
        _check_machine(building)
        building.chmod(0o755)
        building.rename(folder)
    except OSError as error:
        if not folder.exists():
            raise _invalid(f"the code cannot be unpacked: {error.strerror}") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return folder


def _extract(archive: Archive, folder: Path, most: int) -> int:
    from io import BytesIO

    written = 0
    try:
        with ZipFile(BytesIO(archive.content)) as package:
            entries = package.infolist()
            if sum(entry.file_size for entry in entries) > most:
                raise _invalid(f"Unzipped size must be smaller than {_LARGEST} bytes")
            for entry in entries:
                place = folder / _inside(entry.filename)
                if entry.is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                content = package.read(entry)
                written += len(content)
                _write(entry, content, place, folder)
    except (BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise _invalid(f"Could not unzip uploaded file: {error}") from None
    return written


def _check_machine(folder: Path) -> None:
    """A package may have code for several architectures, but this machine's must be among them."""
    here = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    foreign = ""
    for path in folder.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        with path.open("rb") as file:
            head = file.read(20)
        found = _MACHINES.get(int.from_bytes(head[18:20], "little")) if head.startswith(b"\x7fELF") else None
        if found == here:
            return
        foreign = foreign or found or ""
    if foreign:
        raise FunctionError(
            "InvalidRuntimeException",
            f"The package is for {foreign}, and this machine is {here}: for the laptop, build it for {here} (keyfront "
            f"lambda package --arch {here}).",
        )


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name:
        raise _invalid(f"the package contains a file outside its folder: {name!r}")
    return path


def _write(entry: ZipInfo, content: bytes, place: Path, folder: Path) -> None:
    mode = entry.external_attr >> 16
    if not place.parent.resolve().is_relative_to(folder.resolve()):
        raise _invalid(f"the package writes a file through a link: {entry.filename!r}")
    if place.is_symlink() or place.is_file():
        place.unlink()
    if stat.S_ISLNK(mode):
        target = content.decode("utf-8", "replace")
        if Path(target).is_absolute() or not Path(os.path.normpath(place.parent / target)).is_relative_to(folder):
            raise _invalid(f"the package contains a link that leads outside its folder: {entry.filename!r}")
        place.symlink_to(target)
        return
    place.write_bytes(content)
    # Zip files made on Windows have no modes.
    place.chmod((mode & 0o777 or _READABLE) | stat.S_IRUSR | stat.S_IWUSR)


def _invalid(message: str) -> FunctionError:
    return FunctionError("InvalidZipFileException", message)
