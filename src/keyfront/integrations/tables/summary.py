"""The progress of a run, and its result."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run."""

    doing: Literal["signing", "writing"]
    done: int
    """Rows."""
    rows: int | None
    """The number of all rows, if the file contains it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A warning about input that can be signed but is rarely meant: see `SigningWarning`."""

    finding: str
    text: str
    """The first warning's text."""
    times: int
    """The number of signatures with this warning. A signature may serve many rows."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The result of a run."""

    out: Path
    signed: int
    """Rows in `out`."""
    rejected: int
    """Rows that could not be signed."""
    reject: Path | None
    """The file with the rejected rows and the reasons; `None` if there are none."""
    kept: int
    """Rows that an earlier, interrupted run had signed."""
    expires: int | None
    """The expiry of all rows, in seconds since the epoch; `None` if every row has its own."""
    seen: tuple[Seen, ...] = ()
