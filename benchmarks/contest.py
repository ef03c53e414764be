"""Contests: peers that take turns in short rounds, so that whatever else the machine does hits all of them alike."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from time import process_time

Run = Callable[[float], float]
"""Works for about so many seconds and returns operations a second."""


@dataclass(frozen=True)
class Peer:
    """One who takes part; `missing` says why it cannot."""

    name: str
    run: Run | None = None
    missing: str | None = None
    turns: int | None = None
    """For one whose turns cannot be short: how many it takes at most."""


class PeerError(Exception):
    """A peer that is here and does not work; its text says why."""


@dataclass(frozen=True)
class Result:
    """What a peer did, one figure a round."""

    peer: Peer
    figures: list[float]


@dataclass(frozen=True)
class Aim:
    """What a figure should be: at least or at most a limit, of the figure itself or of its ratio."""

    limit: float
    of: str = "ratio"
    at_most: bool = False

    def met(self, figure: float, ratio: float | None) -> bool:
        """Whether it is reached."""
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
    """Whose figure `ratio` is of."""
    ratio: float | None = None
    aim: Aim | None = None
    missing: str | None = None


def loop(work: Callable[[], object]) -> Run:
    """Calls `work` again and again and counts in seconds of this process's CPU time, which no neighbour slows."""

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
    """Lets every peer that is here work for `seconds` in all, in so many turns; one that fails is out of the race."""
    results = [Result(peer, []) for peer in peers]
    for place, result in enumerate(results):
        if result.peer.turns is None:  # caches fill, compilers compile
            results[place] = _turn(result, seconds / rounds / 4, keep=False)
    for number in range(rounds):
        places = range(len(results))
        for place in places if number % 2 == 0 else reversed(places):
            turns = results[place].peer.turns or rounds
            # One that takes fewer turns takes them spread over the race.
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
    """The table's lines for a race.

    Of a peer's rounds `pick` takes one figure: the best, since what disturbs a computation only ever slows it. The
    ratio is to the figure of the peer named `against`.
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
