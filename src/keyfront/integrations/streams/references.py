"""The addresses that stand in a manifest: where, what for, and where a player that reads them would go.

A manifest is never written anew. Each address is a span of its text, and only such spans are changed.
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
"""`playlist`: an HLS playlist. `location`: where an MPD is fetched anew. `remote`: a piece of an MPD, elsewhere.
`media`: what is played as it is (segments, keys, initialisations, data). `base`: a folder, which nobody asks for."""

# Browsers and Python disagree about where these lead: a signature could go to another host than the one judged.
_AMBIGUOUS = re.compile(r"[\x00-\x1f\x7f\\]|^\s|\s$|^(?:[a-z]+:)?///|^https?:(?!//)", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):")
_QUOTES: Final = {'"': "&quot;", "'": "&apos;"}


@dataclass(frozen=True, slots=True)
class Reference:
    """One address in a manifest's text."""

    start: int
    end: int
    uri: str
    """As a player reads it: escapes undone."""
    role: Role
    bases: tuple[str, ...]
    """The absolute URLs that it is resolved against; an empty one is not known."""
    target: str | None = None
    """With the playlist's variables put in, where that makes a difference."""
    trouble: str = ""
    """Why it cannot be known where it leads."""
    xml: bool = False
    absolute: bool = False
    """Whether it has to be absolute once the manifest is served from somewhere else."""

    def urls(self) -> tuple[str, ...]:
        """Where a player goes, in the form it sends; several when a manifest offers several hosts.

        Signing parameters are left out. Raises `URLError` for what is not an address on http or cannot be judged.
        """
        if self.trouble:
            raise URLError(self.trouble)
        if not all(self.bases):
            raise URLError("a BaseURL above it is not clear")
        found = [joined(base, self.target or self.uri) for base in self.bases]
        return tuple(dict.fromkeys(viewer_url(without_signature(url).partition("#")[0]) for url in found))

    def written(self, uri: str, text: str) -> str:
        """`uri` as it stands in `text`, the manifest: of what was there already, what is kept is kept to the byte."""
        if not self.xml:
            return uri
        raw = text[self.start : self.end]
        if uri.startswith(self.uri) and "<" not in raw:
            return raw + escape(uri.removeprefix(self.uri), _QUOTES)
        return escape(uri, _QUOTES)


def joined(base: str, uri: str) -> str:
    """`uri` resolved against `base`. Raises `URLError` for one that leads to no host on http, or to who knows which."""
    if _AMBIGUOUS.search(uri):
        raise URLError(f"{shown(uri)} is read in different ways by different players")
    scheme = _SCHEME.match(uri)
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise URLError(f"{scheme[1]}: is not fetched over http")
    try:
        return urljoin(base, uri)
    except ValueError as error:
        raise URLError(f"{shown(uri)} is not an address: {error}") from None


def with_signature(uri: str, query: str) -> str:
    """`uri` with a signature's query behind its own, in place of a signature that it has; before its fragment."""
    bare, mark, fragment = without_signature(uri).partition("#")
    return f"{bare}{'&' if '?' in bare else '?'}{query}{mark}{fragment}"


def without_signature(uri: str) -> str:
    """`uri` without the parameters of a signature, and without a question mark that nothing follows."""
    scheme = _SCHEME.match(uri)
    if scheme and scheme[1].lower() not in ("http", "https"):
        return uri
    head, mark, fragment = uri.partition("#")
    path, _, query = head.partition("?")
    kept = without_signing_parameters(query)
    return f"{path}?{kept}{mark}{fragment}" if kept else f"{path}{mark}{fragment}"


def edited(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """`text` with each span (start, end) replaced; everything else stays as it is."""
    parts: list[str] = []
    place = 0
    for start, end, new in sorted(edits):
        parts += (text[place:start], new)
        place = end
    return "".join([*parts, text[place:]])
