"""Request collapsing: viewers who want the same object while it is on its way share one request to the origin.

Source: Developer Guide, "Simultaneous requests for the same object (request collapsing)". A response that cannot be
cached goes only to the first viewer. It is then fetched once for each of the others. Assumed: all viewers of a
collapsed request see the first one's result in `X-Cache`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from keyfront.edge.cache.objects import CacheKey, Entry, Ticket
from keyfront.edge.cache.stream import Stream
from keyfront.edge.origin.failures import BrokenBodyError
from keyfront.edge.response.pages import EdgeResponse, Headers


class FlightKey(NamedTuple):
    """An object, and the requested part of it."""

    key: CacheKey
    range: str
    if_range: str


@dataclass(frozen=True, slots=True)
class Coming:
    """A response that is passed on from the origin. Its body may still be on its way."""

    status: int
    headers: Headers
    """For viewers, without the headers that the edge adds to every response."""
    length: int | None
    body: Stream | bytes
    """The body as a stream, or whole if it arrived at once."""


@dataclass(frozen=True, slots=True)
class Landing:
    """The result of a request to the origin."""

    what: Entry | EdgeResponse | Coming
    x_cache: bytes
    is_shared: bool
    """Whether all waiting viewers get it."""


class Flight:
    """One request to an origin, from its start to the last byte of the response."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self._landed: asyncio.Future[Landing] = asyncio.get_running_loop().create_future()
        # Marks the exception as seen, even if no viewer is left to see it.
        self._landed.add_done_callback(lambda landed: landed.cancelled() or landed.exception())
        self._task: asyncio.Task[None] | None = None
        self._viewers = 0

    def land(self, landing: Landing) -> None:
        """Give the result to all who wait for it."""
        if not self._landed.done():
            self._landed.set_result(landing)

    async def landing(self) -> Landing:
        """Return the result. Raises what the request to the origin raised."""
        return await asyncio.shield(self._landed)

    def start(self, work: Callable[["Flight"], Awaitable[None]], ended: Callable[["Flight"], None]) -> None:
        """Start `work`, which must call `land`. Call `ended` when it has ended or was cancelled."""
        self._task = asyncio.ensure_future(self._run(work, ended))

    async def _run(self, work: Callable[["Flight"], Awaitable[None]], ended: Callable[["Flight"], None]) -> None:
        try:
            await work(self)
        except asyncio.CancelledError:
            self._landed.cancel()
            raise
        except Exception as error:  # noqa: BLE001  raised again in each waiting viewer's task
            if not self._landed.done():
                self._landed.set_exception(error)
            elif isinstance(coming := self._landed.result().what, Coming) and isinstance(coming.body, Stream):
                failed = error if isinstance(error, BrokenBodyError) else BrokenBodyError(502, repr(error))
                coming.body.fail(failed)
        finally:
            ended(self)

    def board(self) -> None:
        """Count one more waiting viewer."""
        self._viewers += 1

    def leave(self) -> bool:
        """Count one viewer fewer. When the last one leaves, the work is cancelled and `True` returned."""
        self._viewers -= 1
        if self._viewers == 0 and self._task is not None:
            self._task.cancel()
        return self._viewers == 0


class Flights:
    """The requests to origins that are under way and can be joined."""

    def __init__(self) -> None:
        self._under_way: dict[FlightKey, Flight] = {}

    def join(self, key: FlightKey) -> Flight | None:
        """Join and return the flight for `key`, if one began after the last invalidation of its object."""
        flight = self._under_way.get(key)
        if flight is None or not flight.ticket.is_valid:
            return None
        flight.board()
        return flight

    def launch(self, key: FlightKey | None, ticket: Ticket, work: Callable[[Flight], Awaitable[None]]) -> Flight:
        """Start a flight that others can join under `key`, or with `None` a flight for one viewer."""
        flight = Flight(ticket)
        flight.board()
        if key is not None:
            self._under_way[key] = flight
        flight.start(work, lambda ended: self.close(key, ended))
        return flight

    def close(self, key: FlightKey | None, flight: Flight) -> None:
        """Stop others from joining `flight`."""
        if key is not None and self._under_way.get(key) is flight:
            del self._under_way[key]
