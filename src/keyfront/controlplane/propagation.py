"""When a change has reached every edge: what turns `InProgress` into `Deployed` (and `Completed`)."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from keyfront.errors import InputError


@dataclass
class _Pending:
    version: str
    edges: set[str]
    """Who has yet to report this version."""


class Propagation:
    """The edges, and the changes that some of them have not applied yet.

    A subject is a distribution, whose version is its ETag, or an invalidation, whose version is its id. Once a
    version has reached everybody it stays deployed: an edge that starts later takes nothing back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._edges: set[str] = set()
        self._pending: dict[str, _Pending] = {}

    def register(self, edge: str) -> None:
        """From now on changes wait for `edge`, those under way too. A restarted edge registers again."""
        with self._lock:
            self._edges.add(edge)
            for pending in self._pending.values():
                pending.edges.add(edge)

    def forget(self, edge: str) -> None:
        """Nothing waits for `edge` any more."""
        with self._lock:
            self._edges.discard(edge)
            for subject in list(self._pending):
                self._reached(subject, edge)

    def applied(self, edge: str, versions: Mapping[str, str]) -> None:
        """`edge` serves these versions (`{distribution id: ETag}`). `InputError` when it has not registered."""
        with self._lock:
            if edge not in self._edges:
                raise InputError(f"edge {edge!r} reports what it serves, but is not registered: register it first")
            for subject, version in versions.items():
                pending = self._pending.get(subject)
                if pending is not None and pending.version == version:
                    self._reached(subject, edge)

    def invalidated(self, edge: str, invalidation_ids: Iterable[str]) -> None:
        """`edge` has dropped what these invalidations name. `InputError` when it has not registered."""
        self.applied(edge, {identifier: identifier for identifier in invalidation_ids})

    def changed(self, subject: str, version: str) -> None:
        """A new version of `subject`: it is under way to every registered edge."""
        with self._lock:
            self._pending.pop(subject, None)
            if self._edges:
                self._pending[subject] = _Pending(version, set(self._edges))

    def removed(self, subject: str) -> None:
        """`subject` is no more."""
        with self._lock:
            self._pending.pop(subject, None)

    def under_way(self, subject: str, version: str) -> bool:
        """Whether an edge has yet to apply this version of `subject`."""
        with self._lock:
            pending = self._pending.get(subject)
            return pending is not None and pending.version == version

    def _reached(self, subject: str, edge: str) -> None:
        pending = self._pending[subject]
        pending.edges.discard(edge)
        if not pending.edges:
            del self._pending[subject]
