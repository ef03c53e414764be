"""Read the request to explain: from a pasted URL, a curl command or a HAR file."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from keyfront.cli.asked import text_of
from keyfront.errors import InputError

if TYPE_CHECKING:
    from keyfront.explain.inputs.asked import Asked


def read(url: str, cookie: str, curl: str, har: Path | None, ours: Callable[[str], bool]) -> "Asked":
    """Return the request in one of the inputs. `ours` returns whether a host is the distribution's.

    Raises `InputError` if there are too many inputs, or none.
    """
    from keyfront.explain.inputs.asked import Asked

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
