"""Respond: sends responses to the viewer, with the headers that every CloudFront response has."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from keyfront.edge.cache.objects import Entry
from keyfront.edge.cache.pieces import Pieces
from keyfront.edge.cache.ranges import Span, not_modified, range_applies, spans
from keyfront.edge.origin.failures import BrokenBodyError
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import ERROR, HIT, MISS, EdgeResponse, Headers
from keyfront.web.types import Send

_PIECE: Final = 256 * 1024
"""How many bytes are sent at a time, so that a slow viewer does not take a second copy of the object."""
_NOT_MODIFIED_KEEPS: Final = frozenset(
    {b"cache-control", b"content-location", b"date", b"etag", b"expires", b"last-modified", b"vary", b"server"}
)
_BETWEEN_HOPS: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-connection", b"te", b"trailer"}
    | {b"transfer-encoding", b"upgrade", b"content-length", b"age", b"via", b"x-cache", b"x-amz-cf-id", b"x-amz-cf-pop"}
)
# CloudFront removes these headers of S3.
_S3_INTERNAL: Final = frozenset({b"x-amz-id-2", b"x-amz-request-id"})


def passed_on(headers: Headers, *, cookies: bool, s3: bool) -> Headers:
    """Return an origin's headers as viewers get them. `cookies`: whether the behavior forwards any.

    Source: Developer Guide, "HTTP response headers that CloudFront removes or replaces".
    """
    named = {
        name.strip().lower() for key, value in headers if key == b"connection" for name in value.split(b",") if name
    }
    dropped = _BETWEEN_HOPS | named | (_S3_INTERNAL if s3 else frozenset())
    kept = [(name, value) for name, value in headers if name not in dropped and (cookies or name != b"set-cookie")]
    if not any(name == b"server" for name, _ in kept):
        kept.append((b"server", b"CloudFront"))
    return kept


def edge_headers(x_cache: bytes, marks: Headers) -> Headers:
    """Return the headers that the edge adds to every response, except the request's id.

    `marks` are the distribution's.
    """
    return [(b"x-cache", x_cache), *marks]


def hit_headers(headers: Headers, body: bytes, status: int, x_cache: bytes, marks: Headers) -> Headers:
    """Return the headers for a complete object from the cache, except `Age` and the request's id."""
    length = [] if status == 204 else [(b"content-length", b"%d" % len(body))]
    return [*headers, *length, *edge_headers(x_cache, marks)]


async def send_answer(send: Send, viewer: Request, answer: EdgeResponse, marks: Headers) -> None:
    """Send a response that the edge made."""
    body = answer.body
    length = [] if answer.status in (204, 304) else [(b"content-length", b"%d" % len(body))]
    headers = [
        *answer.headers,
        *length,
        *edge_headers(answer.x_cache, marks),
        (b"x-amz-cf-id", viewer.id),
    ]
    if answer.finding:
        headers.append((b"x-keyfront-finding", answer.finding))
    if answer.close and viewer.http_version.startswith("1"):
        headers.append((b"connection", b"close"))
    await send_whole(send, viewer, answer.status, headers, body)


@dataclass(frozen=True, slots=True)
class Selected:
    """The response from an entry under a viewer's conditional and range headers."""

    status: int
    headers: Headers
    """With `Content-Length`, if the response has one."""
    parts: list[Span | bytes]
    """Spans of the entry's body, and the bytes between them."""


def select(viewer: Request, entry: Entry) -> Selected:
    """Return the response from `entry`: the whole object, one or several parts, or 304.

    Sources: Developer Guide, "How CloudFront processes partial requests for an object (range GETs)"; RFC 9110,
    sections 13.2.2, 14.2 and 14.6.
    """
    length = entry.length
    if entry.status == 200 and not entry.error and viewer.method in ("GET", "HEAD"):
        if not_modified(viewer.fields, entry.etag, entry.modified):
            return Selected(304, [item for item in entry.headers if item[0] in _NOT_MODIFIED_KEEPS], [])
        asked = spans(viewer.header(b"range"), length) if viewer.method == "GET" else None
        modified = entry.fields.get("last-modified", "")
        if asked is not None and range_applies(viewer.header(b"if-range"), entry.etag, modified):
            return _partial(entry, asked, viewer.id)
    whole: list[Span | bytes] = [Span(0, length)] if length and viewer.method != "HEAD" else []
    size = [] if entry.status == 204 else [(b"content-length", b"%d" % length)]
    return Selected(entry.status, [*entry.headers, *size], whole)


def is_here(entry: Entry, selected: Selected) -> bool:
    """Return whether the selected parts of `entry` can be sent without a request to the origin."""
    pieces = entry.pieces
    return pieces is None or all(isinstance(each, bytes) or pieces.covers(each) for each in selected.parts)


def _partial(entry: Entry, asked: list[Span], boundary: bytes) -> Selected:
    length = entry.length
    if not asked:
        kept = [item for item in entry.headers if not item[0].startswith(b"content-")]
        return Selected(416, [*kept, (b"content-range", b"bytes */%d" % length), (b"content-length", b"0")], [])
    if len(asked) == 1:
        where = (b"content-range", _content_range(asked[0], length))
        counted = (b"content-length", b"%d" % (asked[0].end - asked[0].start))
        return Selected(206, [*entry.headers, where, counted], [*asked])
    kind = next((value for name, value in entry.headers if name == b"content-type"), b"")
    parts: list[Span | bytes] = []
    for span in asked:
        lines = [b"\r\n--" + boundary if parts else b"--" + boundary]
        lines += [b"Content-Type: " + kind] if kind else []
        lines += [b"Content-Range: " + _content_range(span, length), b"", b""]
        parts += [b"\r\n".join(lines), span]
    parts.append(b"\r\n--" + boundary + b"--\r\n")
    size = sum(len(each) if isinstance(each, bytes) else each.end - each.start for each in parts)
    headers = [item for item in entry.headers if item[0] != b"content-type"]
    headers.append((b"content-type", b"multipart/byteranges; boundary=" + boundary))
    return Selected(206, [*headers, (b"content-length", b"%d" % size)], parts)


def _content_range(span: Span, length: int) -> bytes:
    return b"bytes %d-%d/%d" % (span.start, span.end - 1, length)


async def send_entry(
    send: Send, viewer: Request, entry: Entry, marks: Headers, now: float, x_cache: bytes = HIT
) -> int:
    """Send an object from the cache, the requested parts of it, or 304. Return the status that was sent.

    Every requested byte must be in the cache. Raises `BrokenBodyError` if the cache's disk fails under way.
    """
    fields = viewer.fields
    age = (b"age", b"%d" % max(0, int(now - entry.born)))
    asks = b"range" in fields or b"if-none-match" in fields or b"if-modified-since" in fields
    if x_cache is HIT and entry.pieces is None and not asks:
        headers = [*entry.hit_headers, age, (b"x-amz-cf-id", viewer.id)]
        await send({"type": "http.response.start", "status": entry.status, "headers": headers})
        if viewer.method == "HEAD":
            await send({"type": "http.response.body", "body": b""})
        elif len(entry.body) <= _PIECE:
            await send({"type": "http.response.body", "body": entry.body})
        else:
            await _send_parts(send, entry, [Span(0, len(entry.body))])
        return entry.status
    selected = select(viewer, entry)
    shown = ERROR if entry.error or selected.status >= 400 else x_cache
    headers = [*selected.headers, *edge_headers(shown, marks), (b"x-amz-cf-id", viewer.id)]
    if x_cache is not MISS:
        headers.append(age)
    await send({"type": "http.response.start", "status": selected.status, "headers": headers})
    await _send_parts(send, entry, selected.parts)
    return selected.status


async def _send_parts(send: Send, entry: Entry, parts: list[Span | bytes]) -> None:
    for part in parts:
        if isinstance(part, bytes):
            await send({"type": "http.response.body", "body": part, "more_body": True})
            continue
        start = part.start
        while start < part.end:
            end = min(start + _PIECE, part.end)
            data = entry.body[start:end] if entry.pieces is None else await _read(entry.pieces, start, end)
            await send({"type": "http.response.body", "body": data, "more_body": True})
            start += len(data)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _read(pieces: Pieces, start: int, end: int) -> bytes:
    try:
        return await pieces.read(start, end)
    except OSError as error:
        raise BrokenBodyError(502, f"a body cannot be read from the cache's disk: {error}") from error


async def send_whole(send: Send, viewer: Request, status: int, headers: Headers, body: bytes) -> None:
    """Send a complete body."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if viewer.method == "HEAD" else body})


async def send_stream(send: Send, status: int, headers: Headers, chunks: AsyncIterator[bytes]) -> None:
    """Send a body as it arrives. `send` waits while the viewer does not read."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
