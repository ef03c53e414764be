"""An answer out of a file: a body alone, or with its status line and headers as `curl -i` prints them."""

import re

from keyfront.explain.responses import Response

_STATUS = re.compile(r"HTTP/[0-9.]+ ([0-9]{3})[^\n]*\n")


def response(text: str) -> Response:
    """What came back. A body alone has no status; an error's body is then taken for a 403."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    status = 0
    headers: dict[str, str] = {}
    # A redirect or a 100 Continue may come first: the last answer counts.
    while found := _STATUS.match(text):
        status, headers = int(found[1]), {}
        head, _, text = text.partition("\n\n")
        for line in head.splitlines()[1:]:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
    return Response(status or (403 if text.strip() else 0), headers, text)
