"""Decides whether the `Resource` of a custom policy covers a URL.

Source: Developer Guide, "Values that you specify in the policy statement for a signed URL that uses a custom
policy": a pattern has four sections, `[protocol]://[domain]/[path]\\?[query string]`, and a wildcard matches only
inside its own. If a wildcard reached into the next section, a policy for one domain could open another.

Anyone can send a pattern in a request, and its signature is not checked yet. So this module does not compile or keep
such a pattern, and its work never grows faster than pattern length times URL length.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

_WILDCARD = re.compile(r"[*?]")
# The most common pattern: its only wildcard ends the path, and so matches to the end of the URL.
_FOLDER = re.compile(r"https?://[^/*?\\]+/[^*?\\]*\*")
_PROTOCOL = re.compile(r"[A-Za-z*?]+")


class Sections(NamedTuple):
    """The four sections of a URL, without their separators."""

    protocol: str
    domain: str
    path: str
    query: str


def sections(url: str) -> Sections | None:
    """Return the sections of a request's URL; `None` if it has no protocol or no domain."""
    protocol, separator, rest = url.partition("://")
    location, _, query = rest.partition("?")
    domain, slash, path = location.partition("/")
    if not (separator and protocol and domain) or "/" in protocol or "?" in protocol:
        return None
    return Sections(protocol, domain, slash + path if slash else "/", query)


def covers(pattern: str, url: str) -> bool:
    """Return whether a policy for `pattern` covers `url` (as the viewer sent it, without the signing parameters).

    `\\?` begins the query string. A bare `?` may be a one-character wildcard in its section or begin the query
    string (assumed: the guide's editions differ). Each gives a reading, and one reading that covers the URL is enough.
    A pattern without a protocol must start with `*`, or it covers nothing.
    """
    if pattern == "*":
        return True
    if _FOLDER.fullmatch(pattern) and url.startswith(pattern[:-1]):
        return True
    asked = sections(url)
    if asked is None:
        return False
    protocol, separator, rest = pattern.partition("://")
    if not separator or not _PROTOCOL.fullmatch(protocol):
        if not pattern.startswith("*"):
            return False
        protocol, rest = "*", pattern
    if not matches(protocol, asked.protocol):
        return False
    location, escaped, query = rest.partition("\\?")
    if escaped:
        return _opens(location, asked) and matches(query, asked.query)
    # A `*` at the end of the path (or the domain) also matches the query string: the guide's exceptions. Otherwise a
    # pattern without a query string covers only URLs without one.
    if (rest.endswith("*") or not asked.query) and _opens(rest, asked):
        return True
    return "?" in rest and _opens_up_to_a_mark(rest, asked)


def matches(pattern: str, text: str) -> bool:
    """Return whether all of `text` matches `pattern`: `*` is zero or more characters, `?` exactly one."""
    if pattern == text:
        return True
    first = _WILDCARD.search(pattern)
    if first is None or not text.startswith(pattern[: first.start()]):
        return False
    rest = pattern[first.start() :]
    return rest == "*" or list(_prefixes(rest, text[first.start() :]))[-1]


@lru_cache(maxsize=4096)
def wildcard(pattern: str) -> re.Pattern[str]:
    """Return `pattern` as a compiled regular expression for `fullmatch`, for patterns that are used often.

    Atomic groups keep the time linear in the text for each `*`: the first match of the text after a `*` is as good as
    any other.
    """
    head, *chunks = re.split(r"\*+", pattern)
    compiled = _literal(head)
    if chunks:
        compiled += "".join(f"(?>.*?{_literal(chunk)})" for chunk in chunks[:-1])
        compiled += f".*{_literal(chunks[-1])}"
    return re.compile(compiled, re.DOTALL)


def _opens(location: str, asked: Sections) -> bool:
    """Return whether `location`, a pattern's domain and path, covers the requested URL up to its query string."""
    domain, slash, path = location.partition("/")
    if not matches(domain, asked.domain):
        return False
    return matches(slash + path, asked.path) if slash else _opens_without_path(domain, asked)


def _opens_without_path(domain: str, asked: Sections) -> bool:
    """Return whether a pattern without a path covers the URL: it means the root, or every path if it ends with `*`."""
    return domain.endswith("*") or asked.path == "/"


def _opens_up_to_a_mark(rest: str, asked: Sections) -> bool:
    """Return whether `rest` covers `asked` if one of its bare `?` begins the query string."""
    domain, slash, path = rest.partition("/")
    # fits[n]: the last n characters of `rest` match the query string.
    fits = [not asked.query, *_prefixes(rest[::-1], asked.query[::-1])]

    def query_begins(end: int) -> bool:
        return rest[end : end + 1] == "?" and fits[len(rest) - end - 1]

    if any(
        fit and query_begins(end) and _opens_without_path(domain[:end], asked)
        for end, fit in enumerate(_prefixes(domain, asked.domain), start=1)
    ):
        return True
    return matches(domain, asked.domain) and any(
        fit and query_begins(end) for end, fit in enumerate(_prefixes(slash + path, asked.path), start=len(domain) + 1)
    )


def _prefixes(pattern: str, text: str) -> Iterator[bool]:
    """Yield, for every prefix of `pattern` from one character on, whether it matches all of `text`.

    Bit n of `reached` means that the prefix matches the first n characters. So one step handles one character of the
    pattern for all places in the text at once, and nothing is tried twice.
    """
    whole = (1 << (len(text) + 1)) - 1
    places: dict[str, int] = {}
    for place, character in enumerate(text, start=1):
        places[character] = places.get(character, 0) | 1 << place
    reached = 1
    for character in pattern:
        if character == "*":
            reached = -(reached & -reached) & whole
        else:
            reached = (reached << 1) & (whole if character == "?" else places.get(character, 0))
        yield bool(reached >> len(text))


def _literal(chunk: str) -> str:
    return "".join("." if character == "?" else re.escape(character) for character in chunk)
