"""A part of an open file, used in place of its bytes."""

import os
from typing import Final, Self

CHUNK: Final = 512 * 1024
# The WSGI environ key for a response body on disk. The response itself has an empty body.
WINDOW: Final = "keyfront.window"


class Descriptor:
    """An open file, closed with the last `Window` onto it.

    It remembers the file's state when opened, because all bytes sent with one ETag must be of that state.
    """

    def __init__(self, number: int) -> None:
        """Take over the file descriptor `number`."""
        self.number = number
        self.status = os.fstat(number)

    def unchanged(self) -> bool:
        """Return whether the file is still as it was when opened."""
        now = os.fstat(self.number)
        return (now.st_size, now.st_mtime_ns) == (self.status.st_size, self.status.st_mtime_ns)

    def __del__(self) -> None:
        if hasattr(self, "status"):
            os.close(self.number)


class Window:
    """Part of a file, with a length, that can be sliced like `bytes`. Nothing is read until `read`.

    For `Range`, moto takes the length of a body and slices it. Both work here without the bytes in memory.
    """

    def __init__(self, descriptor: Descriptor, start: int, length: int) -> None:
        self._descriptor, self._start, self._length = descriptor, start, length

    @classmethod
    def onto(cls, descriptor: Descriptor) -> Self:
        """Return a window onto the whole file."""
        return cls(descriptor, 0, descriptor.status.st_size)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, cut: slice) -> Self:
        start, stop, _ = slice(cut.start, cut.stop).indices(self._length)
        return type(self)(self._descriptor, self._start + start, max(0, stop - start))

    def read(self, offset: int) -> bytes:
        """Return up to `CHUNK` bytes from `offset` on: fewer at the end, none if the file has changed."""
        size = min(CHUNK, self._length - offset)
        chunk = os.pread(self._descriptor.number, size, self._start + offset)
        return chunk if len(chunk) == size and self._descriptor.unchanged() else b""
