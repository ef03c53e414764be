"""The input of a reading of access logs, and the account of what was read."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["w3c", "json", "parquet", "realtime", "har"]
_HOUR = 3600
_LATEST_DELIVERY = 24 * _HOUR
"""Standard logging reference, "Timing of log file delivery": entries can be delayed by up to 24 hours."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time of the wanted requests, in seconds since the epoch: from `since` on, before `until`."""

    since: int | None = None
    until: int | None = None

    def may_hold(self, first: int | None, seconds: int, *, delivered: bool) -> bool:
        """Return whether a file may hold wanted requests: its name gives the time `first`, and `seconds` from there.

        A name gives the hour of the requests. A folder gives the time of the delivery (assumed, so `delivered` allows
        for the longest delay). A file without a time may hold any request.
        """
        if first is None:
            return True
        late = _LATEST_DELIVERY if delivered else _HOUR
        after = self.until is not None and first - late >= self.until
        before = self.since is not None and first + seconds + _HOUR <= self.since
        return not (after or before)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is written."""

    kind: Kind
    fields: tuple[str, ...] = ()
    """The names of the columns, in their order; empty where each row names its own."""
    delimiter: str = "\t"
    compressed: bool = False


@dataclass(frozen=True, slots=True)
class LogFile:
    """A file of a log, on this machine."""

    path: Path
    name: str
    """The name to show."""
    size: int
    """Bytes, as stored."""


@dataclass(slots=True)
class Count:
    """What was read so far."""

    files: int = 0
    bytes: int = 0
    rows: int = 0
    broken: int = 0
    skipped_files: int = 0
    """Files outside the wanted time, by their names."""
    unread: list[tuple[str, str]] = field(default_factory=list)
    """Files that could not be read at all, and why."""
    cut: list[str] = field(default_factory=list)
    """Files that end too early. Their rows up to that point count."""
    samples: list[tuple[str, str]] = field(default_factory=list)
    """Some broken rows: the file's name, and the beginning of the row without its query string."""
    stopped: bool = False
    """Whether Ctrl-C ended the reading. What was read until then counts."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading is."""

    bytes: int
    of_bytes: int
    rows: int
