"""`file:PATH`: a document or a PEM in a file that only its owner may read."""

import contextlib
import os
import stat
from pathlib import Path

from keyfront.errors import InputError, ServiceError
from keyfront.keystore.source import MissingError, Opening
from keyfront.ownership import check_owner


class KeyFile:
    """A file with mode 0600: only its owner may read or change it."""

    def __init__(self, path: Path, *, writing: bool = False) -> None:
        """`writing`: this user will replace the file, so it must already belong to this user."""
        self._path = path
        self._writing = writing
        self.name = f"the key file {path}"

    @classmethod
    def open(cls, name: str, opening: Opening) -> "KeyFile":
        """Return the file at the path `name`."""
        return cls(Path(name), writing=opening.writing)

    def read(self) -> str:
        """Return the file's text. Raises `InputError` if other users may read it, and otherwise `ServiceError`."""
        try:
            with self._path.open(encoding="utf-8") as file:
                self._check(os.fstat(file.fileno()))
                return file.read()
        except FileNotFoundError as error:
            raise MissingError(f"{self.name} cannot be read: {error.strerror}") from None
        except OSError as error:
            raise ServiceError(f"{self.name} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ServiceError(f"{self.name} is not text: it needs a PEM or a JSON document") from None

    def write(self, text: str) -> None:
        """Replace the file by a new one with mode 0600. Raises `ServiceError`."""
        import tempfile  # late: it takes milliseconds, and programs that only sign do not need it

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
                f"{self.name} has mode {mode:04o}, so users other than its owner can read or change it: "
                f"chmod 600 {self._path}"
            )
