"""One signature for many URLs: the parameters of a signed pattern, appended to any URL that it covers.

`Reuse` keeps such signatures for a file or a folder until a part of their lifetime has passed. It is meant for keys in
KMS, where each `Sign` is a request with a quota (hundreds a second) and a price, and for services that sign a lot.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, Protocol, Unpack

from keyfront.core.options import Terms
from keyfront.core.resource import covers
from keyfront.core.urls import MAX_URL_BYTES, PATH_AS_SENT, link_url, not_text, shown, with_parameters
from keyfront.errors import InputError, PolicyError, URLError

_PLAIN = re.compile(PATH_AS_SENT)
_ORIGIN = re.compile(r"https?://[^/*?]+(?=/)")
_MOST: Final = MAX_URL_BYTES


class Grant:
    """A signature over `resource`. Each URL made with it opens everything that the resource covers, until `expires`.

    `Signer.grant` makes it. Threads can share it.
    """

    __slots__ = ("_clock", "_cookies", "_folder", "_origin", "_prefix", "_tail", "expires", "resource")

    def __init__(self, resource: str, expires: int, cookies: Mapping[str, str], clock: Callable[[], float]) -> None:
        self.resource = resource
        self.expires = expires
        """Seconds since the epoch."""
        self._cookies = cookies
        self._clock = clock
        self._tail = "&".join(f"{name.removeprefix('CloudFront-')}={value}" for name, value in cookies.items())
        found = _ORIGIN.match(resource)
        self._origin = found[0] if found else ""
        path = resource[len(self._origin) :]
        steady = re.split(r"[*?]", path, maxsplit=1)[0]
        self._folder = steady[: steady.rfind("/") + 1]
        # For `…/*` a prefix decides; None means that the whole pattern must be compared.
        self._prefix = path[:-1] if found and path[-1:] == "*" and path[:-1] == steady else None

    def url(self, path: str) -> str:
        """Return the signed URL of `path`: from the host's root (`/…`), in the resource's folder, or a whole URL.

        Raises `URLError` if the resource does not cover it, and `PolicyError` if the grant has expired.
        """
        self._refuse_expired()
        if not isinstance(path, str):
            raise not_text(path, "url")
        whole = path if path[:1] == "/" else self._folder + path
        if (
            self._prefix is not None
            and whole.startswith(self._prefix)
            and "://" not in path
            and _PLAIN.fullmatch(whole)
        ):
            signed = f"{self._origin}{whole}?{self._tail}"
            if len(signed) <= _MOST:
                return signed
        return self._checked(path, whole)

    def cookies(self) -> Mapping[str, str]:
        """Return the same signature as `SignedCookies`. Raises `PolicyError` if the grant has expired."""
        self._refuse_expired()
        return self._cookies

    def parameters(self) -> str:
        """Return the signature as a query string, for code that builds URLs itself. Raises as `cookies` does."""
        self._refuse_expired()
        return self._tail

    def seconds_left(self) -> float:
        """Return the seconds until it expires, by the signer's clock."""
        return self.expires - self._clock()

    def _checked(self, path: str, whole: str) -> str:
        if "://" in path.partition("?")[0]:
            url = link_url(path)
        elif self._origin:
            url = link_url(self._origin + whole)
        else:
            text = f"{shown(self.resource)} does not name a single host: give the whole URL, https://…"
            raise URLError(text, reason="scheme-missing", member="path")
        if not covers(self.resource, url):
            text = f"the grant for {shown(self.resource)} does not cover {shown(url)}: CloudFront would refuse it"
            raise URLError(text, reason="resource-does-not-cover", member="path")
        return with_parameters(url, self._tail)

    def _refuse_expired(self) -> None:
        if self._clock() >= self.expires:
            text = f"the grant for {shown(self.resource)} has expired: ask the signer for a new one"
            raise PolicyError(text, reason="expired", member="expires", value=self.expires)

    def __repr__(self) -> str:
        return f"Grant({shown(self.resource)}, expires={self.expires})"


class Grantor(Protocol):
    """Makes grants, as a `Signer` does."""

    def grant(self, resource: str, **terms: Unpack[Terms]) -> Grant:
        """Return a new grant for `resource`."""


class Reuse:
    """Keeps the grant of a resource, and makes a new one when only `lifetime` minus `fresh` is left of it.

    So a returned grant is valid for at least that long, and for at most `lifetime`. It keeps the grants of the `most`
    resources that were used last. Threads can share it: if many need a grant for one resource at once, one signs and
    the others wait.
    """

    def __init__(self, lifetime: timedelta, *, fresh: timedelta | None = None, most: int = 1024) -> None:
        """`fresh` is how long a grant is reused: half of `lifetime` if not given. Raises `InputError`."""
        self.lifetime = lifetime
        self._fresh = (lifetime / 2 if fresh is None else fresh).total_seconds()
        if lifetime <= timedelta(0) or not 0 <= self._fresh < lifetime.total_seconds():
            raise InputError(f"a grant of {lifetime} cannot be reused for {fresh}: fresh must be shorter than lifetime")
        self._most = most
        self._lock = threading.Lock()
        self._slots: OrderedDict[tuple[Grantor, str], _Slot] = OrderedDict()

    def kept(self, signer: Grantor, resource: str) -> Grant | None:
        """Return the grant that `grant` would return without signing; `None` if it would have to sign."""
        with self._lock:
            slot = self._slots.get((signer, resource))
        return self._fresh_in(slot) if slot else None

    def grant(self, signer: Grantor, resource: str) -> Grant:
        """Return a grant of `signer` for `resource`: a kept one or a new one. Raises as `Signer.grant` does."""
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
