"""What a run says while it works, and what it did."""

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
    """How many there are, where that is known."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that can be signed and is seldom meant: see `SigningWarning`."""

    finding: str
    text: str
    """What was said of the first of them."""
    times: int
    """Once a signature: of a row, or of the many rows that one signature is made for."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did."""

    out: Path
    signed: int
    """Rows in `out`."""
    rejected: int
    """Rows that could not be signed."""
    reject: Path | None
    """Where these are, with the reasons; `None` without any."""
    kept: int
    """Rows that an earlier run, which was killed, had done."""
    expires: int | None
    """What holds for all rows, in seconds since the epoch; `None` when every row says it itself."""
    seen: tuple[Seen, ...] = ()
