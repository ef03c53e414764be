"""The edge's decisions, for the replies that they belong to."""

import threading
from collections import OrderedDict
from typing import Final

from keyfront.edge.exchange import Outcome

_REMEMBERED: Final = 1000
_NOTED_SECONDS: Final = 10


class Decisions:
    """The last thousand decisions, by the ids of their requests."""

    def __init__(self) -> None:
        self._outcomes: OrderedDict[bytes, Outcome] = OrderedDict()
        self._decided = threading.Condition()

    def note(self, outcome: Outcome) -> None:
        """Remember a decision."""
        with self._decided:
            self._outcomes[outcome.request_id] = outcome
            if len(self._outcomes) > _REMEMBERED:
                self._outcomes.popitem(last=False)
            self._decided.notify_all()

    def reason(self, request_id: bytes) -> str:
        """Return the reason of a decision, which the edge may note a moment after its response."""
        with self._decided:
            self._decided.wait_for(lambda: request_id in self._outcomes, _NOTED_SECONDS)
            return self._outcomes[request_id].reason
