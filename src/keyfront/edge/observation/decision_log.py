"""The log of decisions: a line for each request, to read in a terminal."""

import time
from datetime import datetime
from typing import Final, TextIO

from keyfront.edge.observation.record import Record

_GREEN, _RED, _DIM, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
_KEY_WIDTH: Final = 14
_FLUSH_SECONDS: Final = 0.2
_INDENT: Final = 14
"""The lines that functions logged stand below their request, under its second column."""


class DecisionLog:
    """Writes time, viewer, status, cache result, key-pair id, the reason and the URL without its query string.

    The query string is left out, since it contains the signature, which a reader of the log could use. Colours: green
    for 2xx, dim for 3xx, red for the rest.
    """

    def __init__(self, stream: TextIO, *, colour: bool | None = None) -> None:
        """`colour`: whether to use colours. `None` means only on a terminal."""
        self._stream = stream
        self._colour = stream.isatty() if colour is None else colour
        self._flushed = 0.0

    def observe(self, record: Record) -> None:
        """Write the record's line."""
        self._stream.write(f"{self._painted(record, line(record))}\n")
        for said in record.viewer.logs:
            self._stream.write(f"{' ' * _INDENT}{_printable(said)}\n")
        now = time.monotonic()
        if record.status >= 400 or now - self._flushed > _FLUSH_SECONDS:
            self._stream.flush()
            self._flushed = now

    def close(self) -> None:
        """Flush the stream. It stays open."""
        self._stream.flush()

    def _painted(self, record: Record, text: str) -> str:
        if not self._colour:
            return text
        paint = _GREEN if 200 <= record.status < 300 else _DIM if 300 <= record.status < 400 else _RED
        return f"{paint}{text}{_PLAIN}"


def line(record: Record) -> str:
    """Return the line of a record, without its line end.

    Control characters that a viewer sent are escaped, since a terminal would execute them.
    """
    outcome = record.outcome
    decision = outcome.decision
    key = (decision.key_pair_id if decision else None) or "-"
    when = datetime.fromtimestamp(outcome.at).astimezone().strftime("%H:%M:%S.%f")[:-3]
    parts = (
        when,
        f"{outcome.ip or '-':<15}",
        f"{record.status}",
        f"{outcome.cache:<10}",
        f"{_printable(key)[:40]:<{_KEY_WIDTH}}",
        f"{outcome.reason:<22}",
        f"{_printable(outcome.method)} {_printable(outcome.url)}",
        "" if record.complete else "(broken off)",
    )
    return "  ".join(parts).rstrip()


def _printable(text: str) -> str:
    return text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
