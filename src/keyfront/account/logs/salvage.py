"""Copies what can be read of a damaged file: one that ends too early, or has a line that fills the memory."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from keyfront.account.logs.formats import MOST_EXPANSION

_PIECE: Final = 256 * 1024


def salvage(path: Path, out: Path, *, compressed: bool) -> bool:
    """Write the complete lines of a file into `out`, not compressed, and long lines shortened.

    Returns `False` if the file ends too early, or expands as no log does. Raises `OSError`.
    """
    most = path.stat().st_size * MOST_EXPANSION
    with path.open("rb") as source, out.open("wb") as target:
        rest, written = b"", 0
        try:
            for piece in _unpacked(source) if compressed else _plain(source):
                lines, newline, rest = (rest + piece).rpartition(b"\n")
                written += target.write(lines + newline)
                if len(rest) > _PIECE:
                    rest = rest[:_PIECE]  # A line without an end is broken, however it goes on.
                if written > most:
                    return False
        except (EOFError, zlib.error):
            return False
        target.write(rest)
    return True


def _plain(source: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: source.read(_PIECE), b"")


def _unpacked(source: BinaryIO) -> Iterator[bytes]:
    """Yield the content of a gzip file. Raises `EOFError` or `zlib.error` where it is damaged."""
    data = source.read(_PIECE)
    while data:  # CloudFront and Firehose may join several gzip files in one.
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            if piece := stream.decompress(data, _PIECE):
                yield piece
            elif not stream.eof and not (data := source.read(_PIECE)):
                raise EOFError
            else:
                continue
            data = stream.unconsumed_tail
        data = stream.unused_data or source.read(_PIECE)
