"""A pattern next to the URL that it does not cover, with the first difference marked.

`keyfront.core.resource` decides whether a pattern covers a URL. This module only finds where they differ.
"""

from keyfront.core.resource import covers, matches, sections
from keyfront.explain.values import Lineup

_LONGEST = 1000


def texts(expected: str, seen: str) -> Lineup:
    """Return the line-up of two texts that should be equal."""
    if expected == seen:
        return Lineup(expected, seen)
    at = next((n for n, (one, other) in enumerate(zip(expected, seen, strict=False)) if one != other), None)
    if at is None:
        at = min(len(expected), len(seen))
    return Lineup(expected, seen, at, at)


def pattern(resource: str, url: str) -> Lineup:
    """Return the line-up of a `Resource` and a URL, marked at the end of the longest match, section by section."""
    if covers(resource, url):
        return Lineup(resource, url)
    if len(resource) > _LONGEST or len(url) > _LONGEST:
        return texts(resource, url)
    asked = sections(url)
    protocol, separator, rest = resource.partition("://")
    if asked is None or not separator:
        return Lineup(resource, url, 0, 0)
    if not matches(protocol, asked.protocol):
        return _marked(resource, url, 0, protocol, 0, asked.protocol)
    from_here, in_url = len(protocol) + 3, len(asked.protocol) + 3
    domain, slash, tail = rest.partition("/")
    if not matches(domain, asked.domain):
        return _marked(resource, url, from_here, domain, in_url, asked.domain)
    from_here, in_url = from_here + len(domain), in_url + len(asked.domain)
    path, mark, query = _split(slash + tail, asked.path)
    if not matches(path, asked.path):
        return _marked(resource, url, from_here, path, in_url, asked.path)
    from_here, in_url = from_here + len(path) + len(mark), in_url + len(asked.path) + bool(asked.query)
    return _marked(resource, url, min(from_here, len(resource)), query, min(in_url, len(url)), asked.query)


def _split(location: str, path: str) -> tuple[str, str, str]:
    """Split a pattern into path, separator and query string. A `?` separates them if the path then matches."""
    if "\\?" in location:
        return location.partition("\\?")
    for at, character in enumerate(location):
        if character == "?" and matches(location[:at], path):
            return location[:at], "?", location[at + 1 :]
    return location, "", ""


def _marked(resource: str, url: str, offset: int, part: str, url_offset: int, text: str) -> Lineup:
    fits = max(n for n in range(len(part) + 1) if matches(part[:n] + "*", text))
    taken = max((n for n in range(len(text) + 1) if matches(part[:fits], text[:n])), default=0)
    return Lineup(resource, url, offset + fits, url_offset + taken)
