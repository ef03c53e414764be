"""Request collapsing: viewers who ask for the same object while it is on its way get it from one request to the origin.

Source: Developer Guide, "Simultaneous requests for the same object (request collapsing)". What turns out not to be
cacheable is for the viewer who asked first alone; the others ask the origin themselves. The result that viewers of a
collapsed request see in `X-Cache` is that of the first: assumed.
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
    """An object, and the part of it that is asked for."""

    key: CacheKey
    range: str
    if_range: str


@dataclass(frozen=True, slots=True)
class Coming:
    """An answer that viewers get as the origin gave it, its body perhaps still on its way."""

    status: int
    headers: Headers
    """For viewers, without those that every answer of the edge's carries."""
    length: int | None
    body: Stream | bytes
    """What comes, or all of it where it is there at once."""


@dataclass(frozen=True, slots=True)
class Landing:
    """What became of a request to the origin."""

    what: Entry | EdgeResponse | Coming
    x_cache: bytes
    is_shared: bool
    """Whether it is for all who wait for it."""


class Flight:
    """One request to an origin, from the asking to the last byte of its answer."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self._landed: asyncio.Future[Landing] = asyncio.get_running_loop().create_future()
        # Nobody may be there any more to see it.
        self._landed.add_done_callback(lambda landed: landed.cancelled() or landed.exception())
        self._task: asyncio.Task[None] | None = None
        self._viewers = 0

    def land(self, landing: Landing) -> None:
        """Let everyone know what to send."""
        if not self._landed.done():
            self._landed.set_result(landing)

    async def landing(self) -> Landing:
        """What to send. Raises what the request to the origin raised."""
        return await asyncio.shield(self._landed)

    def start(self, work: Callable[["Flight"], Awaitable[None]], ended: Callable[["Flight"], None]) -> None:
        """Do `work`, which has to land; call `ended` when it is done or given up."""
        self._task = asyncio.ensure_future(self._run(work, ended))

    async def _run(self, work: Callable[["Flight"], Awaitable[None]], ended: Callable[["Flight"], None]) -> None:
        try:
            await work(self)
        except asyncio.CancelledError:
            self._landed.cancel()
            raise
        except Exception as error:  # noqa: BLE001  it is raised again where a viewer waits for it
            if not self._landed.done():
                self._landed.set_exception(error)
            elif isinstance(coming := self._landed.result().what, Coming) and isinstance(coming.body, Stream):
                failed = error if isinstance(error, BrokenBodyError) else BrokenBodyError(502, repr(error))
                coming.body.fail(failed)
        finally:
            ended(self)

    def board(self) -> None:
        """One more viewer waits for it."""
        self._viewers += 1

    def leave(self) -> bool:
        """One viewer has what they wanted, or has gone; returns whether that was the last, which ends the work."""
        self._viewers -= 1
        if self._viewers == 0 and self._task is not None:
            self._task.cancel()
        return self._viewers == 0


class Flights:
    """What is being asked of origins, and can be waited for."""

    def __init__(self) -> None:
        self._under_way: dict[FlightKey, Flight] = {}

    def join(self, key: FlightKey) -> Flight | None:
        """The flight that brings `key`, if there is one that began after the last invalidation of it."""
        flight = self._under_way.get(key)
        if flight is None or not flight.ticket.is_valid:
            return None
        flight.board()
        return flight

    def launch(self, key: FlightKey | None, ticket: Ticket, work: Callable[[Flight], Awaitable[None]]) -> Flight:
        """A flight that others can join under `key`, or that is for one viewer alone."""
        flight = Flight(ticket)
        flight.board()
        if key is not None:
            self._under_way[key] = flight
        flight.start(work, lambda ended: self.close(key, ended))
        return flight

    def close(self, key: FlightKey | None, flight: Flight) -> None:
        """Let nobody join `flight` any more."""
        if key is not None and self._under_way.get(key) is flight:
            del self._under_way[key]
