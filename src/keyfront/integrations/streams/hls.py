"""Find the addresses in an HLS playlist.

Source: RFC 8216, and draft-pantos-hls-rfc8216bis for low latency, variables, content steering and interstitials.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from keyfront.integrations.streams.references import Reference, Role

HEAD: Final = "#EXTM3U"

_LINE = re.compile(r"[^\n]+")
_TAG = re.compile(r"#(EXT[A-Z0-9-]*):")
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=(?:"([^"\n]*)"|[^,"]*)')
_VARIABLE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")
# A player without variables would use the rest as the host, and anyone can register `//{$x}.example.net`.
_PART_OF_A_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]*:)?//(?!\{\$[A-Za-z0-9_-]+\}(?:[/?#]|\Z))[^/?#]*\{\$")
_ADDRESSES: Final = frozenset({"URI", "SERVER-URI", "X-ASSET-URI", "X-ASSET-LIST"})
_PLAYLISTS: Final = frozenset(
    {
        ("EXT-X-MEDIA", "URI"),
        ("EXT-X-I-FRAME-STREAM-INF", "URI"),
        ("EXT-X-IMAGE-STREAM-INF", "URI"),
        ("EXT-X-RENDITION-REPORT", "URI"),
        ("EXT-X-DATERANGE", "X-ASSET-URI"),
    }
)
_ENDED = re.compile(r"^#EXT-X-ENDLIST\s*$", re.MULTILINE)
_VARIANT = re.compile(r"^#EXT-X-STREAM-INF:", re.MULTILINE)
_DURATION = re.compile(r"#EXTINF:\s*(\d+(?:\.\d*)?|\.\d+)\s*(?:,|$)", re.ASCII)
_TITLED: Final = "EXTINF"  # Its title can be any text, and may look like an attribute.


def references(text: str, url: str) -> Iterator[Reference]:
    """Yield every address in the playlist `text`, fetched from `url`, including those in unknown tags."""
    variables: dict[str, str | None] = {}
    tag = ""
    for line in _LINE.finditer(text):
        if line[0].startswith("#"):
            found = _TAG.match(line[0])
            if found is None:
                continue
            tag = found[1]
            if tag == "EXT-X-DEFINE":
                values = {each[1]: each[2] for each in _ATTRIBUTE.finditer(line[0], found.end())}
                if values.get("NAME") and values.get("VALUE") is not None:
                    name, value = values["NAME"], values["VALUE"]
                    # Players disagree about a variable with two values.
                    variables[name] = value if variables.get(name, value) == value else None
            elif tag != _TITLED:
                for attribute in _ATTRIBUTE.finditer(text, line.start() + found.end(), line.end()):
                    if attribute[1] in _ADDRESSES and attribute[2]:
                        role: Role = "playlist" if (tag, attribute[1]) in _PLAYLISTS else "media"
                        yield _reference(attribute.span(2), attribute[2], role, url, variables)
        elif uri := line[0].strip(" \t\r\ufeff"):
            start = line.start() + line[0].index(uri)
            role = "playlist" if tag == "EXT-X-STREAM-INF" else "media"
            yield _reference((start, start + len(uri)), uri, role, url, variables)
            tag = ""


def length(text: str) -> float | None:
    """Return the sum of the segments' durations, in seconds; `None` for a live stream or a master playlist."""
    if not _ENDED.search(text) or _VARIANT.search(text):
        return None
    seconds, segment = 0.0, 0.0
    for line in _LINE.finditer(text):
        if line[0].startswith("#EXTINF:"):
            found = _DURATION.match(line[0])
            if found is None:
                return None
            segment = float(found[1])
        elif not line[0].startswith("#") and line[0].strip(" \t\r\ufeff"):
            seconds, segment = seconds + segment, 0.0
    return seconds


def _reference(span: tuple[int, int], uri: str, role: Role, url: str, variables: Mapping[str, str | None]) -> Reference:
    names = _VARIABLE.findall(uri)
    unknown = [name for name in names if variables.get(name) is None]
    target, trouble = None, ""
    if unknown:
        trouble = f"the playlist does not define {{${unknown[0]}}}, or gives it two values"
    elif names:
        target = _VARIABLE.sub(lambda found: variables[found[1]] or "", uri)
        if _PART_OF_A_HOST.match(uri) or "{$" in target:
            trouble = "players interpret its variables in different ways"
    return Reference(*span, uri, role, (url,), target, trouble, absolute=True)
