"""One signature for many URLs: a signed pattern, whose parameters are put behind any URL that it covers."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from keyfront.core.resource import covers
from keyfront.core.urls import MAX_URL_BYTES, PATH_AS_SENT, shown, viewer_url, with_parameters
from keyfront.errors import PolicyError, URLError

_PLAIN = re.compile(PATH_AS_SENT)
_ORIGIN = re.compile(r"https?://[^/*?]+(?=/)")
_MOST: Final = MAX_URL_BYTES


class Grant:
    """A signature over `resource`. Whoever holds one URL of it can open all that the resource covers until `expires`.

    Made by `Signer.grant`. Safe to share between threads.
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
        # Only `…/*` is told by a prefix; None sends every other pattern through the whole comparison.
        self._prefix = path[:-1] if found and path[-1:] == "*" and path[:-1] == steady else None

    def url(self, path: str) -> str:
        """The signed URL of `path`: from the host's root (`/…`), in the resource's folder, or a whole URL.

        Raises `URLError` for one that the resource does not cover, and `PolicyError` once the grant has expired.
        """
        self._refuse_expired()
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
        """The same signature as `SignedCookies`. Raises `PolicyError` once the grant has expired."""
        self._refuse_expired()
        return self._cookies

    def parameters(self) -> str:
        """The signature as a query string, for addresses that are put together elsewhere. Raises as `cookies`."""
        self._refuse_expired()
        return self._tail

    def seconds_left(self) -> float:
        """Until it expires, by the signer's clock."""
        return self.expires - self._clock()

    def _checked(self, path: str, whole: str) -> str:
        if "://" in path.partition("?")[0]:
            url = viewer_url(path)
        elif self._origin:
            url = viewer_url(self._origin + whole)
        else:
            raise URLError(f"{shown(self.resource)} names no single host: give the whole URL, https://…")
        if not covers(self.resource, url):
            raise URLError(f"the grant for {shown(self.resource)} does not cover {shown(url)}: it would be refused")
        return with_parameters(url, self._tail)

    def _refuse_expired(self) -> None:
        if self._clock() >= self.expires:
            raise PolicyError(f"the grant for {shown(self.resource)} has expired: ask the signer for a new one")

    def __repr__(self) -> str:
        return f"Grant({shown(self.resource)}, expires={self.expires})"
