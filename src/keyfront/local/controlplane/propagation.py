"""Propagation of changes: `InProgress` becomes `Deployed` or `Completed` once every edge has applied a change."""

import threading
from collections.abc import Callable, Mapping

from keyfront.errors import InputError


class Propagation:
    """The edges, and the changes that some of them have not applied yet.

    A subject is a distribution (its version is its ETag) or an invalidation (its version is its id). Once every edge
    has a version it stays deployed, even if an edge starts later.

    `changed` and `removed` belong to a transaction of the account, which ends with `keep` or `undo`. Until then the
    edges still report the version before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._edges: set[str] = set()
        self._pending: dict[tuple[str, str], set[str]] = {}
        """The edges that have not reported it yet, by subject and version."""
        self._changing: dict[str, set[str]] = {}
        """The versions of the transaction, by subject. Empty for a removed subject."""

    def register(self, edge: str) -> None:
        """Let changes wait for `edge`, including those under way. A restarted edge registers again."""
        with self._lock:
            self._edges.add(edge)
            for edges in self._pending.values():
                edges.add(edge)

    def forget(self, edge: str) -> None:
        """Stop waiting for `edge`."""
        with self._lock:
            self._edges.discard(edge)
            for change in list(self._pending):
                self._reached(change, edge)

    def applied(self, edge: str, versions: Mapping[str, str]) -> None:
        """Note that `edge` has these versions. Raise `InputError` if `edge` is unknown.

        `versions` is `{distribution id: ETag}`, or an invalidation's id twice.
        """
        with self._lock:
            if edge not in self._edges:
                raise InputError(
                    f"edge {edge!r} is not registered, so it cannot report what it serves: register it first"
                )
            for change in versions.items():
                if change in self._pending:
                    self._reached(change, edge)

    def changed(self, subject: str, version: str) -> None:
        """Start to send a new version of `subject` to every registered edge."""
        with self._lock:
            self._changing.setdefault(subject, set()).add(version)
            if self._edges:
                self._pending[subject, version] = set(self._edges)

    def removed(self, subject: str) -> None:
        """Note that `subject` is deleted."""
        with self._lock:
            self._changing[subject] = set()

    def keep(self) -> None:
        """Confirm the changes since the last call. Nothing waits for older versions any more."""
        with self._lock:
            self._drop(lambda subject, version: version not in self._changing[subject])

    def undo(self) -> None:
        """Undo the changes since the last call."""
        with self._lock:
            self._drop(lambda subject, version: version in self._changing[subject])

    def under_way(self, subject: str, version: str) -> bool:
        """Return whether an edge has not applied this version of `subject` yet."""
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
