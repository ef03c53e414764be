"""Signing warnings counted, a part of a table at a time: a million rows must not warn a million times."""

import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from keyfront.core.misuse import SigningWarning
from keyfront.integrations.tables.summary import Seen


class _Current(threading.local):
    notes: dict[str, Seen] | None = None


_current = _Current()


@contextmanager
def listening() -> Iterator[None]:
    """Have the signing warnings of this process noted, of whichever thread is inside `noted`."""
    with warnings.catch_warnings():
        listen()
        yield


def listen() -> None:
    """As `listening`, from now on: for a process that does nothing else."""
    warnings.simplefilter("always", SigningWarning)
    before = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if isinstance(message, SigningWarning) and _current.notes is not None:
            add(_current.notes, [Seen(message.finding, str(message), 1)])
        else:
            before(message, category, filename, lineno, file, line)

    warnings.showwarning = show


@contextmanager
def noted() -> Iterator[dict[str, Seen]]:
    """What this thread is warned of inside, by its finding."""
    notes: dict[str, Seen] = {}
    _current.notes = notes
    try:
        yield notes
    finally:
        _current.notes = None


def add(notes: dict[str, Seen], more: Iterable[Seen]) -> None:
    """Count `more` in."""
    for each in more:
        known = notes.get(each.finding)
        notes[each.finding] = each if known is None else Seen(known.finding, known.text, known.times + each.times)
