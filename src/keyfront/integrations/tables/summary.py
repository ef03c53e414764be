"""The progress of a run, and its result."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    doing: Literal["signing", "writing"]
    done: int
    """Rows."""
    rows: int | None
    """How many there are, if the file says so."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that can be signed and is seldom meant: see `SigningWarning`."""

    finding: str
    text: str
    """The first warning's text."""
    times: int
    """Once for each signature, which may be that of many rows."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a run."""

    out: Path
    signed: int
    """Rows in `out`."""
    rejected: int
    """Rows that could not be signed."""
    reject: Path | None
    """The file that holds these, with the reasons; `None` if there are none."""
    kept: int
    """Rows that an earlier run had signed before it was stopped."""
    expires: int | None
    """The expiry of all rows, in seconds since the epoch; `None` if every row has its own."""
    seen: tuple[Seen, ...] = ()
