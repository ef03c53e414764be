"""Read the request to explain: from a pasted URL, a curl command or a HAR file."""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from keyfront.cli.asked import text_of
from keyfront.cli.output import warn
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.explain import Response
    from keyfront.explain.pasted_link import PastedLink


@dataclass(slots=True)
class Asked:
    """The request, from the URL, a curl command or a HAR file."""

    url: str
    cookie: str
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    response: "Response | None" = None
    at: float | None = None
    link: "PastedLink | None" = None
    """The link, if a person pasted it; `None` if a browser recorded the URL."""
    cut: str = ""
    """The URL that a shell leaves of it."""


def read(url: str, cookie: str, curl: str, har: Path | None, ours: Callable[[str], bool]) -> Asked:
    """Return the request in one of the inputs. `ours` returns whether a host is the distribution's.

    Raises `InputError` if there are too many inputs, or none.
    """
    if curl and har:
        raise InputError("give --curl or --har, not both")
    if curl and url:
        raise InputError("give the URL or --curl, not both: the command contains its URL")
    asked = Asked(url, cookie)
    if curl:
        from keyfront.explain.inputs import pasted

        text = sys.stdin.read() if curl == "-" else text_of(Path(curl), "the curl command")
        found = pasted.request(text)
        asked.url, asked.method, asked.headers, asked.cut = found.url, found.method, found.headers, found.cut
        asked.cookie = cookie or found.cookie
    elif har:
        from keyfront.explain.inputs.har import request as recorded_request

        recorded = recorded_request(text_of(har, "the HAR file"), url, ours)
        asked.url, asked.method, asked.at = recorded.url, recorded.method, recorded.at
        asked.cookie = cookie or recorded.cookie
        asked.response, asked.headers = recorded.response, recorded.headers
    if not asked.url.strip():
        raise InputError("give a URL, --curl FILE or --har FILE")
    return asked


def link_of(asked: Asked, hosts: list[str]) -> "PastedLink":
    """Return the link in what was pasted; the URL of a HAR file stays as the browser recorded it."""
    from keyfront.explain.pasted_link import PastedLink, Repair, is_as_made

    if asked.response is not None or (not asked.cut and is_as_made(asked.url)):
        return PastedLink(asked.url)
    from keyfront.explain.inputs import links

    link = links.read(asked.url, hosts)
    if asked.cut:
        lost = Repair(
            "url-not-as-sent", "the URL has no quotes in the command, so that the shell ends it at the first &"
        )
        return replace(link, sent=asked.cut, harmless=False, repairs=(*link.repairs, lost))
    return link


def as_sent(url: str) -> str:
    """Return `url` with its protocol and its host in lower case and without a fragment."""
    sent, fragment, _ = url.partition("#")
    if fragment:
        warn("viewers do not send the part after #: it is ignored")
    scheme, _, rest = sent.partition("://")
    host = re.split(r"[/?]", rest, maxsplit=1)[0]
    tail = rest[len(host) :]
    return f"{scheme.lower()}://{host.lower()}{'' if tail.startswith('/') else '/'}{tail}"


def cookie_header(text: str) -> str:
    """Return a Cookie header from pasted text: a header with its name, or Set-Cookie lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    bare = []
    for line in lines:
        name, colon, value = line.partition(":")
        bare.append(value.strip() if colon and name.strip().lower() in ("cookie", "set-cookie") else line)
    return "; ".join(bare)
