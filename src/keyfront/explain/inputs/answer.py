"""Read a response from a file: a body, headers, or both, as curl, wget and browsers show them."""

import re

from keyfront.explain.responses import Response

_STATUS = re.compile(r"HTTP/[0-9.]+ ([0-9]{3})[^\n]*\n?")
_VERBOSE = re.compile(r"^[<>*{}] ?", re.MULTILINE)
_HEADER = re.compile(r":?([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)")
_STATUS_LINE = re.compile(r"\s*:?status(?: code)?:?\s*([0-9]{3})\b.*\n", re.IGNORECASE)
_USUAL = frozenset(("content-length", "content-type", "date", "server", "via", "x-amz-cf-id", "x-cache"))


def response(text: str) -> Response:
    """Return the response in `text`. A body without a status counts as a 403.

    It may be the output of `curl -i`, `-I` or `-v`, of `wget -S`, or a browser's list of headers. Of several responses
    the last one counts, but a redirect of S3's counts before the response to the request after it.
    """
    text = _plain(text.lstrip("\ufeff").replace("\r\n", "\n"))
    status, headers = 0, dict[str, str]()
    while found := _STATUS.match(text):
        head, _, text = text.partition("\n\n")
        status, headers = int(found[1]), _headers(head[found.end() :])
        whole = Response(status, headers, text)
        if 300 <= status < 400 and whole.kind == "s3":
            return whole
    if not status and (found := _STATUS_LINE.match(text)):
        status, text = int(found[1]), text[found.end() :]
    head = text.partition("\n\n")[0]
    if not headers and _USUAL & _headers(head).keys():
        headers, text = _headers(head), text[len(head) :].lstrip("\n")
    return Response(status or (403 if text.strip() or headers else 0), headers, text)


def _plain(text: str) -> str:
    """Return the response in the output of `curl -v` or `wget -S`, without what they show beside it."""
    lines = text.splitlines(keepends=True)
    if any(line.startswith("< HTTP/") for line in lines):
        received = "".join(line[1:].removeprefix(" ") for line in lines if line.startswith("<") and line[1:2] in " \n")
        return f"{received.rstrip()}\n\n" + "".join(line for line in lines if not _VERBOSE.match(line))
    if any(line.startswith("  HTTP/") for line in lines):
        start = max(at for at, line in enumerate(lines) if line.startswith("  HTTP/"))
        return "".join(line.lstrip(" ") for line in lines[start:] if line.startswith("  "))
    return text


def _headers(head: str) -> dict[str, str]:
    found = (_HEADER.fullmatch(line.strip()) for line in head.splitlines())
    return {each[1].lower(): each[2].strip() for each in found if each}
