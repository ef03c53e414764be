"""Joins what is known of a request: the outcome from the edge's phases, and the bytes on the connection."""

import time
from collections.abc import Iterable

from keyfront.edge.exchange import Outcome
from keyfront.edge.observation.record import Observer, Witness
from keyfront.edge.request.viewer import Request
from keyfront.web.types import Send


class Desk:
    """The observers of one edge. Give `decided` to the edge as its `on_decision`."""

    def __init__(self, location: str, observers: Iterable[Observer]) -> None:
        """`location`: the edge location's name."""
        self._location = location
        self._observers = list(observers)
        self._witnesses: dict[bytes, Witness] = {}

    @property
    def is_watching(self) -> bool:
        """Whether there is an observer."""
        return bool(self._observers)

    def add(self, observer: Observer) -> None:
        """Call another observer from now on."""
        self._observers.append(observer)

    def watch(self, viewer: Request, send: Send) -> Witness:
        """Watch a request, from now until `end`. Its response must go through the witness."""
        witness = self._witnesses[viewer.id] = Witness(viewer, send)
        return witness

    def decided(self, outcome: Outcome) -> None:
        """Keep the outcome of a watched request until its response has ended."""
        if (witness := self._witnesses.get(outcome.request_id)) is not None:
            witness.outcome = outcome

    def end(self, witness: Witness) -> None:
        """Call the observers. The response has ended, or will never end."""
        del self._witnesses[witness.viewer.id]
        record = witness.record(witness.outcome or _unanswered(witness.viewer), self._location)
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
