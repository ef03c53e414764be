"""The protected paths, and the decision on a request. `keyfront.core.verification` makes the decision."""

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from keyfront.core import letter_case
from keyfront.core.access import authorise
from keyfront.core.keys import PublicKey
from keyfront.core.paths import path_matcher, readings
from keyfront.core.urls import split_host, viewer_url
from keyfront.core.verification import Check, Decision, ViewerRequest
from keyfront.errors import InputError
from keyfront.integrations.middleware.targets import SentPath
from keyfront.integrations.middleware.trust import Keys, trust

_log = logging.getLogger("keyfront.integrations.middleware")

MAX_PATTERN: Final = 255
"""Developer Guide, "Path pattern"."""

# Whether such a pattern matches a path does not depend on which characters were sent encoded.
_PLAIN = re.compile(r"[A-Za-z0-9\-._~/]*\*?")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as the server reports it."""

    scheme: str
    host: str
    """The Host header as sent."""
    path: SentPath | None
    """`None` if the server's raw path and its decoded path disagree."""
    query: str
    cookie: str
    ip: str


@dataclass(frozen=True, slots=True)
class _Behavior:
    keys: Mapping[str, PublicKey] | None


_PUBLIC: Final = _Behavior(None)


class Protection:
    """Path patterns, and the keys that open them."""

    def __init__(
        self,
        keys: Keys | Callable[[], Keys],
        protect: Iterable[str],
        public: Iterable[str],
        public_url: str | None,
        clock: Callable[[], float],
        *,
        ignore_case: bool | None = None,
    ) -> None:
        protect, public = _patterns("protect", protect), _patterns("public", public)
        if not protect:
            raise InputError('protect is empty, so nothing would be protected: give patterns, such as ["/private/*"]')
        self._trust = trust(keys)
        # A public pattern matches its own spelling only: another spelling may lead to a protected file.
        protecting: Callable[[str], Callable[[str], object]] = path_matcher
        if letter_case.usual() if ignore_case is None else ignore_case:
            protecting = letter_case.folded_matcher
        self._protect = [protecting(pattern) for pattern in protect]
        self._public = [path_matcher(pattern) for pattern in public]
        self._plain = all(_PLAIN.fullmatch(pattern) for pattern in (*protect, *public))
        self._place = None if public_url is None else _place(public_url)
        self._clock = clock

    def judge(self, asked: Asked) -> Decision | None:
        """Return the decision on a request; `None` if its path is public."""
        if asked.path is None:
            return _unreadable("rewritten-path", "the server's raw path and its decoded path differ")
        path, exact = asked.path.path, asked.path.exact
        if not path.startswith("/") or "%00" in path or "\0" in path or "#" in path:
            return _unreadable("invalid-path", "it is not a valid path, or a character in it may end it early")
        site, prefix = self._place or (f"{asked.scheme}://{asked.host}", "")
        path = prefix + path
        ways = readings(path)
        if (exact or self._plain) and not any(self._is_protected(way.path) for way in ways):
            return None
        if not exact:
            return _unreadable("ambiguous-path", "the server gives no raw path, and this path has several forms")
        if self._place is None and not split_host(asked.host.lower()):
            return _unreadable("invalid-host", "the Host header is not a host name")
        url = f"{site}{path}?{asked.query}" if asked.query else f"{site}{path}"
        request = ViewerRequest(url, asked.cookie, asked.ip)
        protected = _Behavior(self._trust())

        def behavior_of(normalised: str) -> _Behavior:
            return protected if self._is_protected(normalised) else _PUBLIC

        decision = authorise(request, behavior_of(ways[0].path), behavior_of, ways, self._clock())
        if decision is not None and not decision.allowed:
            _log.info("refused %s%s: %s", site, ascii(path), decision.reason)
        return decision

    def _is_protected(self, normalised: str) -> bool:
        relative = normalised[1:]
        return not any(matches(relative) for matches in self._public) and any(
            matches(relative) for matches in self._protect
        )


def _unreadable(reason: str, detail: str) -> Decision:
    """Return the refusal of a request that cannot be checked, as CloudFront refuses a URL that is not covered."""
    _log.warning("refused a request (%s): %s", reason, detail)
    return Decision(reason, describe=lambda: (Check("path", False, detail),))


def _patterns(name: str, given: Iterable[str]) -> list[str]:
    if isinstance(given, str):
        raise InputError(f"{name} is the text {given!r}: give a list of patterns, such as [{given!r}]")
    patterns = list(given)
    for pattern in patterns:
        if not pattern or len(pattern) > MAX_PATTERN or not pattern.isascii() or not pattern.isprintable():
            raise InputError(
                f"{name} contains {pattern[:80]!r}: a path pattern is 1 to {MAX_PATTERN} ASCII characters, such as "
                "/private/*; write other characters as in a URL (%C3%A9)"
            )
    return patterns


def _place(public_url: str) -> tuple[str, str]:
    """Return scheme and host of a URL, and its path prefix."""
    url = viewer_url(public_url)
    if "?" in url:
        raise InputError(f"public_url is {public_url!r}: leave out the query string")
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    return f"{scheme}://{host}", f"/{path}".rstrip("/")
