"""Origin groups: when the second origin is asked, and origins that keep nobody waiting for ever."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from keyfront.inventory import CustomErrorResponse, CustomOrigin, OriginGroup

if TYPE_CHECKING:
    from tests.edge.conftest import Laid

METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")
HOUR = {"Cache-Control": "max-age=3600"}


@pytest.fixture
def group(laid: Laid) -> Laid:
    """Both origins are the one web server; the second has everything under `/second`."""
    first, second = laid.web(id="first"), laid.web(id="second", path="/second")
    behavior = laid.behavior(target_origin_id="both", allowed_methods=METHODS)
    groups = (OriginGroup("both", ("first", "second"), (404, 503)),)
    laid.serve(behavior, origins=(first, second), origin_groups=groups)
    laid.origin.answer("/second/a", b"second", headers=HOUR)
    return laid


@pytest.mark.parametrize(
    ("status", "expected"), [(200, b"first"), (404, b"second"), (503, b"second"), (500, b"first"), (403, b"first")]
)
def test_the_second_origin_is_asked_for_the_configured_answers(group: Laid, status: int, expected: bytes) -> None:
    group.origin.answer("/a", b"first", status=status, headers=HOUR)
    reply = group.viewer.get("/a")
    assert (reply.body, reply.status) == (expected, 200 if expected == b"second" else status)


@pytest.mark.parametrize("method", METHODS)
def test_only_reading_requests_fail_over(group: Laid, method: str) -> None:
    group.origin.answer("/a", b"first", status=503)
    reply = group.viewer.ask(method, "/a", body=b"x" if method in ("PUT", "PATCH", "POST") else None)
    assert reply.status == (200 if method in ("GET", "HEAD", "OPTIONS") else 503)


def test_every_request_goes_to_the_first_origin_first(group: Laid) -> None:
    group.origin.answer("/a", b"", status=503)
    first, second = group.web(id="first"), group.web(id="second", path="/second")
    off = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    behavior = group.behavior(target_origin_id="both", cache_policy_id=off)
    groups = (OriginGroup("both", ("first", "second"), (503,)),)
    group.serve(behavior, origins=(first, second), origin_groups=groups)
    for _ in range(2):
        assert group.viewer.get("/a").body == b"second"
    assert [asked.target for asked in group.origin.asked] == ["/a", "/second/a"] * 2


def test_the_second_origins_answer_is_kept(group: Laid) -> None:
    group.origin.answer("/a", b"", status=503)
    assert [group.viewer.get("/a").cache for _ in range(2)] == ["Miss", "Hit"]


def test_a_first_origin_that_cannot_be_reached_is_passed_over(group: Laid, free_tcp_port: int) -> None:
    custom = CustomOrigin(http_port=free_tcp_port, protocol_policy="http-only")
    first, second = group.web(id="first", custom=custom), group.web(id="second", path="/second")
    groups = (OriginGroup("both", ("first", "second"), (500,)),)
    group.serve(group.behavior(target_origin_id="both"), origins=(first, second), origin_groups=groups)
    assert group.viewer.get("/a").body == b"second"
    assert len(group.origin.asked) == 1


def test_when_both_fail_the_second_ones_answer_counts(group: Laid) -> None:
    group.origin.answer("/a", b"one", status=503)
    group.origin.answer("/second/a", b"two", status=404)
    reply = group.viewer.get("/a")
    assert (reply.status, reply.body) == (404, b"two")


def test_a_custom_error_page_fails_over_too(group: Laid) -> None:
    first, second = group.web(id="first"), group.web(id="second", path="/second")
    groups = (OriginGroup("both", ("first", "second"), (404,)),)
    errors = (CustomErrorResponse(404, "/sorry.html", 200),)
    behavior = group.behavior(target_origin_id="both")
    group.serve(behavior, origins=(first, second), origin_groups=groups, custom_errors=errors)
    group.origin.answer("/second/sorry.html", b"sorry")
    reply = group.viewer.get("/nowhere")
    assert (reply.status, reply.body) == (200, b"sorry")


def test_a_member_that_is_not_there_is_said(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    groups = (OriginGroup("both", ("web", "gone"), (503,)),)
    laid.serve(laid.behavior(target_origin_id="both"), origin_groups=groups)
    assert "there is no origin gone" in caplog.text
    laid.origin.answer("/a", b"a", status=503)
    assert laid.viewer.get("/a").status == 502


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """What a hanging origin waits for."""
    event = threading.Event()
    yield event
    event.set()


def hanging(held: threading.Event) -> Callable[[BaseHTTPRequestHandler], None]:
    def handler(request: BaseHTTPRequestHandler) -> None:
        held.wait(20)
        request.close_connection = True

    return handler


def test_an_origin_that_hangs_is_passed_over_in_its_time(group: Laid, held: threading.Event) -> None:
    custom = CustomOrigin(http_port=group.origin.port, protocol_policy="http-only", read_timeout=1)
    first, second = group.web(id="first", custom=custom), group.web(id="second", path="/second")
    groups = (OriginGroup("both", ("first", "second"), (500,)),)
    group.serve(group.behavior(target_origin_id="both"), origins=(first, second), origin_groups=groups)
    group.origin.handle("/a", hanging(held))
    assert group.viewer.get("/a").body == b"second"


def test_an_answer_has_to_be_there_whole_within_the_completion_timeout(laid: Laid, held: threading.Event) -> None:
    def dripping(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 1000000\r\n\r\n")
        while not held.wait(0.02):
            request.wfile.write(b"x")
            request.wfile.flush()

    laid.serve(origins=(laid.web(completion_timeout=1),))
    laid.origin.handle("/a", dripping)
    assert not laid.viewer.get("/a").complete
    laid.origin.handle("/b", hanging(held))
    assert laid.viewer.get("/b").status == 504
    laid.origin.answer("/a", b"whole", headers=HOUR)
    assert laid.viewer.get("/a").body == b"whole"


def test_a_connection_that_is_reset_is_a_502_and_soon_forgotten(laid: Laid) -> None:
    def reset(request: BaseHTTPRequestHandler) -> None:
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.connection.shutdown(socket.SHUT_RDWR)
        request.close_connection = True

    laid.origin.handle("/a", reset)
    assert laid.viewer.get("/a").status == 502
    laid.origin.answer("/a", b"a", headers=HOUR)
    laid.clock.ahead = 11
    assert laid.viewer.get("/a").body == b"a"
