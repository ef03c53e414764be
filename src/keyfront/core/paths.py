"""Paths: the normalised form that behaviors are matched with, and other readings an origin may have.

Source: Developer Guide, "Path pattern": CloudFront normalises a path by RFC 3986, matches it, and sends the raw path
to the origin. If the origin reads the raw path differently, it may serve a file that was not checked. Only `readings`
knows those readings.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from keyfront.core.resource import wildcard

_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ENCODED_DOT = re.compile(r"%2e", re.IGNORECASE)
_PATH_PARAMETERS = re.compile(r";[^/]*")
# Overlong UTF-8 for "." and "/", which old decoders accepted.
_OVERLONG = ((b"\xc0\xae", b"."), (b"\xc0\xaf", b"/"))
_MOST_DECODINGS = 3


class Reading(NamedTuple):
    """A path as some origin may read it."""

    path: str
    """The normalised path. Behaviors are matched with it."""
    elsewhere: str = ""
    """The path of the file it leads to, as in a URL, if that differs from the path as sent. Policies must cover it."""


def normalise(path: str) -> str:
    """Return `path` normalised by RFC 3986, section 6.2.2, with repeated slashes merged.

    Unreserved characters are decoded and dot segments resolved.
    """
    if "%" in path:
        path = _ESCAPE.sub(_decode_unreserved, path)
    return resolve(path) if "//" in path or "/." in path else path


def resolve(path: str) -> str:
    """Return `path` with dot segments resolved (RFC 3986, section 5.2.4) and repeated slashes merged."""
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
    """Return a function that checks whether a normalised path, without its first slash, matches `pattern`.

    A path pattern may start with a slash or not. It is matched with the path alone, and case matters.
    """
    if pattern == "*":
        return _anything
    return wildcard(normalise("/" + pattern.removeprefix("/"))[1:]).fullmatch


def written(path: str) -> str:
    """Return a path from a configuration as it is written in a URL. Nothing is encoded twice."""
    return quote(path, safe="/%!$&'()*+,;=:@~")


def readings(path: str) -> tuple[Reading, ...]:
    """Return every way to read `path`, which starts with a slash. The first is CloudFront's own.

    Assumed, and the safe choice, because no public source settles it. CloudFront reads a path by RFC 3986. Some
    origins decode `%2F` once or several times, accept a backslash or an overlong form as a slash or dot, or drop path
    parameters (`;…`). A request is allowed only if the behavior of each protected reading allows it, and if a custom
    policy covers each reading that leads to another file. A wildcard for `/user/42/*` must not open `/user/42/../43/x`
    or `/user/42/..%2F43/x` at an origin that resolves it.
    """
    if "%" not in path and "//" not in path and "/." not in path and ";" not in path:
        return (Reading(path),)
    return _readings(path)


@lru_cache(maxsize=1024)
def _readings(path: str) -> tuple[Reading, ...]:
    as_sent = _ENCODED_DOT.sub(".", path)
    moved = resolve(as_sent) if "//" in as_sent or "/." in as_sent else path
    found = {normalise(path): moved if moved != path else ""}
    for text in _decodings(path):
        resolved = resolve(text)
        found[resolved] = found.get(resolved) or (_in_url(resolved) if _dotted(text) else "")
    return tuple(Reading(path, elsewhere) for path, elsewhere in found.items())


def _decodings(path: str) -> list[str]:
    """Return `path` decoded up to three times, each also without path parameters; bytes as Latin-1 characters."""
    texts = [path]
    for _ in range(_MOST_DECODINGS):
        data = unquote_to_bytes(texts[-1].encode("latin-1"))
        for overlong, plain in _OVERLONG:
            data = data.replace(overlong, plain)
        texts.append(data.decode("latin-1").replace("\\", "/"))
    texts[0] = _ENCODED_DOT.sub(".", path)
    bare = [_PATH_PARAMETERS.sub("", text) for text in texts if ";" in text]
    return list(dict.fromkeys([*texts[1:], *bare]))


def _in_url(path: str) -> str:
    return quote(path, safe="/!$&'()*+,;=:@~", encoding="latin-1")


def _dotted(text: str) -> bool:
    return any(segment in (".", "..") for segment in text.split("/"))


def _anything(_: str) -> bool:
    return True


def _decode_unreserved(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()
