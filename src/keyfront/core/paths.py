"""What a path means: the form that behaviors are matched in, and what else an origin might read in it.

Source: Developer Guide, "Path pattern": CloudFront normalises a path as RFC 3986 has it, matches it, and sends
the raw path to the origin. What was judged and what is fetched differ if the origin reads the raw path differently.
`readings` is the one place that knows those readings.
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
# Overlong UTF-8 for "." and "/", which decoders once took.
_OVERLONG = ((b"\xc0\xae", b"."), (b"\xc0\xaf", b"/"))
_MOST_DECODINGS = 3


class Reading(NamedTuple):
    """A path as some origin may understand it."""

    path: str
    """Normalised: behaviors are matched on this."""
    elsewhere: str = ""
    """The place it names, as in a URL, when that is another than the path as sent: policies must cover it too."""


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
    """A function that tells whether a normalised path, without its first slash, falls under `pattern`.

    A path pattern may start with a slash or not; it is matched against the path alone, and case counts.
    """
    if pattern == "*":
        return _anything
    return wildcard(normalise("/" + pattern.removeprefix("/"))[1:]).fullmatch


def written(path: str) -> str:
    """A path out of a configuration as it stands in a URL: what is not legal there is encoded, nothing twice."""
    return quote(path, safe="/%!$&'()*+,;=:@~")


def readings(path: str) -> tuple[Reading, ...]:
    """Every way to read `path`, which starts with a slash. The first is CloudFront's own.

    Assumed, and the safe side of what no public source settles. CloudFront's own reading is RFC 3986's. Others
    are those of origins that decode `%2F`, once or again, take a backslash or an overlong form for what it
    resembles, or drop path parameters (`;…`). A request is let in only if the behavior of each reading that is
    protected lets it in, and a custom policy covers each reading that names another place: a wildcard for
    `/user/42/*` must not open `/user/42/../43/x` or `/user/42/..%2F43/x` at an origin that resolves it.
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
    """`path` decoded once and again, each also without path parameters; bytes as Latin-1 characters."""
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
