"""A part of an open file that takes the place of its bytes."""

import os
from typing import Final, Self

CHUNK: Final = 512 * 1024
# Where an answer that is on the disk waits in a WSGI environ, beside its empty body.
WINDOW: Final = "keyfront.window"


class Descriptor:
    """An open file, closed with the last `Window` onto it.

    It remembers what the file was when it was opened: bytes that are sent under one ETag must all be of that file.
    """

    def __init__(self, number: int) -> None:
        """Takes over the file descriptor `number`."""
        self.number = number
        self.status = os.fstat(number)

    def unchanged(self) -> bool:
        """Whether the file is still as it was opened."""
        now = os.fstat(self.number)
        return (now.st_size, now.st_mtime_ns) == (self.status.st_size, self.status.st_mtime_ns)

    def __del__(self) -> None:
        if hasattr(self, "status"):
            os.close(self.number)


class Window:
    """Part of a file, with a length, that can be cut like `bytes`: nothing is read until `read`.

    moto's handling of `Range` measures a body and cuts it, and does both to this without ever holding the bytes.
    """

    def __init__(self, descriptor: Descriptor, start: int, length: int) -> None:
        self._descriptor, self._start, self._length = descriptor, start, length

    @classmethod
    def onto(cls, descriptor: Descriptor) -> Self:
        """The whole file."""
        return cls(descriptor, 0, descriptor.status.st_size)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, cut: slice) -> Self:
        start, stop, _ = slice(cut.start, cut.stop).indices(self._length)
        return type(self)(self._descriptor, self._start + start, max(0, stop - start))

    def read(self, offset: int) -> bytes:
        """At most `CHUNK` bytes from `offset` on; fewer at the end, and none when the file was changed meanwhile."""
        size = min(CHUNK, self._length - offset)
        chunk = os.pread(self._descriptor.number, size, self._start + offset)
        return chunk if len(chunk) == size and self._descriptor.unchanged() else b""
