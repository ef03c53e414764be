"""One request on the wire is one request to the judge and at most one at the origin, for the very same target."""

from __future__ import annotations

import contextlib
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.edge.conftest import Laid

HOST = "d1.cloudfront.localhost"
ALL_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")
# Nothing is kept, and the origin gets everything that a viewer sends.
WHOLE = {
    "cache_policy_id": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
    "origin_request_policy_id": "216adef6-5c7f-47e4-b989-5492eafa07d3",
}
SMUGGLED = f"GET /private/x HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"


@pytest.fixture
def half(laid: Laid) -> Laid:
    """`/private/*` is protected, everything else is public, and every method is allowed."""
    laid.serve(
        laid.behavior("/private/*", trusted_key_groups=("g1",), allowed_methods=ALL_METHODS, **WHOLE),
        laid.behavior(allowed_methods=ALL_METHODS, **WHOLE),
    )
    laid.origin.answer("/open", b"open")
    laid.origin.answer("/private/x", b"leaked")
    return laid


def exchange(laid: Laid, data: bytes) -> bytes:
    """All that comes back for `data`, up to the end of the connection, or until the edge waits for more."""
    got = b""
    with laid.viewer.connect() as connection, contextlib.suppress(OSError):
        # A half-closed connection would end what is under way; so the edge has its time to answer instead.
        connection.settimeout(0.4)
        connection.sendall(data)
        while piece := connection.recv(65536):
            got += piece
    return got


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: {n}\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: {n}",
        "Content-Length: {n}\r\nContent-Length: 0",
        "Content-Length: 0\r\nContent-Length: {n}",
        "Content-Length: {n}, 0",
        "Content-Length: +{n}",
        "Content-Length: -{n}",
        "Content-Length: 0x10",
        "Content-Length : {n}",
        "Content-Length: {n}\r\n ",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding:\x0bchunked",
        "Transfer-Encoding: \x00chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "Content-Length: {n}\r\nTransfer-Encoding: CHUNKED",
    ],
)
@pytest.mark.parametrize("body", ["0\r\n\r\n" + SMUGGLED, SMUGGLED], ids=["after chunks", "as a body"])
def test_a_body_of_doubtful_length_brings_no_second_request_to_the_origin(half: Laid, framing: str, body: str) -> None:
    head = f"POST /open HTTP/1.1\r\nHost: {HOST}\r\n{framing.replace('{n}', str(len(body)))}\r\n\r\n"
    answer = exchange(half, (head + body).encode("latin-1"))
    assert b"leaked" not in answer
    assert {asked.target for asked in half.origin.asked} <= {"/open"}
    assert len(half.origin.asked) <= 1


@pytest.mark.parametrize(
    "chunks",
    [
        "5;x=\n\r\nhello\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-1\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "FFFFFFFFFFFFFFFF1\r\nhello\r\n0\r\n\r\n",
        "0\r\nHost: other.example\r\n\r\n",
        "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n",
    ],
)
def test_chunks_that_are_read_in_two_ways_bring_no_second_request(half: Laid, chunks: str) -> None:
    head = f"POST /open HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = exchange(half, (head + chunks + SMUGGLED).encode("latin-1"))
    assert b"leaked" not in answer
    assert {asked.target for asked in half.origin.asked} <= {"/open"}
    for asked in half.origin.asked:
        assert asked.body in (b"hello", b"")
        assert asked.headers.get("host") == HOST


@pytest.mark.parametrize(
    "head",
    [
        "GET /open HTTP/1.1\r\nHost: {host}\r\nX: y\r\n Host: other.example",
        "GET /open HTTP/1.1\r\nHost: {host}\r\nX: y\n\nGET /private/x HTTP/1.1",
        "GET /open HTTP/1.1\nHost: {host}\n\nGET /private/x HTTP/1.1\nHost: {host}",
        "GET /open /private/x HTTP/1.1\r\nHost: {host}",
        "GET /open\tHTTP/1.1\r\nHost: {host}",
        "GET  /private/x HTTP/1.1\r\nHost: {host}",
        "GET /open HTTP/1.1\rGET /private/x HTTP/1.1\r\nHost: {host}",
        "GET /open HTTP/1.1 \r\nHost: {host}",
        "GET /open HTTP/2.0\r\nHost: {host}",
        "GET /open HTTP/0.9\r\nHost: {host}",
        "GET /private/x",
        "\r\n\r\nGET /private/x HTTP/1.1\r\nHost: {host}",
        "GET /open%0d%0aHost:%20x HTTP/1.1\r\nHost: {host}",
        "GET /open?a=%0d%0a%0d%0aGET%20/private/x HTTP/1.1\r\nHost: {host}",
        "GET /private/x HTTP/1.1\r\nHost: {host}\r\nX-Original-URL: /open\r\nX-Rewrite-URL: /open",
        "GET /private/x HTTP/1.1\r\nHost: {host}\r\nX-HTTP-Method-Override: POST",
        "POST /open HTTP/1.1\r\nHost: {host}\r\nExpect: 100-continue\r\nContent-Length: 0",
        "GET /open HTTP/1.1\r\nHost: {host}\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: ",
        "GET /open HTTP/1.1\r\nHost: {host}\r\nConnection: upgrade\r\nUpgrade: websocket",
        "PRI * HTTP/2.0",
    ],
)
def test_a_doubtful_head_opens_nothing_and_reaches_no_other_target(half: Laid, head: str) -> None:
    answer = exchange(half, (head.replace("{host}", HOST) + "\r\n\r\n").encode("latin-1"))
    assert b"leaked" not in answer
    assert all(asked.target.startswith("/open") for asked in half.origin.asked)
    assert all(asked.headers["host"] == HOST for asked in half.origin.asked)
    assert not [asked for asked in half.origin.asked if "upgrade" in asked.headers or "http2-settings" in asked.headers]


@pytest.mark.parametrize("target", ["/caf\u00e9", "/\u202e", "/a?\u00e9", "/private/\u00e9", "/\uff0e\uff0e/private/x"])
def test_a_target_that_is_not_ascii_is_a_bad_request_and_no_fault_of_the_origin(half: Laid, target: str) -> None:
    reply = half.viewer.raw(f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    assert (reply.status, half.outcomes[-1].reason) == (400, "invalid-target")
    assert half.origin.asked == []


@pytest.mark.parametrize(
    "target", ["/a\x00b", "/a\x01b", "/a\x7fb", "/a\xe9b", "/a b", "/a\tb", "/a?\x00", "/\xc0\xae\xc0\xae/x"]
)
def test_bytes_that_no_target_holds_are_a_bad_request(half: Laid, target: str) -> None:
    assert exchange(half, f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode("latin-1")).startswith(
        b"HTTP/1.1 400"
    )
    assert half.origin.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "/private/A%2fb%2Fc",
        "/private/%e9%C3%a9",
        "/private/a;b=c;d",
        "/private/a//b///c",
        "/private/a/./b",
        "/private/%41%7e%2D",
        "/private/a%5cb",
        "/private/a%0d%0ab",
        "/private/a%25%32%65",
        "/private/'\"<>[]|!$",
        "/private/a?x=1&x=2&x=1",
        "/private/a?x=%2e%2e/%2F&&y&=z",
        "/private/a??b?c=/../d",
        "/private/a?x=a+b%20c",
    ],
)
def test_what_was_signed_is_what_the_origin_is_asked_for_byte_by_byte(half: Laid, target: str) -> None:
    path = target.partition("?")[0]
    half.origin.answer(path, b"mine")
    sent = f"{target}{'&' if '?' in target else '?'}{half.custom(f'http://{HOST}/private/*')}"
    reply = half.viewer.get(sent)
    if "<" in target:
        assert reply.status in (200, 400)
        return
    assert (reply.status, reply.body) == (200, b"mine")
    assert [asked.target for asked in half.origin.asked] == [target]


def test_the_fragment_that_no_viewer_sends_is_neither_judged_nor_fetched(half: Laid) -> None:
    reply = half.viewer.get("/open#/../private/x")
    assert reply.status in (200, 400)
    assert [asked.target for asked in half.origin.asked] in (["/open"], [])


def test_cookies_that_stand_twice_are_judged_as_they_are_written_first(half: Laid) -> None:
    good = half.signer.sign_cookies(f"http://{HOST}/private/*", expires=int(half.clock()) + 60)
    bad = dict.fromkeys(good, "x")
    for first, second, status in ((good, bad, 200), (bad, good, 403)):
        lines = "".join(f"Cookie: {name}={value}\r\n" for each in (first, second) for name, value in each.items())
        reply = half.viewer.raw(f"GET /private/x HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\n".encode())
        assert reply.status == status


@pytest.mark.parametrize("count", [150, 3000])
def test_a_request_of_very_many_headers_is_too_large_and_the_next_one_is_served(half: Laid, count: int) -> None:
    lines = "".join(f"A{number}: b\r\n" for number in range(count))
    answer = exchange(half, f"GET /open HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\n".encode())
    assert answer.split(b" ")[1] in (b"413", b"431")
    assert half.origin.asked == []
    assert half.viewer.get("/open").status == 200


def test_pipelined_requests_are_each_judged_and_answered_in_their_order(half: Laid) -> None:
    opened, closed = (f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n" for path in ("/open", "/private/x"))
    got = exchange(half, f"{opened}\r\n{closed}\r\n{opened}Connection: close\r\n\r\n".encode())
    answers = [int(each[:3]) for each in got.split(b"HTTP/1.1 ")[1:]]
    assert answers == [200, 403, 200]
    assert b"leaked" not in got
    assert {asked.target for asked in half.origin.asked} == {"/open"}


# What an origin may say, whether the viewer gets a whole answer, and with which status and body.
LIES = {
    "fewer bytes than it said": (b"Content-Length: 100\r\n\r\nshort", 200, b"short", False),
    "more bytes than it said": (b"Content-Length: 5\r\n\r\nwholeHTTP/1.1 200 OK\r\n\r\npoison", 200, b"whole", True),
    "chunks without an end": (b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 200, b"hello", False),
    "no chunks": (b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n", 502, b"502 ERROR", True),
    "two lengths": (b"Content-Length: 5\r\nContent-Length: 3\r\n\r\nhello", 502, b"502 ERROR", True),
    "a negative length": (b"Content-Length: -5\r\n\r\nhello", 502, b"502 ERROR", True),
    "a length and chunks": (
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
        200,
        b"whole",
        True,
    ),
    "no length": (b"\r\nhello", 200, b"hello", True),
    "a huge header": (b"X: " + b"a" * 200_000 + b"\r\nContent-Length: 5\r\n\r\nhello", 502, b"502 ERROR", True),
}


@pytest.mark.parametrize(("said", "status", "body", "complete"), LIES.values(), ids=LIES)
def test_an_origin_that_lies_about_its_answer_poisons_nothing(
    laid: Laid, said: bytes, status: int, body: bytes, complete: bool
) -> None:
    def lie(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n" + said)
        request.close_connection = True

    laid.origin.handle("/a", lie)
    reply = laid.viewer.get("/a")
    assert (reply.status, reply.complete) == (status, complete)
    assert reply.body == body if status == 200 else body in reply.body
    laid.origin.answer("/a", b"whole", headers={"Cache-Control": "max-age=600"})
    laid.clock.ahead = 11  # an error is kept for ten seconds
    assert laid.viewer.get("/a").body == b"whole"
    laid.origin.answer("/b", b"another", headers={"Cache-Control": "max-age=600"})
    assert laid.viewer.get("/b").body == b"another"


POISON = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\nContent-Length: 6\r\n\r\npoison"


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
    ],
    ids=["a length", "chunks", "204", "304"],
)
def test_what_an_origin_says_beyond_its_answer_is_not_the_next_answer(laid: Laid, said: bytes) -> None:
    def talk(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(said + POISON)  # and it keeps the connection open

    laid.origin.handle("/a", talk)
    laid.origin.answer("/b", b"another")
    assert laid.viewer.get("/a", headers={"If-None-Match": '"x"'}).status == int(said[9:12])
    assert laid.viewer.get("/b").body == b"another"


def test_an_origin_that_says_no_more_than_its_answer_is_asked_over_the_same_connection(laid: Laid) -> None:
    ports = set()

    def note(request: BaseHTTPRequestHandler) -> None:
        ports.add(request.client_address[1])
        request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwhole")

    for path in ("/a", "/b", "/c"):
        laid.origin.handle(path, note)
        assert laid.viewer.get(path).body == b"whole"
    assert len(ports) == 1
