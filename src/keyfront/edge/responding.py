"""Respond: what goes back to the viewer, with the headers that every answer of CloudFront's carries."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from keyfront.edge.answers import ERROR, HIT, Answer, Headers
from keyfront.edge.cache import Entry
from keyfront.edge.ranges import UNSATISFIABLE, not_modified, range_applies, span
from keyfront.edge.viewer import ViewerRequest
from keyfront.serving import Message

Send = Callable[[Message], Awaitable[None]]

_PIECE: Final = 256 * 1024
"""Bytes handed over at a time, so that a slow viewer does not hold another copy of a whole object."""
_NOT_MODIFIED_KEEPS: Final = frozenset(
    {b"cache-control", b"content-location", b"date", b"etag", b"expires", b"last-modified", b"vary", b"server"}
)
_BETWEEN_HOPS: Final = frozenset(
    {b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-connection", b"te", b"trailer"}
    | {b"transfer-encoding", b"upgrade", b"content-length", b"age", b"via", b"x-cache", b"x-amz-cf-id", b"x-amz-cf-pop"}
)
# What S3 says of itself does not reach viewers of the real service.
_S3_INTERNAL: Final = frozenset({b"x-amz-id-2", b"x-amz-request-id"})


def passed_on(headers: Headers, *, cookies: bool, s3: bool) -> Headers:
    """An origin's headers as viewers get them. `cookies`: whether the behavior forwards any.

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
    """What the edge adds to every answer, but for the request's id; `marks` are the site's."""
    return [(b"x-cache", x_cache), *marks]


def hit_headers(headers: Headers, body: bytes, status: int, x_cache: bytes, marks: Headers) -> Headers:
    """What a whole object from the cache is sent with, but for `Age` and the request's id."""
    length = [] if status == 204 else [(b"content-length", b"%d" % len(body))]
    return [*headers, *length, *edge_headers(x_cache, marks)]


async def send_answer(send: Send, viewer: ViewerRequest, answer: Answer, marks: Headers) -> None:
    """Send an answer that the edge made."""
    body = answer.body
    headers = [
        *answer.headers,
        (b"content-length", b"%d" % len(body)),
        *edge_headers(answer.x_cache, marks),
        (b"x-amz-cf-id", viewer.id),
    ]
    if answer.close and viewer.http_version.startswith("1"):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if viewer.method == "HEAD" else body})


async def send_entry(
    send: Send, viewer: ViewerRequest, entry: Entry, marks: Headers, now: float, x_cache: bytes = HIT
) -> int:
    """Send an object from the cache, or the part of it that is asked for, or that it has not changed.

    Returns the status that was sent.
    """
    status, body = entry.status, entry.body
    fields = viewer.fields
    age = (b"age", b"%d" % max(0, int(now - entry.born)))
    if x_cache is HIT and not (b"range" in fields or b"if-none-match" in fields or b"if-modified-since" in fields):
        headers = [*entry.hit_headers, age, (b"x-amz-cf-id", viewer.id)]
    else:
        own, status, body = _selected(viewer, entry)
        shown = ERROR if entry.error or status >= 400 else x_cache
        headers = [*own, *edge_headers(shown, marks), age, (b"x-amz-cf-id", viewer.id)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if viewer.method == "HEAD":
        await send({"type": "http.response.body", "body": b""})
    elif len(body) <= _PIECE:
        await send({"type": "http.response.body", "body": body})
    else:
        for start in range(0, len(body), _PIECE):
            more = start + _PIECE < len(body)
            await send({"type": "http.response.body", "body": body[start : start + _PIECE], "more_body": more})
    return status


def _selected(viewer: ViewerRequest, entry: Entry) -> tuple[Headers, int, bytes]:
    """Headers, status and bytes of an entry under the viewer's conditional and range headers."""
    body = entry.body
    if entry.status == 200 and not entry.error and viewer.method in ("GET", "HEAD"):
        if not_modified(viewer.fields, entry.etag, entry.modified):
            return [item for item in entry.headers if item[0] in _NOT_MODIFIED_KEEPS], 304, b""
        modified = entry.fields.get("last-modified", "")
        asked = viewer.header(b"range") if viewer.method == "GET" else ""
        part = span(asked, len(body)) if asked else None
        if part is not None and range_applies(viewer.header(b"if-range"), entry.etag, modified):
            if part is UNSATISFIABLE:
                kept = [item for item in entry.headers if not item[0].startswith(b"content-")]
                return [*kept, (b"content-range", b"bytes */%d" % len(body)), (b"content-length", b"0")], 416, b""
            where = b"bytes %d-%d/%d" % (part.start, part.end - 1, len(body))
            length = (b"content-length", b"%d" % (part.end - part.start))
            return [*entry.headers, (b"content-range", where), length], 206, body[part.start : part.end]
    return [*entry.headers, (b"content-length", b"%d" % len(body))], entry.status, body


async def send_stream(send: Send, status: int, headers: Headers, first: bytes, chunks: AsyncIterator[bytes]) -> None:
    """Send a body as it comes. Backpressure is the server's: `send` waits while the viewer does not read."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if first:
        await send({"type": "http.response.body", "body": first, "more_body": True})
    async for chunk in chunks:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
