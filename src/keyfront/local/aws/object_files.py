"""Stores the contents of objects on disk. Each has its own file, so a large one is written only once."""

import hashlib
import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Final, Self

from keyfront.errors import InputError
from keyfront.local.state_directory import sync_directory, write_durably
from keyfront.ownership import check_owner

_CHUNK: Final = 1024 * 1024
_NAME: Final = re.compile("[0-9a-f]{64}")


class Source:
    """An object's content at one moment, unchanged until this is closed."""

    def __init__(self, content: bytes | int) -> None:
        """Take the bytes, or take over a file descriptor."""
        self._content = content

    def __iter__(self) -> Iterator[bytes | memoryview]:
        if isinstance(self._content, bytes):
            yield memoryview(self._content)
            return
        offset = 0
        while chunk := os.pread(self._content, _CHUNK, offset):
            offset += len(chunk)
            yield chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self._content, int):
            os.close(self._content)


class ObjectFiles:
    """A folder of files. Each file's name is the SHA-256 of its content."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, source: Source) -> str:
        """Store the content of `source`, and return its name. It survives a crash after `settle`. Raises `OSError`."""
        temporary, digest = self._directory / ".new", hashlib.sha256()

        def read() -> Iterator[bytes | memoryview]:
            for chunk in source:
                digest.update(chunk)
                yield chunk

        write_durably(temporary, read())
        temporary.replace(self._directory / digest.hexdigest())
        return digest.hexdigest()

    def names(self) -> set[str]:
        """Return the names of the stored contents. Raises `OSError`."""
        return {path.name for path in self._directory.iterdir() if _NAME.fullmatch(path.name)}

    def settle(self) -> None:
        """Make the stored contents safe from a crash. Raises `OSError`."""
        sync_directory(self._directory)

    def copy(self, name: str, target: IO[bytes]) -> int:
        """Write a content to `target`, and return its size. Raises `InputError` if it is missing or damaged."""
        path, digest, size = self._directory / name, hashlib.sha256(), 0
        try:
            with path.open("rb") as file:
                check_owner(path, os.fstat(file.fileno()))
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
                    size += target.write(chunk)
        except OSError as error:
            raise InputError(f"{path}, the content of an object, cannot be read: {error.strerror}") from None
        if digest.hexdigest() != name:
            raise InputError(f"{path}, the content of an object, is damaged: restore it from a backup")
        return size

    def drop_all_but(self, names: Collection[str]) -> None:
        """Delete all other contents. Raises `OSError`."""
        for path in self._directory.iterdir():
            if _NAME.fullmatch(path.name) and path.name not in names:
                path.unlink()
