"""Copies what can be read of a damaged file: a gzip file that ends too early, or is still being written."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from keyfront.account.logs.formats import MOST_EXPANSION

_PIECE: Final = 256 * 1024


def salvage(path: Path, out: Path) -> None:
    """Write the complete lines of a gzip file into `out`, not compressed, as far as it expands like a log.

    Raises `OSError`.
    """
    most = path.stat().st_size * MOST_EXPANSION
    with path.open("rb") as source, out.open("wb") as target:
        rest, written = b"", 0
        for piece in _pieces(source):
            lines, newline, rest = (rest + piece).rpartition(b"\n")
            written += target.write(lines + newline)
            if len(rest) > _PIECE:
                rest = rest[:_PIECE]  # A line without an end is broken, however it goes on.
            if written > most:
                return


def _pieces(source: BinaryIO) -> Iterator[bytes]:
    stream = zlib.decompressobj(wbits=31)
    data = source.read(_PIECE)
    while data:
        try:
            piece = stream.decompress(data, _PIECE)
        except zlib.error:
            return
        if piece:
            yield piece
        if stream.eof:  # CloudFront and Firehose may join several gzip files in one.
            data, stream = stream.unused_data, zlib.decompressobj(wbits=31)
        else:
            data = stream.unconsumed_tail
        data = data or source.read(_PIECE)
