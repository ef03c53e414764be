"""Joins what is known of a request: the outcome from the edge's phases, and the bytes on the connection."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from keyfront.edge.exchange import Outcome
from keyfront.edge.observation.record import Observer, Witness
from keyfront.edge.request.viewer import Request
from keyfront.web.types import Message, Receive, Send


class Desk:
    """The observers of one edge. Give `decided` to the edge as its `on_decision`."""

    def __init__(self, location: str, observers: Iterable[Observer]) -> None:
        """`location`: the edge location's name."""
        self._location = location
        self._observers = list(observers)
        self._outcomes: dict[bytes, Outcome] = {}
        self._watched: set[bytes] = set()

    @property
    def is_watching(self) -> bool:
        """Whether there is an observer."""
        return bool(self._observers)

    def add(self, observer: Observer) -> None:
        """Call another observer from now on."""
        self._observers.append(observer)

    def decided(self, outcome: Outcome) -> None:
        """Keep the outcome of a request until its response has ended."""
        if outcome.request_id in self._watched:
            self._outcomes[outcome.request_id] = outcome

    @contextmanager
    def watching(
        self, viewer: Request, client: tuple[str, int] | None, receive: Receive, send: Send
    ) -> Iterator[tuple[Receive, Send]]:
        """Watch one request: use the returned `receive` and `send` in the block. Observers are called at its end."""
        witness = Witness(send)
        self._watched.add(viewer.id)

        async def watched() -> Message:
            message = await receive()
            witness.received(message)
            return message

        try:
            yield watched if viewer.has_body else receive, witness.send
        finally:
            self._watched.discard(viewer.id)
            outcome = self._outcomes.pop(viewer.id, None) or _unanswered(viewer)
            record = witness.record(viewer, outcome, location=self._location, port=client[1] if client else 0)
            for observer in self._observers:
                observer.observe(record)

    def close(self) -> None:
        """Close every observer."""
        for observer in self._observers:
            observer.close()


def _unanswered(viewer: Request) -> Outcome:
    """Return the outcome of a request whose viewer left before there was a response."""
    return Outcome(
        request_id=viewer.id,
        at=time.time(),
        distribution_id="",
        ip=viewer.ip,
        method=viewer.method,
        url=f"{viewer.scheme}://{viewer.host}{viewer.path}",
        status=0,
        cache="Error",
        reason="viewer-gone",
        decision=None,
    )
