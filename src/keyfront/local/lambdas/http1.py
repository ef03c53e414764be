"""The part of HTTP/1.1 that Lambda's runtime clients use with the Runtime API, on asyncio's streams."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

_LONGEST_HEAD: Final = 64 * 1024
_LONGEST_BODY: Final = 8 * 1024 * 1024
"""Lambda's results have at most 6 MiB. A longer one is read up to this size, so that it gets a proper error."""


class MalformedError(ValueError):
    """The bytes are not a valid request."""


@dataclass(frozen=True)
class Request:
    """One request. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    """Return the next request, or `None` at the connection's end. Raises `MalformedError` and connection errors."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError:
        raise MalformedError("the head of a request is too long") from None
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3:
        raise MalformedError("a request has no valid request line")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(words[0], words[1], headers, await _body(reader, headers))


def answer(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a whole response, to write at once. Written in two pieces, the second can wait 40 ms for an ACK."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode("latin-1") + body


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            raise MalformedError("a request's Content-Length is not a number")
        return await reader.readexactly(_within(int(length)))
    chunks: list[bytes] = []
    while True:
        try:
            size = int((await reader.readline()).split(b";")[0], 16)
        except ValueError:
            raise MalformedError("a chunk has no length") from None
        if size <= 0:
            break
        chunks.append(await reader.readexactly(_within(size + sum(map(len, chunks))) - sum(map(len, chunks))))
        await reader.readexactly(2)
    while (await reader.readline()).strip():
        pass
    return b"".join(chunks)


def _within(length: int) -> int:
    if length > _LONGEST_BODY:
        raise MalformedError("a request's body is too long")
    return length
