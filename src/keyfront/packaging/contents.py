"""Chooses the files of a package: keyfront's, those of the wheels, and the user's own."""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import keyfront
from keyfront.errors import InputError

_ROOMS: Final = {
    "download": ("core", "backend", "keystore", "web/__init__.py", "web/page_headers.py"),
    "rotation": (
        "core",
        "explain",
        "inventory",
        "keystore",
        "account/__init__.py",
        "account/api_errors.py",
        "account/distributions.py",
        "account/key_groups.py",
        "account/rotation",
    ),
}
"""The rooms of keyfront that a function uses, in addition to the modules at the top."""
_LEFT_OUT: Final = (
    # The other adapter, and the commands.
    "keyfront/backend/asgi/",
    "keyfront/backend/migrations/",
    "keyfront/backend/service/csv_files.py",
    "keyfront/backend/service/ledger.py",
    "keyfront/__main__.py",
    # cryptography uses only the compiled part of cffi.
    "cffi/",
    "sqlalchemy/dialects/mssql/",
    "sqlalchemy/dialects/mysql/",
    "sqlalchemy/dialects/oracle/",
    "sqlalchemy/testing/",
)
_NEVER: Final = (".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h", "/py.typed")

Files = dict[str, bytes]


def ours(function: str) -> Files:
    """Return the files of the installed keyfront that the function needs."""
    root = Path(keyfront.__file__).parent
    rooms = [root / room for room in _ROOMS[function]]
    inside = [path for room in rooms for path in (room.rglob("*") if room.is_dir() else [room]) if path.is_file()]
    paths = [*root.glob("*.py"), *inside]
    return {name: path.read_bytes() for path in paths if _goes(name := f"keyfront/{path.relative_to(root).as_posix()}")}


def of_wheels(wheels: Iterable[Path]) -> Files:
    """Return the wheels' files, with their licences, but without tests, types and records."""
    files: Files = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if not name.endswith("/") and _goes(name):
                    files[name] = archive.read(name)
    return files


def included(paths: Iterable[Path], taken: Files) -> Files:
    """Return the user's files and folders for the package's top. Raises `InputError` if one would replace another."""
    files: Files = {}
    for path in paths:
        for name, content in _walked(path):
            if name in taken or name in files or any(each.startswith(f"{name}/") for each in taken):
                raise InputError(f"{str(path)!r} would replace {name}, which is in the package: give it another name")
            files[name] = content
    return files


def _walked(path: Path) -> Iterator[tuple[str, bytes]]:
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    for each in inside:
        name = each.relative_to(path.parent).as_posix() if path.is_dir() else each.name
        if each.is_file() and not name.endswith(".pyc"):
            try:
                yield name, each.read_bytes()
            except OSError as error:
                raise InputError(f"{str(each)!r} cannot be included: {error.strerror}") from None


def _goes(name: str) -> bool:
    if "/__pycache__/" in name or "/tests/" in name or name.endswith(_NEVER) or name.startswith(_LEFT_OUT):
        return False
    folder, _, rest = name.partition("/")
    if folder.endswith(".dist-info"):
        # The licence must come with the code.
        return "license" in rest.lower() or rest.upper().startswith(("COPYING", "NOTICE"))
    return True
