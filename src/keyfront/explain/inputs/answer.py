"""Read a response from a file: only a body, or also the status line and headers, as `curl -i` prints them."""

import re

from keyfront.explain.responses import Response

_STATUS = re.compile(r"HTTP/[0-9.]+ ([0-9]{3})[^\n]*\n")


def response(text: str) -> Response:
    """Return the response in `text`. A body without a status counts as a 403."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    status = 0
    headers: dict[str, str] = {}
    # A redirect or a 100 Continue may come first: the last response counts.
    while found := _STATUS.match(text):
        status, headers = int(found[1]), {}
        head, _, text = text.partition("\n\n")
        for line in head.splitlines()[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
    return Response(status or (403 if text.strip() else 0), headers, text)
