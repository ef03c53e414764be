"""The request to explain, as it was pasted or recorded, and the link in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from keyfront.explain.pasted_link import PastedLink, Repair, is_as_made
from keyfront.explain.responses import Response


@dataclass(slots=True)
class Asked:
    """The request, from the URL, a curl command or a HAR file."""

    url: str
    cookie: str
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    response: Response | None = None
    at: float | None = None
    link: PastedLink | None = None
    """The link, if a person pasted it; `None` if a browser recorded the URL."""
    cut: str = ""
    """The URL that a shell leaves of it."""


def link_of(asked: Asked, hosts: Sequence[str]) -> PastedLink:
    """Return the link in what was pasted; the URL of a HAR file stays as the browser recorded it."""
    if asked.response is not None or (not asked.cut and is_as_made(asked.url)):
        return PastedLink(asked.url)
    # Most links need no repair, and compiling its patterns takes longer than the rest.
    from keyfront.explain.inputs import links

    link = links.read(asked.url, hosts)
    if asked.cut:
        lost = Repair(
            "url-not-as-sent", "the URL has no quotes in the command, so that the shell ends it at the first &"
        )
        return replace(link, sent=asked.cut, harmless=False, repairs=(*link.repairs, lost))
    return link


def as_sent(url: str) -> str:
    """Return `url` with its protocol and its host in lower case and without a fragment, which viewers do not send."""
    scheme, _, rest = url.partition("#")[0].partition("://")
    host = re.split(r"[/?]", rest, maxsplit=1)[0]
    tail = rest[len(host) :]
    return f"{scheme.lower()}://{host.lower()}{'' if tail.startswith('/') else '/'}{tail}"


def cookie_header(text: str) -> str:
    """Return a Cookie header from pasted text: a header with its name, or Set-Cookie lines (as in `curl -v`, too)."""
    lines = [line.lstrip("<>* ").rstrip() for line in text.splitlines() if line.strip("<>* ")]
    bare = []
    for line in lines:
        name, colon, value = line.partition(":")
        bare.append(value.strip() if colon and name.strip().lower() in ("cookie", "set-cookie") else line)
    return "; ".join(bare)
