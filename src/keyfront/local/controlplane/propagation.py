"""Tells when a change has reached every edge: `InProgress` becomes `Deployed`, or `Completed`."""

import threading
from collections.abc import Callable, Iterable, Mapping

from keyfront.errors import InputError


class Propagation:
    """The edges, and the changes that some of them have not applied yet.

    A subject is a distribution, whose version is its ETag, or an invalidation, whose version is its id. Once a
    version has reached everybody it stays deployed: an edge that starts later takes nothing back.

    `changed` and `removed` belong to a transaction of the account, which ends in `keep` or in `undo`. Until then the
    edges still have to report the version before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._edges: set[str] = set()
        self._pending: dict[tuple[str, str], set[str]] = {}
        """By subject and version: who has yet to report it."""
        self._changing: dict[str, set[str]] = {}
        """By subject: its versions that are not the account's yet. None for a subject that is to go."""

    def register(self, edge: str) -> None:
        """From now on changes wait for `edge`, those under way too. A restarted edge registers again."""
        with self._lock:
            self._edges.add(edge)
            for edges in self._pending.values():
                edges.add(edge)

    def forget(self, edge: str) -> None:
        """Nothing waits for `edge` any more."""
        with self._lock:
            self._edges.discard(edge)
            for change in list(self._pending):
                self._reached(change, edge)

    def applied(self, edge: str, versions: Mapping[str, str]) -> None:
        """`edge` serves these versions (`{distribution id: ETag}`). `InputError` when it has not registered."""
        with self._lock:
            if edge not in self._edges:
                raise InputError(f"edge {edge!r} reports what it serves, but is not registered: register it first")
            for change in versions.items():
                if change in self._pending:
                    self._reached(change, edge)

    def invalidated(self, edge: str, invalidation_ids: Iterable[str]) -> None:
        """`edge` has dropped what these invalidations name. `InputError` when it has not registered."""
        self.applied(edge, {identifier: identifier for identifier in invalidation_ids})

    def changed(self, subject: str, version: str) -> None:
        """A new version of `subject`: it is under way to every registered edge."""
        with self._lock:
            self._changing.setdefault(subject, set()).add(version)
            if self._edges:
                self._pending[subject, version] = set(self._edges)

    def removed(self, subject: str) -> None:
        """`subject` is deleted."""
        with self._lock:
            self._changing[subject] = set()

    def keep(self) -> None:
        """Confirm the changes since the last call: nothing waits for the versions before."""
        with self._lock:
            self._drop(lambda subject, version: version not in self._changing[subject])

    def undo(self) -> None:
        """Take back the changes since the last call."""
        with self._lock:
            self._drop(lambda subject, version: version in self._changing[subject])

    def under_way(self, subject: str, version: str) -> bool:
        """Whether an edge has yet to apply this version of `subject`."""
        with self._lock:
            return (subject, version) in self._pending

    def _drop(self, unwanted: Callable[[str, str], bool]) -> None:
        for subject, version in list(self._pending) if self._changing else []:
            if subject in self._changing and unwanted(subject, version):
                del self._pending[subject, version]
        self._changing = {}

    def _reached(self, change: tuple[str, str], edge: str) -> None:
        self._pending[change].discard(edge)
        if not self._pending[change]:
            del self._pending[change]
