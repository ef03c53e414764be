"""Connections to origins: what may be read from one, when it is used again, and what ends it."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.inventory import CustomOrigin

if TYPE_CHECKING:
    from tests.edge.conftest import Laid

NOT_KEPT = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
ALL_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def fresh(laid: Laid) -> Laid:
    """An edge that keeps nothing and asks its origin once."""
    laid.serve(laid.behavior(cache_policy_id=NOT_KEPT, allowed_methods=ALL_METHODS))
    laid.origin.answer("/next", b"next")
    return laid


def say(laid: Laid, path: str, said: bytes, *, close: bool = True) -> set[int]:
    """Let the origin say this to whoever asks for `path`; returns the ports that it is asked from, as they come."""
    ports: set[int] = set()

    def answer(request: BaseHTTPRequestHandler) -> None:
        ports.add(request.client_address[1])
        request.wfile.write(said)
        request.close_connection = close

    laid.origin.handle(path, answer)
    return ports


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        b"HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"Transfer-Encoding: gzip\r\n\r\nok",
        OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: xchunked\r\nContent-Length: 2\r\n\r\nok",
        OK + b"Content-Length: +2\r\n\r\nok",
        OK + b"Content-Length: 2, 2\r\n\r\nok",
        OK + b"Content-Length : 2\r\n\r\nok",
        OK + b"X: a\x00b\r\nContent-Length: 2\r\n\r\nok",
        OK + b"X: a\rContent-Length: 9\r\nContent-Length: 2\r\n\r\nok",
        OK + b": nameless\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 100 Continue\r\nX: "
        + b"a" * 60_000
        + b"\r\n\r\nHTTP/1.1 103 Hints\r\nX: "
        + b"a" * 60_000
        + b"\r\n\r\n",
    ],
)
def test_a_head_that_can_be_read_in_two_ways_is_a_502(fresh: Laid, said: bytes) -> None:
    say(fresh, "/a", said)
    assert fresh.viewer.get("/a").status == 502
    assert fresh.viewer.get("/next").body == b"next"


@pytest.mark.parametrize(
    ("said", "body"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", b"to the end"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", b"old"),
        (b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nnew", b"new"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
         b"ok"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nok\r\n0\r\nSet-Cookie: trailer=1\r\n\r\n", b"ok"),
    ],
)  # fmt: skip
def test_answers_of_every_form_are_read(fresh: Laid, said: bytes, body: bytes) -> None:
    say(fresh, "/a", said)
    reply = fresh.viewer.get("/a")
    assert (reply.status, reply.body, reply.complete) == (200, body, True)
    assert not {"x", "set-cookie"} & reply.headers.keys()


@pytest.mark.parametrize(
    ("said", "is_used_again"),
    [
        (OK + b"Content-Length: 2\r\n\r\nok", True),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: y\r\n\r\n", True),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", False),
        (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok", False),
        (OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", False),
        (OK + b"Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n", False),
    ],
)
def test_a_connection_is_used_again_only_after_an_end_that_is_beyond_doubt(
    fresh: Laid, said: bytes, is_used_again: bool
) -> None:
    ports = say(fresh, "/a", said, close=False)
    replies = [fresh.viewer.get("/a") for _ in range(3)]
    assert [reply.body for reply in replies] == [b"ok"] * 3
    assert len(ports) == (1 if is_used_again else 3)


def test_a_body_that_a_head_request_gets_all_the_same_is_not_the_next_answer(fresh: Laid) -> None:
    poison = OK + b"Content-Length: 6\r\n\r\npoison"
    ports = say(fresh, "/a", OK + b"Content-Length: %d\r\n\r\n" % len(poison) + poison, close=False)
    assert [fresh.viewer.ask("HEAD", "/a").status for _ in range(2)] == [200, 200]
    assert fresh.viewer.get("/next").body == b"next"
    assert len(ports) == 2


class Script:
    """An origin that does what it is told with each connection, one after the other."""

    def __init__(self, *parts: Callable[[socket.socket], None]) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._run, args=(parts,), daemon=True)
        self._thread.start()

    def _run(self, parts: tuple[Callable[[socket.socket], None], ...]) -> None:
        for part in parts:
            connection, _ = self._listening.accept()
            with connection:
                connection.settimeout(20)
                part(connection)

    def close(self) -> None:
        self._thread.join(20)
        self._listening.close()
        assert not self._thread.is_alive(), "a connection that was expected did not come"


@pytest.fixture
def script() -> Iterator[Callable[..., Script]]:
    made: list[Script] = []

    def make(*parts: Callable[[socket.socket], None]) -> Script:
        made.append(Script(*parts))
        return made[-1]

    yield make
    for each in made:
        each.close()


def head_of(connection: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        assert piece, "the edge closed the connection"
        got += piece
    return got


def answered(connection: socket.socket) -> None:
    head_of(connection)
    connection.sendall(OK + b"Content-Length: 2\r\n\r\nok")


def serve_script(laid: Laid, origin: Script, **changes: Any) -> None:
    custom = CustomOrigin(http_port=origin.port, protocol_policy="http-only")
    behavior = laid.behavior(cache_policy_id=NOT_KEPT, allowed_methods=ALL_METHODS)
    laid.serve(behavior, origins=(laid.web(custom=custom, **changes),))


def test_a_connection_that_ends_under_a_repeatable_request_costs_no_attempt(laid: Laid, script: Any) -> None:
    def hangs_up_on_the_second(connection: socket.socket) -> None:
        answered(connection)
        head_of(connection)

    serve_script(laid, script(hangs_up_on_the_second, answered), connection_attempts=1)
    assert [laid.viewer.get("/a").status for _ in range(2)] == [200, 200]


def test_what_may_have_had_an_effect_is_not_sent_again(laid: Laid, script: Any) -> None:
    def hangs_up_on_the_second(connection: socket.socket) -> None:
        answered(connection)
        head_of(connection)

    serve_script(laid, script(hangs_up_on_the_second), connection_attempts=3)
    assert laid.viewer.get("/a").status == 200
    assert laid.viewer.ask("POST", "/a", body=b"").status == 502


def test_what_comes_over_an_idle_connection_ends_it(laid: Laid, script: Any) -> None:
    def says_more_later(connection: socket.socket) -> None:
        answered(connection)
        assert connection.recv(1) == b"", "the edge asked over a connection that it left idle"

    poisoned = threading.Event()

    def poisons(connection: socket.socket) -> None:
        answered(connection)
        connection.sendall(OK + b"Content-Length: 6\r\n\r\npoison")
        poisoned.set()
        assert connection.recv(65536) == b"", "the edge asked over a connection on which more had come"

    serve_script(laid, script(poisons, says_more_later))
    assert laid.viewer.get("/a").body == b"ok"
    assert poisoned.wait(20)
    assert laid.viewer.get("/a").body == b"ok"


def test_an_origin_that_refuses_an_upload_early_need_not_read_it(laid: Laid, script: Any, eventually: Any) -> None:
    def refuses(connection: socket.socket) -> None:
        head_of(connection)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
        while connection.recv(1 << 16):
            pass

    serve_script(laid, script(refuses))
    head = b"PUT /a HTTP/1.1\r\nHost: d1.cloudfront.localhost\r\nContent-Length: 1000000000\r\n\r\n"
    with laid.viewer.connect() as connection, contextlib.suppress(ConnectionError):
        connection.sendall(head)
        while not select.select([connection], [], [], 0)[0]:
            connection.sendall(bytes(10_000))
    # The viewer may see its connection reset: it was still sending.
    eventually(lambda: [outcome.status for outcome in laid.outcomes] == [413])


def test_a_configured_header_that_http_cannot_carry_is_a_502_and_reaches_nobody(laid: Laid) -> None:
    for value in ("a\r\nX-Injected: 1", "a\nb", "a\0b"):
        laid.serve(origins=(laid.web(custom_headers=(("X-Own", value),)),))
        assert laid.viewer.get("/" + value.encode().hex()).status == 502
    assert laid.origin.asked == []
