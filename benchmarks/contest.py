"""Contests: peers take turns in short rounds, so that other work on the machine affects all of them alike."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from time import process_time

Run = Callable[[float], float]
"""Works for about this many seconds and returns operations per second."""


@dataclass(frozen=True)
class Peer:
    """A participant. If it cannot take part, `missing` is the reason."""

    name: str
    run: Run | None = None
    missing: str | None = None
    turns: int | None = None
    """The most turns, for a peer with long turns."""


class PeerError(Exception):
    """A peer that is installed but does not work. The text is the reason."""


@dataclass(frozen=True)
class Result:
    """The result of a peer: one figure for each round."""

    peer: Peer
    figures: list[float]


@dataclass(frozen=True)
class Aim:
    """A lower or upper limit for a figure or for its ratio."""

    limit: float
    of: str = "ratio"
    at_most: bool = False

    def met(self, figure: float, ratio: float | None) -> bool:
        """Return whether the aim is met."""
        value = figure if self.of == "figure" else ratio
        return value is not None and (value <= self.limit if self.at_most else value >= self.limit)


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    section: str
    name: str
    unit: str
    figure: float | None = None
    against: str | None = None
    """The peer that `ratio` is relative to."""
    ratio: float | None = None
    aim: Aim | None = None
    missing: str | None = None


def loop(work: Callable[[], object]) -> Run:
    """Return a run that calls `work` repeatedly and counts only this process's CPU time."""

    def run(seconds: float) -> float:
        count, batch, begun = 0, 1, process_time()
        while True:
            for _ in repeat(None, batch):
                work()
            count += batch
            spent = process_time() - begun
            if spent >= seconds:
                return count / spent
            if spent < seconds / 20:
                batch *= 2

    return run


def race(peers: Iterable[Peer], seconds: float, rounds: int) -> list[Result]:
    """Let each available peer work for `seconds` in total, in `rounds` turns. A peer that fails drops out."""
    results = [Result(peer, []) for peer in peers]
    for place, result in enumerate(results):
        if result.peer.turns is None:  # warm up caches and compilers
            results[place] = _turn(result, seconds / rounds / 4, keep=False)
    for number in range(rounds):
        places = range(len(results))
        for place in places if number % 2 == 0 else reversed(places):
            turns = results[place].peer.turns or rounds
            # A peer with fewer turns takes them spread over the race.
            if number * turns // rounds != (number - 1) * turns // rounds:
                results[place] = _turn(results[place], seconds / rounds, keep=True)
    return results


def _turn(result: Result, seconds: float, *, keep: bool) -> Result:
    if result.peer.run is None:
        return result
    try:
        figure = result.peer.run(seconds)
    except PeerError as error:
        return Result(Peer(result.peer.name, missing=str(error)), [])
    return Result(result.peer, [*result.figures, figure]) if keep else result


def rows(
    section: str,
    unit: str,
    results: Sequence[Result],
    *,
    pick: Callable[[list[float]], float] = max,
    against: str | None = None,
    aims: dict[str, Aim] | None = None,
) -> Iterator[Row]:
    """Yield the table's lines for a race.

    `pick` chooses one figure from a peer's rounds: by default the best, because disturbances only slow a computation
    down. The ratio is relative to the figure of the peer named `against`.
    """
    figures = {result.peer.name: pick(result.figures) for result in results if result.figures}
    for result in results:
        name = result.peer.name
        if name not in figures:
            yield Row(section, name, unit, missing=result.peer.missing)
            continue
        other = figures.get(against or "")
        ratio = figures[name] / other if other else None
        yield Row(section, name, unit, figures[name], against if other else None, ratio, (aims or {}).get(name))
