"""Which path pattern of a cache behavior a path falls under.

Source: Developer Guide, "Path pattern": CloudFront normalises a path as RFC 3986 has it and matches that. The edge
routes by it, and the diagnosis says which behavior a request met.
"""

import re
from collections.abc import Callable

from keyfront.core.resource import wildcard

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def normalise(path: str) -> str:
    """RFC 3986, section 6.2.2: unreserved characters decoded, dot segments resolved; and repeated slashes merged."""
    if "%" in path:
        path = _ESCAPE.sub(_decode_unreserved, path)
    return resolve(path) if "//" in path or "/." in path else path


def resolve(path: str) -> str:
    """Dot segments resolved (RFC 3986, section 5.2.4) and repeated slashes merged."""
    kept: list[str] = []
    segments = path.split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    slash = "/" if kept and segments[-1] in ("", ".", "..") else ""
    return "/" + "/".join(kept) + slash


def path_matcher(pattern: str) -> Callable[[str], object]:
    """What tells whether a normalised path, without its first slash, falls under `pattern` (true or false).

    A path pattern may start with a slash or not; it is matched against the path alone, and case counts.
    """
    if pattern == "*":
        return _anything
    return wildcard(normalise("/" + pattern.removeprefix("/"))[1:]).fullmatch


def _anything(_: str) -> bool:
    return True


def _decode_unreserved(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()
