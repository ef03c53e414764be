"""Viewers who ask for one object at the same moment, and what the origin sees of them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

from keyfront.edge.cache.invalidations import Invalidation

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Lay, Reply

HOST = "d1.cloudfront.localhost"
MIB = 1024 * 1024
Eventually = Callable[..., None]


class Gate:
    """An origin's handler that begins its answer, and ends it when it is told to."""

    def __init__(self, *, length: int | None, begins: bytes, ends: bytes, control: str = "max-age=60") -> None:
        self.open = threading.Event()
        self.entered = threading.Event()
        self._head = f'HTTP/1.1 200 OK\r\nCache-Control: {control}\r\nETag: "v1"\r\nContent-Length: {length}\r\n\r\n'
        self._begins = begins
        self._ends = ends

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        self.entered.set()
        request.wfile.write(self._head.encode() + self._begins)
        request.wfile.flush()
        assert self.open.wait(20)
        request.wfile.write(self._ends)


class Crowd:
    """Viewers at work at the same time."""

    def __init__(self, laid: Laid, target: str, count: int) -> None:
        self._pool = ThreadPoolExecutor(count)
        self._replies: list[Future[Reply]] = [self._pool.submit(laid.viewer.get, target) for _ in range(count)]

    def replies(self) -> list[Reply]:
        found = [reply.result(20) for reply in self._replies]
        self._pool.shutdown()
        return found


def waiting(laid: Laid) -> int:
    """Viewers who wait for an origin."""
    return sum(flight._viewers for flight in laid.edge._fetcher._flights._under_way.values())


def test_a_hundred_viewers_are_one_request_to_the_origin(laid: Laid, eventually: Eventually) -> None:
    gate = Gate(length=10, begins=b"01234", ends=b"56789")
    laid.origin.handle("/a", gate)
    crowd = Crowd(laid, "/a", 100)
    eventually(lambda: waiting(laid) == 100)
    gate.open.set()
    assert {(reply.status, reply.body, reply.complete) for reply in crowd.replies()} == {(200, b"0123456789", True)}
    assert len(laid.origin.asked) == 1
    assert laid.viewer.get("/a").cache == "Hit"


def test_what_turns_out_not_to_be_cacheable_is_asked_for_by_each(laid: Laid, eventually: Eventually) -> None:
    opened = threading.Event()

    def handler(request: BaseHTTPRequestHandler) -> None:
        assert opened.wait(20)
        number = str(len(laid.origin.asked))
        request.send_response_only(200)
        request.send_header("Cache-Control", "private")
        request.send_header("Content-Length", str(len(number)))
        request.end_headers()
        request.wfile.write(number.encode())

    laid.serve(laid.behavior(cache_policy_id="83da9c7e-98b4-4e11-a168-04f0df8e2c65"))
    laid.origin.handle("/a", handler)
    crowd = Crowd(laid, "/a", 5)
    eventually(lambda: waiting(laid) == 5)
    opened.set()
    assert all(reply.status == 200 for reply in crowd.replies())
    assert len(laid.origin.asked) == 5


def test_when_the_first_viewer_leaves_the_others_get_theirs(laid: Laid, eventually: Eventually) -> None:
    gate = Gate(length=10, begins=b"01234", ends=b"56789")
    laid.origin.handle("/a", gate)
    first = laid.viewer.connect()
    first.sendall(f"GET /a HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    eventually(lambda: waiting(laid) == 1)
    crowd = Crowd(laid, "/a", 3)
    eventually(lambda: waiting(laid) == 4)
    first.close()
    eventually(lambda: waiting(laid) == 3)
    gate.open.set()
    assert [reply.body for reply in crowd.replies()] == [b"0123456789"] * 3
    assert len(laid.origin.asked) == 1


def test_when_all_have_left_the_next_viewer_begins_anew(laid: Laid, eventually: Eventually) -> None:
    gate = Gate(length=10, begins=b"01234", ends=b"56789")
    laid.origin.handle("/a", gate)
    with laid.viewer.connect() as only:
        only.sendall(f"GET /a HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        eventually(gate.entered.is_set)
    eventually(lambda: not laid.edge._fetcher._flights._under_way)
    gate.open.set()
    laid.origin.answer("/a", b"new", headers={"Cache-Control": "max-age=60"})
    assert laid.viewer.get("/a").body == b"new"


def test_an_origin_that_dies_in_the_middle_hangs_nobody_and_leaves_nothing(laid: Laid, eventually: Eventually) -> None:
    gate = Gate(length=100, begins=b"x" * 50, ends=b"")

    def dying(request: BaseHTTPRequestHandler) -> None:
        gate(request)
        request.connection.shutdown(socket.SHUT_RDWR)
        request.close_connection = True

    laid.origin.handle("/a", dying)
    crowd = Crowd(laid, "/a", 10)
    eventually(lambda: waiting(laid) == 10)
    gate.open.set()
    assert not any(reply.complete for reply in crowd.replies())
    laid.origin.answer("/a", b"whole", headers={"Cache-Control": "max-age=60"})
    assert (laid.viewer.get("/a").body, laid.viewer.get("/a").cache) == (b"whole", "Hit")


def test_an_origin_that_gives_no_answer_is_one_error_for_all(laid: Laid, eventually: Eventually) -> None:
    opened = threading.Event()

    def closing(request: BaseHTTPRequestHandler) -> None:
        assert opened.wait(20)
        request.connection.shutdown(socket.SHUT_RDWR)
        request.close_connection = True

    laid.origin.handle("/a", closing)
    crowd = Crowd(laid, "/a", 10)
    eventually(lambda: waiting(laid) == 10)
    opened.set()
    assert {reply.status for reply in crowd.replies()} == {502}
    assert len(laid.origin.asked) == 1


def test_objects_that_are_not_kept_stream_to_each(lay: Lay, eventually: Eventually) -> None:
    laid = lay(object_bytes=1000)
    laid.serve()
    body = bytes(range(256)) * 4096
    laid.origin.answer("/big", body, headers={"Cache-Control": "max-age=60"})
    assert all(reply.body == body for reply in Crowd(laid, "/big", 5).replies())


def test_what_is_invalidated_while_it_is_fetched_is_not_kept_and_not_joined(laid: Laid, eventually: Eventually) -> None:
    gate = Gate(length=3, begins=b"o", ends=b"ld")
    laid.origin.handle("/a/b", gate)
    crowd = Crowd(laid, "/a/b", 1)
    eventually(gate.entered.is_set)
    laid.edge.cache.purge(Invalidation("I1", "E1", ("/a/*",)).matcher())
    laid.origin.answer("/a/b", b"new", headers={"Cache-Control": "max-age=60"})
    assert laid.viewer.get("/a/b").body == b"new"
    gate.open.set()
    assert crowd.replies()[0].body == b"old"
    assert laid.viewer.get("/a/b").body == b"new"
