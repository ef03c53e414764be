"""The addresses in a manifest: their position, their purpose, and the URL that a player would request.

A manifest is never rewritten as a whole. Each address is a span of its text, and only these spans are changed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urljoin
from xml.sax.saxutils import escape

from keyfront.core.urls import shown, viewer_url, without_signing_parameters
from keyfront.errors import URLError

Role = Literal["playlist", "location", "remote", "media", "base"]
"""`playlist`: an HLS playlist. `location`: where to fetch the MPD again. `remote`: a part of the MPD in another file.
`media`: a file that a player uses (segments, keys, initialisations, data). `base`: a folder, which is not requested."""

# Browsers and Python disagree about where these lead, so a signature could go to another host than the checked one.
_AMBIGUOUS = re.compile(r"[\x00-\x1f\x7f\\]|^\s|\s$|^(?:[a-z]+:)?///|^https?:(?!//)", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_QUOTES: Final = {'"': "&quot;", "'": "&apos;"}


@dataclass(frozen=True, slots=True)
class Reference:
    """One address in a manifest's text."""

    start: int
    end: int
    uri: str
    """As a player reads it, unescaped."""
    role: Role
    bases: tuple[str, ...]
    """The absolute URLs that it is resolved against; an empty string is an unknown one."""
    target: str | None = None
    """With the playlist's variables replaced, if it contains any."""
    trouble: str = ""
    """Why the URL that it leads to is not known."""
    xml: bool = False
    absolute: bool = False
    """Whether it must be absolute if the manifest is served from another address."""

    def urls(self) -> tuple[str, ...]:
        """Return the URLs that a player requests, as it sends them; several if a manifest offers several hosts.

        Signing parameters are left out. Raises `URLError` if it is not an http or https address, or is ambiguous.
        """
        if self.trouble:
            raise URLError(self.trouble)
        if not all(self.bases):
            raise URLError("a BaseURL above it is not clear")
        found = [joined(base, self.target or self.uri) for base in self.bases]
        return tuple(dict.fromkeys(viewer_url(without_signature(url).partition("#")[0]) for url in found))

    def written(self, uri: str, text: str) -> str:
        """Return `uri` as it is written in the manifest `text`. The unchanged part keeps its bytes."""
        if not self.xml:
            return uri
        raw = text[self.start : self.end]
        if uri.startswith(self.uri) and "<" not in raw:
            return raw + escape(uri.removeprefix(self.uri), _QUOTES)
        return escape(uri, _QUOTES)


def joined(base: str, uri: str) -> str:
    """Return `uri` resolved against `base`. Raises `URLError` if it does not lead to one http or https URL."""
    if _AMBIGUOUS.search(uri):
        raise URLError(f"players interpret {shown(uri)} in different ways")
    scheme = _SCHEME.match(uri)
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise URLError(f"{scheme[1]}: is not fetched over http")
    try:
        return urljoin(base, uri)
    except ValueError as error:
        raise URLError(f"{shown(uri)} is not an address: {error}") from None


def with_signature(uri: str, query: str) -> str:
    """Return `uri` with a signature's query after its own query. An older signature is replaced."""
    bare, mark, fragment = without_signature(uri).partition("#")
    return f"{bare}{'&' if '?' in bare else '?'}{query}{mark}{fragment}"


def without_signature(uri: str) -> str:
    """Return `uri` without the parameters of a signature, and without a trailing question mark."""
    scheme = _SCHEME.match(uri)
    if scheme and scheme[1].lower() not in ("http", "https"):
        return uri
    head, mark, fragment = uri.partition("#")
    path, _, query = head.partition("?")
    kept = without_signing_parameters(query)
    return f"{path}?{kept}{mark}{fragment}" if kept else f"{path}{mark}{fragment}"


def edited(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """Return `text` with each span (start, end) replaced."""
    parts: list[str] = []
    place = 0
    for start, end, new in sorted(edits):
        parts += (text[place:start], new)
        place = end
    return "".join([*parts, text[place:]])
