"""Objects with their bytes on disk: the user's files, and moto's temporary files."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

from moto.s3.exceptions import MissingKey, S3ClientError
from moto.s3.models import FakeBucket, FakeKey

from keyfront.local.aws import content_folder
from keyfront.local.aws.content_folder import Facts
from keyfront.local.aws.file_window import CHUNK, Descriptor, Window

# moto holds copied content in memory, several times.
_COPIED_AT_MOST: Final = 256 * 1024 * 1024
# moto stores objects above five megabytes in temporary files, and would read them whole for every response.
_STREAMED_FROM: Final = 8 * 1024 * 1024


class FileKey(FakeKey):
    """An object with a file as its content. Changes to the object through S3 never change the file."""

    def __init__(self, name: str, path: Path, bucket: FakeBucket, headers: Mapping[str, str]) -> None:
        super().__init__(
            name=name,
            value=b"",
            account_id=bucket.account_id,
            region_name=bucket.region_name,
            bucket_name=bucket.name,
            is_versioned=bucket.is_versioned,
            version_id=str(uuid4()) if bucket.is_versioned else None,
        )
        self._value_buffer.close()
        self.path = path
        self.metadata.update({"Content-Type": content_folder.content_type(name), **headers})
        describe(self, path.stat())

    def open(self) -> Descriptor:
        """Open the file as it is now. Raises `MissingKey` if it no longer exists."""
        try:
            opened = Descriptor(os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError:
            raise MissingKey(self.name) from None
        if not stat.S_ISREG(opened.status.st_mode):
            raise MissingKey(self.name)
        return opened

    @property
    def value(self) -> bytes:
        """The whole content, for operations that moto does in memory, such as copies."""
        window = Window.onto(self.open())
        if len(window) > _COPIED_AT_MOST:
            message = f"{self.name} is a file of {len(window)} bytes, too many to copy in memory: copy the file instead"
            raise S3ClientError("InvalidRequest", message)
        return b"".join(window.read(offset) for offset in range(0, len(window), CHUNK))

    @value.setter
    def value(self, new_value: bytes) -> None:
        """Do nothing. moto sets the value of a new key, and this one has its content already."""

    def __deepcopy__(self, _: dict[int, Any]) -> Self:
        # To list versions, moto copies every key of the bucket with its content, and keeps each copy forever.
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def dispose(self, garbage: bool = False) -> None:  # noqa: ARG002 (moto's signature)
        """Do nothing. The object is deleted, but its file stays."""
        self.disposed = True


class OpenedKey(FakeKey):
    """An object for one response. Its value is a window onto an open file that nobody replaces."""

    window: Window

    @classmethod
    def of(cls, key: FakeKey, opened: Descriptor) -> Self:
        """Return a copy of `key` with the content of `opened`."""
        twin = object.__new__(cls)
        twin.__dict__.update(key.__dict__)
        twin.window = Window.onto(opened)
        return twin

    @property
    def value(self) -> Window:  # type: ignore[override]
        """The content, not read yet."""
        return self.window

    def dispose(self, garbage: bool = False) -> None:
        """Do nothing. The original closes the buffer."""


def describe(key: FakeKey, status: os.stat_result) -> None:
    """Update `key` from the file's status."""
    facts = Facts.of(status)
    key._etag = facts.etag
    key.contentsize = facts.size
    key.last_modified = facts.modified.replace(tzinfo=None)


def opened(key: FakeKey) -> FakeKey:
    """Return `key` with a value that is read in chunks, if it is large and on disk, or else `key` itself."""
    if isinstance(key, FileKey):
        twin = OpenedKey.of(key, descriptor := key.open())
        describe(twin, descriptor.status)
        return twin
    if key.size < _STREAMED_FROM:
        return key
    with key.lock:
        key._value_buffer.flush()
        return OpenedKey.of(key, Descriptor(os.dup(key._value_buffer.fileno())))
