"""Where what is seen of an edge comes together: an outcome from its phases, the bytes from the connection."""

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
        self._observers = tuple(observers)
        self._outcomes: dict[bytes, Outcome] = {}
        self._watched: set[bytes] = set()

    def decided(self, outcome: Outcome) -> None:
        """Remember what became of a request until its answer has ended."""
        if outcome.request_id in self._watched:
            self._outcomes[outcome.request_id] = outcome

    @contextmanager
    def watching(
        self, viewer: Request, client: tuple[str, int] | None, receive: Receive, send: Send
    ) -> Iterator[tuple[Receive, Send]]:
        """Watch one request; inside, these `receive` and `send` are to be used. Observers are told at the end."""
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
        """Let every observer write what it holds."""
        for observer in self._observers:
            observer.close()


def _unanswered(viewer: Request) -> Outcome:
    """Of a request whose viewer had gone before there was an answer."""
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
