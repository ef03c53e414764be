"""What a run notes beside its parts: what it was asked for, so that the next run can go on with it and nothing else."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path

from keyfront.core.policy import Moment
from keyfront.errors import InputError
from keyfront.integrations.tables.summary import Seen
from keyfront.integrations.tables.terms import TableTerms

_VERSION = 1

Told = dict[str, str | int | float | None]
"""Options by their names."""


@dataclass(frozen=True, slots=True)
class Identity:
    """By what a file is known again."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> "Identity":
        """The identity of the file at `path`. Raises `OSError`."""
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Assembled:
    """The finished files, before they are put in their places."""

    out: Identity
    reject: Identity | None
    signed: int
    rejected: int
    seen: tuple[Seen, ...]


@dataclass(frozen=True, slots=True)
class Journal:
    """A run, from its begin to the last rename."""

    token: str
    """By which its parts are told from those of other runs."""
    source: Identity
    told: Told
    now: float
    """When it was begun, in seconds since the epoch: spans of time are counted from there, in the next run as well."""
    part_rows: int
    assembled: Assembled | None = None

    def to_json(self) -> str:
        """As `read` takes it."""
        return json.dumps({"version": _VERSION, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def read(cls, path: Path) -> "Journal | None":
        """The journal in the file at `path`, `None` without one. Raises `InputError` for one that is none."""
        try:
            found = json.loads(path.read_text("utf-8"))
            if found.pop("version") != _VERSION:
                raise ValueError
            done = found.pop("assembled")
            return cls(**{**found, "source": Identity(**found["source"])}, assembled=_assembled(done))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InputError(
                f"{path} is not a journal of this version of keyfront: --restart begins anew, without what is done"
            ) from None


def _assembled(found: Mapping[str, object] | None) -> Assembled | None:
    if found is None:
        return None
    done: dict[str, object] = {**found, "seen": tuple(Seen(**each) for each in found["seen"])}  # type: ignore[attr-defined]
    for name in ("out", "reject"):
        done[name] = None if found[name] is None else Identity(**found[name])  # type: ignore[arg-type]
    return Assembled(**done)  # type: ignore[arg-type]


def as_told(terms: TableTerms) -> Told:
    """The terms as they were given: a span stays one, so that the same command says the same later."""
    return {each.name: _plain(getattr(terms, each.name)) for each in fields(terms)}


def _plain(value: Moment | str | None) -> str | int | float | None:
    if isinstance(value, timedelta):
        return f"a span of {value.total_seconds():g} s"
    return value.timestamp() if isinstance(value, datetime) else value


def difference(before: Told, now: Told) -> str:
    """What was told otherwise, in words; empty when nothing was."""
    return "; ".join(
        f"{name} was {_shown(before.get(name))} and is {_shown(now.get(name))}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    )


def _shown(value: object) -> str:
    return "not given" if value is None else str(value)
