"""The contents of objects on the disk, each in a file of its own, so that a large one is written once."""

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
        """The bytes, or a file descriptor that is taken over."""
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
    """A directory of files that are named by the SHA-256 of what is in them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, source: Source) -> str:
        """Keep what `source` gives, safe from a crash once `settle` was called; its name. Raises `OSError`."""
        temporary, digest = self._directory / ".new", hashlib.sha256()

        def read() -> Iterator[bytes | memoryview]:
            for chunk in source:
                digest.update(chunk)
                yield chunk

        write_durably(temporary, read())
        temporary.replace(self._directory / digest.hexdigest())
        return digest.hexdigest()

    def names(self) -> set[str]:
        """Of the contents that are there. Raises `OSError`."""
        return {path.name for path in self._directory.iterdir() if _NAME.fullmatch(path.name)}

    def settle(self) -> None:
        """Make what was put safe from a crash. Raises `OSError`."""
        sync_directory(self._directory)

    def copy(self, name: str, target: IO[bytes]) -> int:
        """Write a content to `target`; how many bytes. `InputError` when it is not there, or not what was put."""
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
            raise InputError(f"{path}, the content of an object, is damaged: bring back a copy of it")
        return size

    def drop_all_but(self, names: Collection[str]) -> None:
        """Delete every other content. Raises `OSError`."""
        for path in self._directory.iterdir():
            if _NAME.fullmatch(path.name) and path.name not in names:
                path.unlink()
