"""Signatures that are used again: one for a file, or for a folder, until a part of its life has passed.

For a key in KMS, whose `Sign` is a request with a quota (hundreds a second) and a price, and for whoever makes so many
links that signing is their load.
"""

import threading
from collections import OrderedDict
from datetime import timedelta
from typing import Final

from keyfront.core.grants import Grant
from keyfront.core.signing import Signer
from keyfront.errors import InputError

_MOST: Final = 1024


class Reuse:
    """Keeps the grants of a resource and makes a new one when `lifetime` less `fresh` is left of the last.

    So what it gives lives for at least that long and for `lifetime` at most. It keeps those of the `most` resources
    that were asked for last. Safe for threads: however many ask for a resource at once, one signs and the others wait.
    """

    def __init__(self, lifetime: timedelta, *, fresh: timedelta | None = None, most: int = _MOST) -> None:
        """`fresh`: for how long a grant is given out; half of `lifetime` without it. Raises `InputError`."""
        self.lifetime = lifetime
        self._fresh = (lifetime / 2 if fresh is None else fresh).total_seconds()
        if lifetime <= timedelta(0) or not 0 <= self._fresh < lifetime.total_seconds():
            raise InputError(f"a grant of {lifetime} cannot be given out for {fresh}: that has to be shorter")
        self._most = most
        self._lock = threading.Lock()
        self._slots: OrderedDict[tuple[Signer, str], _Slot] = OrderedDict()

    def kept(self, signer: Signer, resource: str) -> Grant | None:
        """The grant that `grant` would give without signing; `None` when it would have to sign."""
        with self._lock:
            slot = self._slots.get((signer, resource))
        return self._fresh_in(slot) if slot else None

    def grant(self, signer: Signer, resource: str) -> Grant:
        """A grant of `signer` for `resource`, made before or now. Raises what `Signer.grant` does."""
        with self._lock:
            slot = self._slots.setdefault((signer, resource), _Slot())
            self._slots.move_to_end((signer, resource))
            while len(self._slots) > self._most:
                self._slots.popitem(last=False)
        with slot.lock:
            grant = self._fresh_in(slot)
            if grant is None:
                grant = slot.grant = signer.grant(resource, expires=self.lifetime)
            return grant

    def _fresh_in(self, slot: "_Slot") -> Grant | None:
        grant = slot.grant
        if grant is None or grant.seconds_left() <= self.lifetime.total_seconds() - self._fresh:
            return None
        return grant


class _Slot:
    __slots__ = ("grant", "lock")

    def __init__(self) -> None:
        self.grant: Grant | None = None
        self.lock = threading.Lock()
