"""Objects that are compressed on their way to viewers who accept it."""

from __future__ import annotations

import gzip
import random
import socket
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import brotli  # type: ignore[import-untyped]
import pytest

from keyfront.inventory import ForwardedValues

if TYPE_CHECKING:
    from tests.edge.conftest import Laid

TEXT = b"the same words again and again. " * 1000
HEADERS = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "max-age=60", "ETag": '"v1"'}
BOTH = {"Accept-Encoding": "gzip, deflate, br"}
DECODERS = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}


@pytest.fixture
def text(laid: Laid) -> Laid:
    laid.serve(laid.behavior(compress=True))
    laid.origin.answer("/a", TEXT, headers=HEADERS)
    return laid


@pytest.mark.parametrize(
    ("accepts", "encoding", "asked"),
    [
        ("gzip, deflate, br", "br", "br,gzip"),
        ("gzip", "gzip", "gzip"),
        ("br;q=0.1, gzip", "br", "br,gzip"),
        ("br;q=0, gzip", "gzip", "gzip"),
        ("deflate", None, None),
        ("*", None, None),
        (None, None, None),
    ],
)
def test_a_viewer_gets_what_they_accept_brotli_first(
    text: Laid, accepts: str | None, encoding: str | None, asked: str | None
) -> None:
    for result in ("Miss", "Hit"):
        reply = text.viewer.get("/a", headers={"Accept-Encoding": accepts} if accepts else {})
        assert (reply.cache, reply.headers.get("content-encoding")) == (result, encoding)
        assert DECODERS[encoding](reply.body) == TEXT
        assert reply.headers["content-length"] == str(len(reply.body))
        assert reply.headers["etag"] == ('W/"v1"' if encoding else '"v1"')
        assert reply.headers["vary"] == "Accept-Encoding"
        assert ("age" in reply.headers) is (result == "Hit")
    assert text.origin.asked[0].headers.get("accept-encoding") == asked


@pytest.mark.parametrize(
    ("size", "changes", "status", "compressed"),
    [
        (1_000, {}, 200, True),
        (999, {}, 200, False),
        (10_000_000, {}, 200, True),
        (10_000_001, {}, 200, False),
        (5_000, {"Content-Type": "image/png"}, 200, False),
        (5_000, {"Content-Type": "IMAGE/SVG+XML"}, 200, True),
        (5_000, {"Content-Encoding": "x"}, 200, False),
        (5_000, {}, 404, True),
        (5_000, {}, 500, False),
    ],
)
def test_size_type_and_status_decide(
    laid: Laid, size: int, changes: dict[str, str], status: int, compressed: bool
) -> None:
    laid.serve(laid.behavior(compress=True))
    laid.origin.answer("/a", b"x" * size, status=status, headers={**HEADERS, **changes})
    reply = laid.viewer.get("/a", headers=BOTH)
    assert (reply.headers.get("content-encoding") == "br") is compressed
    assert reply.status == status


def test_an_object_without_a_length_is_not_compressed(laid: Laid) -> None:
    def chunked(request: BaseHTTPRequestHandler) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n"
        request.wfile.write(head + b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n")

    laid.serve(laid.behavior(compress=True))
    laid.origin.handle("/a", chunked)
    assert "content-encoding" not in laid.viewer.get("/a", headers=BOTH).headers


def test_what_compressing_does_not_make_smaller_stays_as_it_is(laid: Laid) -> None:
    laid.serve(laid.behavior(compress=True))
    noise = random.Random(1).randbytes(5_000)
    laid.origin.answer("/a", noise, headers=HEADERS)
    reply = laid.viewer.get("/a", headers=BOTH)
    assert ("content-encoding" in reply.headers, reply.body, reply.headers["etag"]) == (False, noise, '"v1"')


@pytest.mark.parametrize(
    ("changes", "encoding"),
    [
        ({"compress": False}, None),
        ({"compress": True, "cache_policy_id": "b2884449-e4de-46a7-ac36-70bc7f1ddd6d"}, None),
        ({"compress": True, "cache_policy_id": "08627262-05a9-4f76-9ded-b50ca2e3a84f"}, "gzip"),
        ({"compress": True, "cache_policy_id": "", "forwarded_values": ForwardedValues()}, "gzip"),
        ({"compress": False, "cache_policy_id": "", "forwarded_values": ForwardedValues()}, None),
    ],
)
def test_behavior_and_cache_policy_both_decide(laid: Laid, changes: dict[str, Any], encoding: str | None) -> None:
    laid.serve(laid.behavior(**changes))
    laid.origin.answer("/a", TEXT, headers=HEADERS)
    assert laid.viewer.get("/a", headers=BOTH).headers.get("content-encoding") == encoding


def test_a_part_is_one_of_the_object_as_it_is(text: Laid) -> None:
    text.viewer.get("/a", headers=BOTH)
    text.viewer.get("/a")
    reply = text.viewer.get("/a", headers={**BOTH, "Range": "bytes=0-9"})
    assert (reply.status, reply.body, reply.headers.get("content-encoding")) == (206, TEXT[:10], None)


def test_an_expired_compressed_object_is_confirmed_with_the_origins_own_etag(text: Laid) -> None:
    first = text.viewer.get("/a", headers=BOTH)
    assert text.viewer.get("/a", headers={**BOTH, "If-None-Match": 'W/"v1"'}).status == 304
    text.clock.ahead = 100
    text.origin.answer("/a", status=304, headers={"ETag": '"v1"', "Cache-Control": "max-age=60"})
    again = text.viewer.get("/a", headers=BOTH)
    assert (again.cache, again.body, again.headers["etag"]) == ("RefreshHit", first.body, 'W/"v1"')
    assert text.origin.asked[-1].headers["if-none-match"] == '"v1"'


def test_an_object_that_breaks_off_while_it_is_compressed_is_an_honest_error(text: Laid) -> None:
    def half(request: BaseHTTPRequestHandler) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2000\r\n\r\n"
        request.wfile.write(head + b"x" * 500)
        request.wfile.flush()
        request.connection.shutdown(socket.SHUT_RDWR)
        request.close_connection = True

    text.origin.handle("/b", half)
    assert text.viewer.get("/b", headers=BOTH).status == 502
