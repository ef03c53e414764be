"""Whether the `Resource` of a custom policy covers a URL.

Source: Developer Guide, "Values that you specify in the policy statement for a signed URL that uses a custom
policy": a pattern has four sections, `[protocol]://[domain]/[path]\\?[query string]`, and a wildcard matches only
inside its own. A wildcard that reached over a border would let a policy for one domain open another.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Sections(NamedTuple):
    """The four sections of a URL or of a pattern, without what separates them."""

    protocol: str
    domain: str
    path: str
    query: str


@lru_cache(maxsize=4096)
def wildcard(pattern: str) -> re.Pattern[str]:
    """`pattern` as a regular expression for `fullmatch`: `*` is zero or more characters, `?` exactly one.

    Atomic groups keep the time linear in the text for each `*`: the first place where what follows a `*` fits is
    as good as any other.
    """
    head, *chunks = re.split(r"\*+", pattern)
    compiled = _literal(head)
    if chunks:
        compiled += "".join(f"(?>.*?{_literal(chunk)})" for chunk in chunks[:-1])
        compiled += f".*{_literal(chunks[-1])}"
    return re.compile(compiled, re.DOTALL)


def sections(url: str) -> Sections | None:
    """The sections of a request's URL; `None` if it has no protocol or no domain."""
    protocol, separator, rest = url.partition("://")
    location, _, query = rest.partition("?")
    domain, slash, path = location.partition("/")
    if not (separator and protocol and domain) or "/" in protocol or "?" in protocol:
        return None
    return Sections(protocol, domain, slash + path if slash else "/", query)


def covers(pattern: str, url: str) -> bool:
    """Whether a policy for `pattern` opens `url` (as the viewer sent it, less the signing parameters)."""
    if pattern == "*":
        return True
    asked = sections(url)
    if asked is None:
        return False
    return any(
        all(wildcard(part).fullmatch(text) for part, text in zip(reading, asked, strict=True))
        for reading in readings(pattern)
    )


def readings(pattern: str) -> Iterator[Sections]:
    """Every way to split `pattern` into sections.

    `\\?` begins the query string. A bare `?` may be a one-character wildcard in its section or begin the query
    string (assumed: the guide's editions differ), so each of them gives a reading; a URL that any reading covers
    is covered. A pattern without protocol that does not start with `*` has none.
    """
    protocol, separator, rest = _protocol(pattern)
    if not separator:
        if not pattern.startswith("*"):
            return
        protocol, rest = "*", pattern
    if "\\?" in rest:
        location, _, query = rest.partition("\\?")
        yield _reading(protocol, location, query)
        return
    yield _reading(protocol, rest, None)
    for mark in re.finditer(r"\?", rest):
        yield _reading(protocol, rest[: mark.start()], rest[mark.end() :])


def _protocol(pattern: str) -> tuple[str, str, str]:
    protocol, separator, rest = pattern.partition("://")
    if not separator or not re.fullmatch(r"[A-Za-z*?]+", protocol):
        return "", "", pattern
    return protocol, separator, rest


def _reading(protocol: str, location: str, query: str | None) -> Sections:
    domain, slash, path = location.partition("/")
    path = slash + path
    if query is None:
        # A `*` that ends the path (or the domain) goes on through the sections behind it; these are the guide's
        # exceptions. Without one the pattern covers only a URL that has no query string.
        query = "*" if location.endswith("*") else ""
    if not slash:
        path = "/*" if domain.endswith("*") else "/"
    return Sections(protocol, domain, path, query)


def _literal(chunk: str) -> str:
    return "".join("." if character == "?" else re.escape(character) for character in chunk)
