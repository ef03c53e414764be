"""`file:PATH`: a document or a PEM in a file that nobody but its owner may read."""

import contextlib
import os
import stat
from pathlib import Path

from keyfront.errors import InputError, ServiceError
from keyfront.keystore.source import MissingError, Opening
from keyfront.ownership import check_owner


class KeyFile:
    """A file of mode 0600. Others may neither read nor change it; only its owner may write to it."""

    def __init__(self, path: Path, *, writing: bool = False) -> None:
        """`writing`: the file will be replaced by one of this user's, so it must be this user's already."""
        self._path = path
        self._writing = writing
        self.name = f"the key file {path}"

    @classmethod
    def open(cls, name: str, opening: Opening) -> "KeyFile":
        """The file at the path `name`."""
        return cls(Path(name), writing=opening.writing)

    def read(self) -> str:
        """The file's text. Raises `InputError` if others may read it, and `ServiceError` if it cannot be read."""
        try:
            with self._path.open(encoding="utf-8") as file:
                self._check(os.fstat(file.fileno()))
                return file.read()
        except FileNotFoundError as error:
            raise MissingError(f"{self.name} cannot be read: {error.strerror}") from None
        except OSError as error:
            raise ServiceError(f"{self.name} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ServiceError(f"{self.name} is not text: a PEM or a JSON document is needed") from None

    def write(self, text: str) -> None:
        """Replaces the file by another of mode 0600. Raises `ServiceError`."""
        import tempfile  # late: it takes milliseconds, which programs that only sign should not pay

        try:
            descriptor, beside = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                Path(beside).replace(self._path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(beside).unlink()
                raise
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise ServiceError(f"{self.name} cannot be written: {error.strerror}") from None

    def _check(self, status: os.stat_result) -> None:
        if self._writing:
            check_owner(self._path, status)
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077:
            raise InputError(
                f"{self.name} has mode {mode:04o}, so that others than its owner can read or change it: "
                f"chmod 600 {self._path}"
            )
