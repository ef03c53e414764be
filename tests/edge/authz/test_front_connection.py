"""Connections from front doors: HTTP/1.1 on real sockets, and what is refused before any decision."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.edge.authz.front_connection import FrontConnection, Respond
from keyfront.edge.authz.fronts import FrontRequest, FrontResponse
from keyfront.edge.authz.server import FrontListener
from keyfront.web.draining import Drain
from keyfront.web.serving import bind

ONE = b"GET /authz?a=1 HTTP/1.1\r\nHost: h\r\nX-Original-URI: /x\r\n\r\n"


def echo(asked: FrontRequest) -> FrontResponse:
    """What was asked, to the byte."""
    told = [asked.method.encode(), asked.path, asked.query, *(b"%b=%b" % each for each in asked.headers)]
    return FrontResponse(200, [(b"x-reason", b"allowed")], b" ".join(told))


@asynccontextmanager
async def listening(respond: Respond = echo, **options: Any) -> AsyncIterator[FrontListener]:
    listener = FrontListener(respond, bind("127.0.0.1", 0), **options)
    await listener.start()
    try:
        yield listener
    finally:
        await listener.stop(Drain(0))


@asynccontextmanager
async def connected(listener: FrontListener) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        yield reader, writer
    finally:
        writer.close()


def ask(wire: bytes, respond: Respond = echo) -> bytes:
    """All that comes back on one connection until it is closed."""

    async def asking() -> bytes:
        async with listening(respond) as listener, connected(listener) as (reader, writer):
            writer.write(wire)
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), 20)

    return asyncio.run(asking())


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 20))


def test_a_request_is_passed_on_to_the_byte_and_its_answer_has_length_and_date() -> None:
    head, _, body = ask(ONE).partition(b"\r\n\r\n")
    assert body == b"GET /authz a=1 host=h x-original-uri=/x"
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    assert lines[1].startswith(b"date: ")
    assert lines[1].endswith(b" GMT")
    assert lines[2:] == [b"x-reason: allowed", b"content-length: %d" % len(body)]


def test_a_connection_carries_many_requests_also_in_one_write() -> None:
    assert ask(ONE * 4).count(b"HTTP/1.1 200 OK") == 4


class Wire(asyncio.Transport):
    """A connection without a network."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.is_aborted = False

    def write(self, data: Any) -> None:
        self.sent += data

    def is_closing(self) -> bool:
        return False

    def abort(self) -> None:
        self.is_aborted = True


@given(st.lists(st.integers(0, 2 * len(ONE)), max_size=5))
def test_it_does_not_matter_where_the_network_cuts_a_request(cuts: list[int]) -> None:
    async def work() -> None:
        wire, connection = Wire(), FrontConnection(echo, set(), 1)
        connection.connection_made(wire)
        for begin, end in pairwise(sorted({0, *cuts, 2 * len(ONE)})):
            connection.data_received((ONE * 2)[begin:end])
        assert wire.sent.count(b"GET /authz a=1 host=h x-original-uri=/x") == 2

    asyncio.run(work())


def test_a_body_is_dropped_and_the_next_request_is_answered() -> None:
    told = ask(b"GET /authz HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" + ONE)
    assert told.count(b"200 OK") == 2
    assert b"abc" not in told


def test_an_answer_to_head_has_no_body() -> None:
    head, _, body = ask(ONE.replace(b"GET", b"HEAD")).partition(b"\r\n\r\n")
    assert body == b""
    assert b"content-length: 40" in head


@pytest.mark.parametrize(
    "request_",
    [
        ONE.replace(b"1.1", b"1.0"),
        ONE.replace(b"Host", b"Connection: close\r\nHost"),
        ONE.replace(b"Host", b"Connection: upgrade\r\nUpgrade: websocket\r\nHost"),
    ],
)
def test_the_last_request_of_a_connection_is_the_last(request_: bytes) -> None:
    told = ask(request_ + ONE)
    assert told.count(b"HTTP/1.1 200 OK") == 1
    assert b"connection: close" in told


@pytest.mark.parametrize(
    ("wire", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /authz HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"GET /authz HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", b"400"),
        (b"GET /authz HTTP/1.1\r\nX-Real-IP : 192.0.2.1\r\n\r\n", b"400"),
        (b"GET /authz HTTP/1.1\nHost: h\n\n", b"400"),
        (b"GET /authz#x HTTP/1.1\r\nHost: h\r\n\r\n", b"400"),
        (b"GET http://other/authz HTTP/1.1\r\nHost: h\r\n\r\n", b"400"),
        (b"CONNECT other:443 HTTP/1.1\r\nHost: h\r\n\r\n", b"400"),
        (b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
        (b"GET /authz HTTP/1.1\r\nCookie: " + b"a" * 70_000, b"431"),
        (b"GET /" + b"a" * 70_000, b"431"),
    ],
)
def test_what_is_no_clear_request_is_refused_and_the_connection_ends(wire: bytes, status: bytes) -> None:
    def never(_asked: FrontRequest) -> FrontResponse:
        raise AssertionError("nothing was asked")

    told = ask(wire, respond=never)
    assert told.startswith(b"HTTP/1.1 " + status)
    assert told.count(b"HTTP/1.1") == 1
    assert b"connection: close" in told


@pytest.mark.parametrize("headers", [[(b"location", b"/\r\nx-keyfront-reason: allowed")], [(b"location", b"/\nx: y")]])
def test_a_header_never_breaks_out_of_its_line(headers: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        told = ask(ONE, respond=lambda _: FrontResponse(301, headers, b""))
    assert told.startswith(b"HTTP/1.1 500 ")
    assert b"location" not in told


def test_a_decision_that_fails_is_a_500_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_asked: FrontRequest) -> FrontResponse:
        raise RuntimeError("oops")

    told = ask(ONE * 2, respond=broken)
    assert told.count(b"HTTP/1.1 500 ") == 2
    assert b"oops" not in told
    assert "the access check failed" in caplog.text


def test_when_it_stops_idle_connections_close_and_a_request_that_has_begun_is_answered() -> None:
    async def work() -> None:
        async with (
            listening() as listener,
            connected(listener) as (idle, _),
            connected(listener) as (reader, writer),
        ):
            writer.write(ONE + ONE[:20])
            await reader.readuntil(b"x-original-uri=/x")
            stopping = asyncio.ensure_future(listener.stop(Drain(20)))
            assert await idle.read() == b""
            writer.write(ONE[20:])
            last = await reader.read()
            assert last.startswith(b"HTTP/1.1 200 OK")
            assert b"connection: close" in last
            await stopping
            with pytest.raises(ConnectionError):
                await asyncio.open_connection("127.0.0.1", listener.port)

    run(work)


def test_when_it_stops_a_slow_reader_still_gets_the_rest_of_its_answer() -> None:
    body = b"a" * 8_000_000

    async def work() -> None:
        async with (
            listening(lambda _: FrontResponse(200, [], body)) as listener,
            connected(listener) as (reader, writer),
        ):
            writer.write(ONE)
            await reader.readuntil(b"\r\n\r\n")
            stopping = asyncio.ensure_future(listener.stop(Drain(20)))
            assert len(await reader.read()) == len(body)
            await stopping

    run(work)


def test_when_it_stops_half_a_request_holds_nothing_up() -> None:
    async def work() -> None:
        async with listening() as listener, connected(listener) as (reader, writer):
            writer.write(ONE + ONE[:20])
            await reader.readuntil(b"x-original-uri=/x")
            await listener.stop(Drain(0))
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)

    run(work)


def test_of_too_many_connections_the_longest_idle_is_closed() -> None:
    async def work() -> None:
        opened: set[FrontConnection] = set()
        first, second, third = ((Wire(), FrontConnection(echo, opened, 2)) for _ in range(3))
        for wire, connection in (first, second):
            connection.connection_made(wire)
        connection = first[1]
        connection.data_received(ONE)
        assert connection.since > second[1].since
        third[1].connection_made(third[0])
        assert [wire.is_aborted for wire, _ in (first, second, third)] == [False, True, False]

    run(work)


def test_a_connection_without_a_request_is_closed_after_a_while() -> None:
    async def work() -> None:
        async with listening(idle_seconds=0.05) as listener, connected(listener) as (reader, writer):
            writer.write(ONE[:20])
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)

    run(work)
