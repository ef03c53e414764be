"""The memory of an edge's process before and after a million requests. Takes two minutes; runs only on request."""

import os
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import servers, warm, wrk
from benchmarks.contest import Aim, PeerError, Row
from benchmarks.edge import OBJECT, Signed

_SECTION = "Edge, resident memory of the process, one worker"
_UNTIL_WARM = 100_000
_REQUESTS = 1_000_000
_TURN_SECONDS = 10


def run(_seconds: float, _rounds: int) -> Iterator[Row]:
    """Request one signed URL, 10,000 signed URLs and cookies in turn, a million times in total."""
    try:
        if wrk.program() is None:
            raise PeerError("wrk is not installed")
        with TemporaryDirectory(prefix="keyfront-bench-") as name:
            content = Path(name) / "content"
            content.mkdir()
            (content / OBJECT).write_bytes(os.urandom(1024))
            with servers.keyfront_up(content) as made:
                yield from _rows(Signed(made), Path(name))
    except PeerError as error:
        yield Row(_SECTION, "keyfront edge", "MB", missing=str(error))


def _rows(edge: Signed, directory: Path) -> Iterator[Row]:
    process = _edge_process(edge.pid)
    warm.up(edge.one())
    targets = [edge.one(), edge.viewers(), edge.cookies()]
    files = [(each.url, each.write(directory / f"{place}.requests")) for place, each in enumerate(targets)]
    turns = cycle(files)
    yield Row(_SECTION, "keyfront edge, at its first request", "MB", _resident(process))
    _ask(turns, _UNTIL_WARM)
    before = _resident(process)
    yield Row(_SECTION, "keyfront edge, when all that it remembers is full", "MB", before)
    asked = _ask(turns, _REQUESTS)
    after = _resident(process)
    name = f"keyfront edge, {asked:,} requests later"
    yield Row(_SECTION, name, "MB", after, "before", after / before, Aim(1.1, at_most=True))


def _ask(turns: Iterator[tuple[str, Path]], wanted: int) -> int:
    asked = turn = 0
    while asked < wanted or turn < 3:
        url, file = next(turns)
        asked, turn = asked + wrk.load(url, file, _TURN_SECONDS).count, turn + 1
    return asked


def _edge_process(parent: int) -> int:
    """Return the id of the edge's process below `keyfront up`."""
    try:
        children = Path(f"/proc/{parent}/task").glob("*/children")
        for child in " ".join(each.read_text() for each in children).split():
            if b"keyfront.edge" in Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0"):
                return int(child)
    except OSError as error:
        raise PeerError(f"processes cannot be inspected here: {error}") from None
    raise PeerError("keyfront up has no process for its edge")


def _resident(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
