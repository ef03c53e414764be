"""Find the addresses in an MPEG-DASH manifest (MPD).

Source: ISO/IEC 23009-1, sections 5.3.9 (segments), 5.5 (remote elements) and 5.6 (base URLs). expat gives the position
of each element, so the text can stay unchanged. A document type is refused: an MPD does not need one, and only a
document type can declare entities.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from keyfront.errors import InputError, URLError
from keyfront.integrations.streams.references import Reference, Role, joined

_HOLDERS: Final = frozenset({"MPD", "Period", "AdaptationSet", "Representation", "SubRepresentation"})
"""Elements that may have a BaseURL, which applies to all elements below."""
_ADDRESSES: Final = {
    "SegmentTemplate": frozenset({"media", "index", "initialization", "bitstreamSwitching"}),
    "SegmentURL": frozenset({"media", "index"}),
    "Initialization": frozenset({"sourceURL"}),
    "RepresentationIndex": frozenset({"sourceURL"}),
    "BitstreamSwitching": frozenset({"sourceURL"}),
}
_FOREIGN: Final = frozenset(
    {"ContentProtection", "EventStream", "EssentialProperty", "SupplementalProperty", "Metrics"}
)
"""Elements below these are not read: licence servers, advertisements, other schemes."""
_TEXTS: Final = frozenset({"BaseURL", "Location", "PatchLocation"})
_MOST_DEPTH: Final = 64
_NAME = re.compile(rb"<[^\s/>]+")
_ATTRIBUTE = re.compile(rb"""\s+([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_TAG_END = re.compile(rb"\s*/?>")
_CLOSING = re.compile(rb"</[^>]*>|<[^\s/>]+(?:[^>\"']|\"[^\"]*\"|'[^']*')*/>")
_PLAIN_ID = re.compile(r"(?!.*\.\.)[\w.~+=,@\-]+(?:[/ ][\w.~+=,@\-]+)*")
"""An identifier that cannot change where an address leads."""
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", re.ASCII)
"""ISO 8601, without years and months, which have no fixed length."""
_UNITS: Final = (86_400, 3_600, 60, 1)
_OURS: Final = _HOLDERS | _TEXTS | _ADDRESSES.keys()
_REMOTE: Final = "xlink:href"
_XML_BASE: Final = "xml:base"


@dataclass(slots=True)
class _Holder:
    """An element with its base URLs, the addresses that are relative to them, and the elements below."""

    name: str
    base_urls: list[str] = field(default_factory=list)
    found: list[tuple[int, int, str, Role, str]] = field(default_factory=list)
    below: list["_Holder"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """The contents of an MPD."""

    references: tuple[Reference, ...]
    base_at: int | None
    """The position for a BaseURL of the whole manifest, if it has none."""
    prefix: str
    """The namespace prefix of its elements' names, with the colon."""
    length: float | None
    """Seconds, from the manifest or all of its periods; `None` for a live stream."""


def read(text: str, url: str) -> Found:
    """Find the addresses in the manifest `text`, fetched from `url`. Raises `InputError` if it is not an MPD."""
    reader = _Reader(text)
    root = reader.root
    root_based = bool(root.base_urls)
    ordered = sorted(_references(root, (url,), reader.ids, url, at_root=True), key=lambda each: each.start)
    return Found(tuple(ordered), None if root_based else reader.base_at, reader.prefix, reader.length())


class _Reader:
    """Reads one document, once."""

    def __init__(self, text: str) -> None:
        try:
            self._data = text.encode()
        except UnicodeEncodeError:
            raise InputError("the manifest contains half of a surrogate pair: decode its bytes as UTF-8") from None
        self.root = _Holder("")
        self.prefix = ""
        self._space = ""
        self.ids: set[str] = set()
        self.base_at = 0
        self._dynamic = False
        self._whole: float | None = None
        self._periods_end: float | None = 0.0
        self._path: list[str] = []
        self._holders: list[_Holder] = []
        self._foreign = 0
        self._text: list[str] | None = None
        self._text_at = 0
        self._known = (0, 0)
        # UTF-8, whatever the XML declaration says, because the text was already decoded.
        self._parser = parser = expat.ParserCreate("utf-8", " ")
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(self._data, True)
        except expat.ExpatError as error:
            raise InputError(f"the manifest is not well-formed XML: {error}") from None

    def length(self) -> float | None:
        """Return the stream's length in seconds; `None` if it is live or not given."""
        if self._dynamic:
            return None
        return self._periods_end or None if self._whole is None else self._whole

    def _time(self, name: str, attributes: dict[str, str]) -> None:
        """Record the duration of the MPD or of one of its periods."""
        if name == "MPD":
            self._dynamic = attributes.get("type") == "dynamic"
            self._whole = _seconds(attributes.get("mediaPresentationDuration"))
            return
        # ISO/IEC 23009-1, section 5.3.2.1: a period starts at its `start`, or at the end of the previous period.
        begin = _seconds(attributes.get("start"))
        begin = self._periods_end if begin is None else begin
        duration = _seconds(attributes.get("duration"))
        self._periods_end = None if begin is None or duration is None else begin + duration

    def _doctype(self, *_: object) -> None:
        raise InputError("the manifest has a document type (<!DOCTYPE …>), which can declare entities: remove it")

    def _start(self, expanded: str, given: dict[str, str]) -> None:
        space, qualified = _qualified(expanded)
        prefix, colon, name = qualified.rpartition(":")
        if not self._path:
            if name != "MPD":
                raise InputError(f"the manifest's first element is {qualified}: an MPD begins with MPD")
            self.prefix, self._space = prefix + colon, space
        self._path.append(name)
        if len(self._path) > _MOST_DEPTH:
            raise InputError(f"the manifest's elements are nested more than {_MOST_DEPTH} levels deep")
        if self._foreign or name in _FOREIGN:
            self._foreign += 1
            return
        attributes = {_qualified(key)[1]: value for key, value in given.items()}
        if (space != self._space and name in _OURS) or _XML_BASE in attributes:
            # Players would resolve the addresses below it in different ways.
            strange = _XML_BASE if _XML_BASE in attributes else f"{name} of another namespace than MPD's"
            raise InputError(f"the manifest has {strange}, which players interpret in different ways: remove it")
        if name in ("MPD", "Period"):
            self._time(name, attributes)
        at = self._parser.CurrentByteIndex
        if name in _HOLDERS:
            holder = _Holder(name)
            if self._holders:
                self._holders[-1].below.append(holder)
            else:
                self.root = holder
            self._holders.append(holder)
            if name == "Representation":
                self.ids.add(attributes.get("id", ""))
        wanted = _ADDRESSES.get(name, frozenset())
        if name in _TEXTS:
            self._text, self._text_at = [], self._attributes(at, name, frozenset(), attributes)
        elif wanted or _REMOTE in attributes or len(self._path) == 1:
            end = self._attributes(at, name, wanted, attributes)
            if len(self._path) == 1:
                self.base_at = self._place(end)

    def _attributes(self, at: int, name: str, wanted: frozenset[str], attributes: dict[str, str]) -> int:
        """Record the wanted attributes of the tag that begins at the byte `at`. Return where the tag ends."""
        place = _end(_NAME, self._data, at)
        while found := _ATTRIBUTE.match(self._data, place):
            key = found[1].decode()
            group = 2 if found[2] is not None else 3
            if key in wanted or (key == _REMOTE and not attributes[key].startswith("urn:")):
                role: Role = "remote" if key == _REMOTE else "media"
                self._keep(found.start(group), found.end(group), attributes[key], role, name)
            place = found.end()
        return _end(_TAG_END, self._data, place)

    def _keep(self, start: int, end: int, uri: str, role: Role, name: str) -> None:
        if uri:
            self._holders[-1].found.append((self._place(start), self._place(end), uri, role, name))

    def _characters(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _end(self, _: str) -> None:
        name = self._path.pop()
        if self._foreign:
            self._foreign -= 1
            return
        if name in _TEXTS and self._text is not None:
            whole = "".join(self._text)
            self._text = None
            raw = self._data[self._text_at : self._parser.CurrentByteIndex]
            if uri := whole.strip():
                start = self._text_at + len(raw) - len(raw.lstrip())
                end = start + len(raw.strip())
                folder = name == "BaseURL" and uri.partition("#")[0].partition("?")[0].endswith("/")
                self._keep(start, end, uri, "base" if folder else "media" if name == "BaseURL" else "location", name)
                if name == "BaseURL":
                    self._holders[-1].base_urls.append(uri)
        elif name == "ProgramInformation" and len(self._path) == 1 and not self.root.base_urls:
            # In the schema it comes before the first BaseURL.
            self.base_at = self._place(_end(_CLOSING, self._data, self._parser.CurrentByteIndex))
        if name in _HOLDERS:
            self._holders.pop()

    def _place(self, byte: int) -> int:
        """Return the character position of a byte position."""
        known, characters = self._known if self._known[0] <= byte else (0, 0)
        place = characters + len(self._data[known:byte].decode())
        self._known = (byte, place)
        return place


def _references(
    holder: _Holder, bases: tuple[str, ...], ids: set[str], url: str, *, at_root: bool = False
) -> Iterator[Reference]:
    own = _handed_down(holder, bases)
    leaves = _leaves(holder, bases)
    trouble = "it contains a Representation's id that is not a plain name"
    odd = not all(_PLAIN_ID.fullmatch(each) for each in ids)
    for start, end, uri, role, name in holder.found:
        if name == "BaseURL":
            against = bases
        elif role in ("location", "remote"):
            against = (url,)
        else:
            against = leaves
        if name == "PatchLocation":
            unclear = "patches are not signed, so players fetch the whole manifest instead"
        else:
            unclear = trouble if odd and name == "SegmentTemplate" and "$RepresentationID$" in uri else ""
        absolute = role in ("location", "remote") or (at_root and name == "BaseURL")
        yield Reference(start, end, uri, role, against, trouble=unclear, xml=True, absolute=absolute)
    for each in holder.below:
        yield from _references(each, own, ids, url)


def _handed_down(holder: _Holder, bases: tuple[str, ...]) -> tuple[str, ...]:
    if not holder.base_urls:
        return bases
    return tuple(dict.fromkeys(_joined(base, uri) for base in bases for uri in holder.base_urls))


def _leaves(holder: _Holder, bases: tuple[str, ...]) -> tuple[str, ...]:
    """Return the base URLs for a segment's address: those of each Representation that uses it."""
    own = _handed_down(holder, bases)
    return tuple(dict.fromkeys(base for each in holder.below for base in _leaves(each, own))) or own


def _joined(base: str, uri: str) -> str:
    try:
        return joined(base, uri) if base else ""
    except URLError:
        return ""


def _seconds(duration: str | None) -> float | None:
    found = _DURATION.fullmatch(duration.strip()) if duration else None
    if found is None or not any(found.groups()):
        return None
    return sum(float(part or 0) * seconds for part, seconds in zip(found.groups(), _UNITS, strict=True))


def _qualified(expanded: str) -> tuple[str, str]:
    """Return the namespace, and the name with its prefix, from expat's `namespace name prefix`."""
    parts = expanded.split(" ")
    if len(parts) == 1:
        return "", expanded
    return parts[0], f"{parts[2]}:{parts[1]}" if len(parts) > 2 else parts[1]


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    found = pattern.match(data, at)
    if found is None:
        raise InputError(f"the manifest cannot be read at byte {at:,}")
    return found.end()
