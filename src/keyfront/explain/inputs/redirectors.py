"""Take a link out of the link of another service: a mail filter, a chat, a redirect, an image proxy.

Most services put the link into a parameter (`url=`), into the path or behind the `#`; some write it in hexadecimal,
in base64 or in a form of their own. Sources: the services' own links. Nothing is requested, so a short link, which
only its service can resolve, stays as it is.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from keyfront.core.urls import SIGNING_PARAMETERS
from keyfront.explain.inputs.repairs import SIGNING
from keyfront.explain.pasted_link import Repair

_LINK = re.compile(r"https?:/", re.IGNORECASE)
_WHOLE = re.compile(r"https?:/+[^/?#\s]+\.[^/?#\s]+[/?]", re.IGNORECASE)
_BARE = re.compile(r"(?:ssl:|//)?((?:[a-z0-9-]+\.)+[a-z]{2,}/.*)", re.IGNORECASE)
_PROOFPOINT: Final = "urldefense"
_TOKEN = re.compile(r"[A-Za-z0-9_+/-]{40,}={0,2}")
_START = re.compile(r"https?(?::|%(?:25)*3A)(?:/|%(?:25)*2F)", re.IGNORECASE)
_COMPLETE = re.compile(r"[?&]Signature=[^&]+.*[?&]Key-Pair-Id=|[?&]Key-Pair-Id=.*[?&]Signature=[^&]+", re.DOTALL)
_REDIRECTING: Final = frozenset(
    ("url", "u", "q", "to", "target", "dest", "destination", "redirect", "redirect_uri", "redirect_url", "redir",
     "link", "href", "goto", "continue", "next", "r", "l", "src", "image", "img", "uri", "returnurl", "return",
     "go", "out")
)  # fmt: skip
"""Parameters in which other services take a link."""
_DISCORD = re.compile(r"/external/[^/]+/(?:(%3F[^/]+)/)?(https?)/(.+)", re.IGNORECASE)
_PHOTON = re.compile(r"i[0-9]\.wp\.com")


def inner(text: str, keep: Callable[[str], bool]) -> tuple[str, Repair | None]:
    """Return the signed link inside `text`, which is another service's link; or `text` if there is none.

    `keep` returns whether a host is CloudFront's, so that a link in its parameters or its path is part of its own link.
    """
    found = re.match(r"(?:https?:/+)?([^/?#]+)([/?#].*)", text, re.IGNORECASE | re.DOTALL)
    if found is None or keep(found[1].lower()):
        return text, None
    host, rest = found[1].lower(), found[2]
    link = _coded(rest)
    if _PROOFPOINT in host:
        link = _of_proofpoint(rest)
    elif link is None and SIGNING.search(_decoded(rest)):
        link = _in_order(host, rest)
    return (
        (text, None) if link is None else (link, Repair("url-not-as-sent", f"it was inside a link of {_named(host)}"))
    )


def arrives_whole(outer: str) -> bool:
    """Return whether all of the inner link arrives: it was encoded before it was put into `outer`."""
    parts = [part.partition("=") for part in outer.partition("?")[2].partition("#")[0].split("&")]
    return not (
        any(_is_plain(value) for _, _, value in parts) and any(name in SIGNING_PARAMETERS for name, _, _ in parts)
    )


def _is_plain(value: str) -> bool:
    """Return whether a link was put into a parameter as it is, so that its own & ends the parameter."""
    return "?" in value and _link(value) is not None


def _named(host: str) -> str:
    return host if re.fullmatch(r"[a-z0-9.-]{1,80}(?::\d+)?", host) else "another service"


def _decoded(text: str) -> str:
    for _ in range(3):
        plain = unquote(text)
        if plain == text:
            break
        text = plain
    return text


def _in_order(host: str, rest: str) -> str | None:
    """Return the signed link in a parameter, behind the # or in the path, in that order."""
    path, _, tail = rest.partition("?")
    parts = tail.partition("#")[0].split("&")
    for at, part in enumerate(parts):
        link = _link(part.partition("=")[2] or part)
        if link is not None and _is_plain(part.partition("=")[2]) and part.partition("=")[0].lower() in _REDIRECTING:
            link = "&".join((link, *parts[at + 1 : _last(parts, at) + 1]))
        if link is not None and SIGNING.search(link):
            if not _is_plain(part.partition("=")[2] or part) or _COMPLETE.search(link):
                return link
            # Its other parameters look like the outer link's. Those after the signing parameters are.
            return "&".join((link, *parts[at + 1 : _last(parts, at) + 1]))
    behind = _link(rest.partition("#")[2])
    if behind is not None and SIGNING.search(behind):
        return behind
    if start := _START.search(path[1:]):
        link = path[1 + start.start() :]
        # Its own slashes are encoded, so a plain one ends it.
        link = link if _LINK.match(link) and "/" in start[0] else unquote(link.partition("/")[0])
        return f"{link}?{tail}" if tail and "?" not in link else link
    if found := _DISCORD.match(path):
        return f"{found[2]}://{found[3]}{unquote(found[1] or '')}"
    if _PHOTON.fullmatch(host) and (hosted := _BARE.match(path.lstrip("/"))):
        return f"https://{hosted[1]}?{tail}"
    return None


def _last(parts: Sequence[str], at: int) -> int:
    """Return the place of the last signing parameter in a query string, or else `at`."""
    return max((n for n, each in enumerate(parts) if each.partition("=")[0] in SIGNING_PARAMETERS), default=at)


def _link(value: str) -> str | None:
    """Return the link in a parameter's value, decoded as often as it needs; `None` if the value is not one."""
    for _ in range(4):
        if _WHOLE.match(value):
            return value
        plain = unquote(value)
        if plain == value:
            break
        value = plain
    bare = _BARE.fullmatch(value)
    return f"https://{bare[1]}" if bare and SIGNING.search(bare[1]) else None


def _of_proofpoint(rest: str) -> str | None:
    """Return the link in Proofpoint's: version 3 has it between `__`, version 2 in `u`, with - for % and _ for /."""
    if third := re.search(r"/v3/__(.+?)__;", rest, re.DOTALL):
        return re.sub(r"^(https?):/+", r"\1://", third[1])
    second = re.search(r"[?&]u=([^&]+)", rest)
    return unquote(second[1].replace("-", "%").replace("_", "/")) if second else None


def _coded(rest: str) -> str | None:
    """Return the signed link in hexadecimal or base64, as some image proxies and filters write it."""
    for token in _tokens(rest):
        for plain in _readings(token):
            if _WHOLE.match(plain) and (SIGNING.search(_decoded(plain)) or _coded(plain.partition("://")[2])):
                return plain
    return None


def _tokens(rest: str) -> Iterator[str]:
    query = rest.partition("?")[2].partition("#")[0]
    if any(part.partition("=")[0] in SIGNING_PARAMETERS for part in query.split("&")):
        return  # A signed link of CloudFront's: its own policy and signature are such tokens.
    path, *values = re.split(r"[?&#]", rest)
    for value in (*path.split("/"), *(each.partition("=")[2] for each in values)):
        if _TOKEN.fullmatch(unquote(value)):
            yield unquote(value)


def _readings(token: str) -> Iterator[str]:
    if re.fullmatch(r"(?:[0-9a-f]{2})+", token):
        yield bytes.fromhex(token).decode("utf-8", "replace")
    bare = token.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        yield base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return
