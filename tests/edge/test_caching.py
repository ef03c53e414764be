"""What is kept, under which key, for how long, and what a hit looks like."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.inventory import ForwardedValues, Selection

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Lay

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
FOR_UNCOMPRESSED = "b2884449-e4de-46a7-ac36-70bc7f1ddd6d"
ALL_QUERY_STRINGS = "4cc15a8a-d715-48a4-82b8-cc0b614638fe"
HOUR = {"Cache-Control": "max-age=3600", "ETag": '"v1"', "Content-Type": "text/plain"}


def test_the_second_viewer_gets_a_hit_with_its_age(laid: Laid) -> None:
    laid.origin.answer("/a", b"hello", headers=HOUR)
    first = laid.viewer.get("/a")
    assert (first.status, first.body, first.cache) == (200, b"hello", "Miss")
    assert "age" not in first.headers
    laid.clock.ahead = 100
    second = laid.viewer.get("/a")
    assert (second.status, second.body, second.cache) == (200, b"hello", "Hit")
    assert second.headers["age"] in ("100", "101")
    assert second.headers["x-amz-cf-id"] != first.headers["x-amz-cf-id"]
    for name in ("content-type", "etag", "cache-control", "content-length", "via", "x-amz-cf-pop"):
        assert second.headers[name] == first.headers[name]
    assert len(laid.origin.asked) == 1
    assert [outcome.cache for outcome in laid.outcomes] == ["Miss", "Hit"]


def test_age_counts_from_where_the_object_was_made(laid: Laid) -> None:
    laid.origin.answer("/a", b"a", headers={**HOUR, "Age": "30"})
    laid.viewer.get("/a")
    assert laid.viewer.get("/a").headers["age"] in ("30", "31")
    laid.clock.ahead = 3600 - 29
    assert laid.viewer.get("/a").cache == "Miss"


def test_a_head_is_answered_from_the_object(laid: Laid) -> None:
    laid.origin.answer("/a", b"hello", headers=HOUR)
    laid.viewer.get("/a")
    reply = laid.viewer.ask("HEAD", "/a")
    assert (reply.status, reply.cache, reply.headers["content-length"], reply.body) == (200, "Hit", "5", b"")


def test_a_head_that_misses_asks_the_origin_and_keeps_no_empty_object(laid: Laid) -> None:
    laid.origin.answer("/a", b"hello", headers=HOUR)
    reply = laid.viewer.ask("HEAD", "/a")
    assert (reply.status, reply.headers["content-length"], reply.body) == (200, "5", b"")
    assert laid.viewer.get("/a").body == b"hello"
    assert [asked.method for asked in laid.origin.asked] == ["HEAD", "GET"]


def test_an_empty_object_is_an_object(laid: Laid) -> None:
    laid.origin.answer("/a", b"", headers=HOUR)
    assert laid.viewer.get("/a").body == b""
    assert laid.viewer.get("/a").cache == "Hit"


@pytest.mark.parametrize(("status", "more"), [(204, {}), (301, {"Location": "/b"}), (302, {"Location": "/b"})])
def test_an_answer_that_is_no_object_is_kept_too(laid: Laid, status: int, more: dict[str, str]) -> None:
    laid.origin.answer("/a", b"", status=status, headers={"Cache-Control": "max-age=60", **more})
    first, second = laid.viewer.get("/a"), laid.viewer.get("/a")
    assert [(each.status, each.headers.get("location"), each.cache) for each in (first, second)] == [
        (status, more.get("Location"), "Miss"),
        (status, more.get("Location"), "Hit"),
    ]
    assert ("content-length" in second.headers) is (status != 204)


def test_an_expired_object_is_confirmed_by_its_origin(laid: Laid) -> None:
    when = formatdate(time.time() - 1000, usegmt=True)
    laid.origin.answer("/a", b"hello", headers={**HOUR, "Last-Modified": when, "X-Kept": "1"})
    laid.viewer.get("/a")
    laid.clock.ahead = 3601
    laid.origin.answer("/a", status=304, headers={"Cache-Control": "max-age=60", "ETag": '"v1"'})
    reply = laid.viewer.get("/a")
    assert (reply.status, reply.body, reply.cache) == (200, b"hello", "RefreshHit")
    assert reply.headers["cache-control"] == "max-age=60"
    assert (reply.headers["x-kept"], reply.headers["content-type"]) == ("1", "text/plain")
    asked = laid.origin.asked[-1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"v1"', when)
    assert laid.viewer.get("/a").cache == "Hit"
    laid.clock.ahead = 3601 + 61
    assert laid.viewer.get("/a").cache == "RefreshHit"


def test_an_expired_object_that_changed_is_replaced(laid: Laid) -> None:
    laid.origin.answer("/a", b"old", headers=HOUR)
    laid.viewer.get("/a")
    laid.clock.ahead = 3601
    laid.origin.answer("/a", b"new", headers={**HOUR, "ETag": '"v2"'})
    reply = laid.viewer.get("/a")
    assert (reply.body, reply.cache) == (b"new", "Miss")
    assert laid.viewer.get("/a").body == b"new"


def test_an_object_with_no_time_left_is_confirmed_each_time(laid: Laid) -> None:
    laid.serve(replace(laid.behavior(cache_policy_id=""), default_ttl=0))
    laid.origin.answer("/a", b"hello", headers={"Cache-Control": "max-age=0", "ETag": '"v1"'})
    laid.viewer.get("/a")
    laid.origin.answer("/a", status=304)
    assert [laid.viewer.get("/a").cache for _ in range(2)] == ["RefreshHit", "RefreshHit"]
    assert laid.viewer.get("/a").body == b"hello"


@pytest.mark.parametrize("status", [500, 503, 504])
def test_an_expired_object_stands_in_while_its_origin_fails(laid: Laid, status: int) -> None:
    laid.origin.answer("/a", b"hello", headers=HOUR)
    laid.viewer.get("/a")
    laid.clock.ahead = 3601
    laid.origin.answer("/a", b"broken", status=status)
    reply = laid.viewer.get("/a")
    assert (reply.status, reply.body, reply.cache) == (200, b"hello", "Hit")
    assert len(laid.origin.asked) == 2
    laid.viewer.get("/a")
    assert len(laid.origin.asked) == 2, "the origin is left alone for the error caching minimum TTL"
    laid.clock.ahead += 11
    laid.viewer.get("/a")
    assert len(laid.origin.asked) == 3


def test_an_expired_object_does_not_stand_in_for_a_4xx_nor_against_its_origins_will(laid: Laid) -> None:
    laid.origin.answer("/a", b"hello", headers=HOUR)
    laid.origin.answer("/b", b"hello", headers={"Cache-Control": "max-age=3600, must-revalidate"})
    laid.viewer.get("/a")
    laid.viewer.get("/b")
    laid.clock.ahead = 3601
    laid.origin.answer("/a", b"gone", status=404)
    laid.origin.answer("/b", b"broken", status=500)
    assert laid.viewer.get("/a").status == 404
    assert laid.viewer.get("/b").status == 500


@pytest.mark.parametrize(
    ("policy", "headers"),
    [
        (CACHING_DISABLED, HOUR),
        (ALL_QUERY_STRINGS, {"Cache-Control": "no-store"}),
        (ALL_QUERY_STRINGS, {"Cache-Control": "private"}),
        (ALL_QUERY_STRINGS, {}),
        ("00000000-0000-0000-0000-000000000000", HOUR),
    ],
    ids=["CachingDisabled", "no-store", "private", "a default TTL of 0", "an unknown policy"],
)
def test_what_may_not_be_kept_is_fetched_each_time(
    laid: Laid, policy: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    laid.serve(laid.behavior(cache_policy_id=policy))
    laid.origin.answer("/a", b"a", headers=headers)
    assert [laid.viewer.get("/a").cache for _ in range(2)] == ["Miss", "Miss"]
    assert ("is unknown: its objects are not cached" in caplog.text) is policy.startswith("00")


def test_caching_optimized_keeps_even_what_says_no_store_for_a_second(laid: Laid) -> None:
    """Its minimum TTL is 1: "a minimum above 0 overrides no-cache, no-store and private"."""
    laid.origin.answer("/a", b"a", headers={"Cache-Control": "no-store"})
    frozen(laid)
    assert [laid.viewer.get("/a").cache for _ in range(2)] == ["Miss", "Hit"]
    laid.clock.ahead += 1.01
    assert laid.viewer.get("/a").cache == "Miss"


def frozen(laid: Laid) -> None:
    """Stop the clock, so that a slow machine does not let a second pass."""
    now = laid.clock()
    clock: Any = type(laid.clock)
    laid.clock.__class__ = type("Frozen", (clock,), {"__call__": lambda self: now + self.ahead})


@pytest.mark.parametrize(
    ("changes", "one", "other", "same"),
    [
        ({}, ("/a?x=1", {}), ("/a?x=2", {}), True),
        ({"cache_policy_id": ALL_QUERY_STRINGS}, ("/a?x=1", {}), ("/a?x=2", {}), False),
        ({"cache_policy_id": ALL_QUERY_STRINGS}, ("/a?x=1&y=2", {}), ("/a?y=2&x=1", {}), False),
        ({"cache_policy_id": ALL_QUERY_STRINGS}, ("/a", {"Cookie": "a=1"}), ("/a", {"Cookie": "a=2"}), False),
        ({"cache_policy_id": ALL_QUERY_STRINGS}, ("/a", {"Cookie": "a=1; b=2"}), ("/a", {"Cookie": "b=2;a=1"}), True),
        ({}, ("/a", {"Cookie": "a=1"}), ("/a", {"Cookie": "a=2"}), True),
        ({}, ("/a", {"Accept-Encoding": "gzip"}), ("/a", {"Accept-Encoding": "br"}), False),
        ({}, ("/a", {"Accept-Encoding": "gzip"}), ("/a", {"Accept-Encoding": "gzip;q=0"}), False),
        ({}, ("/a", {"Accept-Encoding": "gzip, deflate, br"}), ("/a", {"Accept-Encoding": "BR , gzip;q=0.5"}), True),
        ({}, ("/a", {"Accept-Encoding": "deflate"}), ("/a", {}), True),
        (
            {"cache_policy_id": FOR_UNCOMPRESSED},
            ("/a", {"Accept-Encoding": "gzip"}),
            ("/a", {"Accept-Encoding": "br"}),
            True,
        ),
        ({"legacy": ForwardedValues(query_string=False)}, ("/a?x=1", {}), ("/a?x=2", {}), True),
        ({"legacy": ForwardedValues(query_string=True)}, ("/a?x=1", {}), ("/a?x=2", {}), False),
        (
            {"legacy": ForwardedValues(query_string=True, query_string_cache_keys=("x",))},
            ("/a?x=1&y=1", {}),
            ("/a?y=2&x=1", {}),
            True,
        ),
        (
            {"legacy": ForwardedValues(query_string=True, query_string_cache_keys=("x",))},
            ("/a?x=1", {}),
            ("/a?x=2", {}),
            False,
        ),
        (
            {"legacy": ForwardedValues(cookies=Selection("some", frozenset({"lang", "u*"})))},
            ("/a", {"Cookie": "lang=de; u1=x; t=1"}),
            ("/a", {"Cookie": "t=2; u1=x; lang=de"}),
            True,
        ),
        (
            {"legacy": ForwardedValues(cookies=Selection("some", frozenset({"lang", "u*"})))},
            ("/a", {"Cookie": "u1=x"}),
            ("/a", {"Cookie": "u1=y"}),
            False,
        ),
        (
            {"legacy": ForwardedValues(headers=Selection("some", frozenset({"accept-language"})))},
            ("/a", {"Accept-Language": "de"}),
            ("/a", {"Accept-Language": "fr"}),
            False,
        ),
        (
            {"legacy": ForwardedValues(headers=Selection("some", frozenset({"accept-language"})))},
            ("/a", {"Accept-Language": "de"}),
            ("/a", {"Accept-Language": "de", "X-Other": "1"}),
            True,
        ),
        ({"legacy": ForwardedValues(headers=Selection("all"))}, ("/a", {}), ("/a", {}), False),
        ({}, ("/a", {}), ("/b", {}), False),
        ({}, ("/a", {}), ("/%61", {}), False),
    ],
)
def test_the_cache_key_is_what_the_behavior_counts(
    laid: Laid,
    changes: dict[str, Any],
    one: tuple[str, dict[str, str]],
    other: tuple[str, dict[str, str]],
    same: bool,
) -> None:
    if "legacy" in changes:
        laid.serve(laid.behavior(cache_policy_id="", forwarded_values=changes["legacy"]))
    else:
        laid.serve(laid.behavior(**changes))
    for target in (one[0], other[0]):
        laid.origin.answer(target.partition("?")[0], b"a", headers=HOUR)
    assert laid.viewer.get(one[0], headers=one[1]).cache == "Miss"
    assert (laid.viewer.get(other[0], headers=other[1]).cache == "Hit") is same


def test_distributions_do_not_share_objects(laid: Laid) -> None:
    laid.origin.answer("/a", b"a", headers=HOUR)
    laid.viewer.get("/a")
    laid.serve(id="E2")
    assert laid.viewer.get("/a").cache == "Miss"


def test_options_are_kept_apart_and_only_where_the_behavior_says(laid: Laid) -> None:
    methods = ("GET", "HEAD", "OPTIONS")
    laid.origin.answer("/a", b"a", headers=HOUR)
    laid.serve(laid.behavior(allowed_methods=methods))
    assert [laid.viewer.ask("OPTIONS", "/a").cache for _ in range(2)] == ["Miss", "Miss"]
    laid.serve(laid.behavior(allowed_methods=methods, cached_methods=methods))
    assert [laid.viewer.ask("OPTIONS", "/a").cache for _ in range(2)] == ["Miss", "Hit"]
    assert laid.viewer.get("/a").cache == "Miss"


def test_other_methods_are_never_kept(laid: Laid) -> None:
    laid.serve(laid.behavior(allowed_methods=("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")))
    laid.origin.answer("/a", b"a", headers=HOUR)
    laid.viewer.get("/a")
    assert [laid.viewer.ask("POST", "/a", body=b"x").cache for _ in range(2)] == ["Miss", "Miss"]
    assert laid.viewer.get("/a").cache == "Hit"


def test_an_object_over_the_limit_passes_and_is_not_kept(lay: Lay) -> None:
    laid = lay(object_bytes=1000)
    laid.serve()
    laid.origin.answer("/big", b"x" * 1001, headers=HOUR)
    laid.origin.answer("/small", b"x" * 1000, headers=HOUR)
    assert [laid.viewer.get("/big").cache for _ in range(2)] == ["Miss", "Miss"]
    assert [laid.viewer.get("/small").cache for _ in range(2)] == ["Miss", "Hit"]


def test_the_cache_stays_within_its_bytes(lay: Lay) -> None:
    laid = lay(cache_bytes=100_000)
    laid.serve()
    for number in range(30):
        laid.origin.answer(f"/{number}", b"x" * 10_000, headers=HOUR)
        laid.viewer.get(f"/{number}")
    assert laid.edge.cache.size <= 100_000
    assert laid.viewer.get("/29").cache == "Hit"
    assert laid.viewer.get("/0").cache == "Miss"


def chunked(*chunks: bytes, end: bytes = b"0\r\n\r\n") -> Callable[[BaseHTTPRequestHandler], None]:
    def handler(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.send_header("Cache-Control", "max-age=3600")
        request.end_headers()
        for chunk in chunks:
            request.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        request.wfile.write(end)
        request.close_connection = not end

    return handler


def test_a_chunked_object_is_kept_once_it_is_whole(laid: Laid) -> None:
    laid.origin.handle("/a", chunked(b"hel", b"lo"))
    assert laid.viewer.get("/a").body == b"hello"
    again = laid.viewer.get("/a")
    assert (again.body, again.cache, again.headers["content-length"]) == (b"hello", "Hit", "5")


def test_a_chunked_object_over_the_limit_is_not_kept(lay: Lay) -> None:
    laid = lay(object_bytes=1000)
    laid.serve()
    laid.origin.handle("/a", chunked(b"x" * 600, b"x" * 600))
    assert len(laid.viewer.get("/a").body) == 1200
    assert laid.viewer.get("/a").cache == "Miss"


def test_a_chunked_object_that_breaks_off_is_neither_kept_nor_passed_off_as_whole(laid: Laid) -> None:
    laid.origin.handle("/a", chunked(b"hel", end=b""))
    reply = laid.viewer.get("/a")
    assert not (reply.complete and reply.status == 200)
    laid.origin.handle("/a", chunked(b"hel", b"lo"))
    reply = laid.viewer.get("/a")
    assert (reply.body, reply.cache) == (b"hello", "Miss")


def test_an_object_that_is_shorter_than_its_origin_said_is_neither_kept_nor_passed_off_as_whole(laid: Laid) -> None:
    def lie(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(200)
        request.send_header("Content-Length", "100")
        request.send_header("Cache-Control", "max-age=3600")
        request.end_headers()
        request.wfile.write(b"half of it")
        request.close_connection = True

    laid.origin.handle("/a", lie)
    reply = laid.viewer.get("/a")
    assert not (reply.complete and reply.status == 200)
    laid.origin.answer("/a", b"all of it", headers=HOUR)
    reply = laid.viewer.get("/a")
    assert (reply.body, reply.cache) == (b"all of it", "Miss")


def test_an_object_whose_end_cannot_be_known_is_passed_on_and_not_kept(laid: Laid) -> None:
    def until_closed(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(200)
        request.send_header("Cache-Control", "max-age=3600")
        request.end_headers()
        request.wfile.write(b"who knows")
        request.close_connection = True

    laid.origin.handle("/a", until_closed)
    assert [(laid.viewer.get("/a").body, laid.viewer.get("/a").cache) for _ in range(2)] == [(b"who knows", "Miss")] * 2


def test_headers_about_the_connection_stay_on_it(laid: Laid) -> None:
    own = {"Connection": "keep-alive, X-Hop", "X-Hop": "1", "Keep-Alive": "timeout=9", "X-Cache": "mine"}
    laid.origin.answer("/a", b"a", headers={**own, "Via": "1.1 behind", "Server": "nginx", "X-Own": "1"})
    for _ in range(2):
        headers = laid.viewer.get("/a").headers
        assert not {"x-hop", "keep-alive"} & headers.keys()
        assert (headers["server"], headers["x-own"]) == ("nginx", "1")
        assert headers["via"].endswith(".cloudfront.net (CloudFront)")
        assert headers["x-cache"].endswith(" from cloudfront")


def test_cookies_are_set_only_where_cookies_are_forwarded(laid: Laid) -> None:
    laid.origin.answer("/a", b"a", headers={**HOUR, "Set-Cookie": "session=1"})
    assert "set-cookie" not in laid.viewer.get("/a").headers
    laid.serve(laid.behavior(cache_policy_id=ALL_QUERY_STRINGS), id="E2")
    assert laid.viewer.get("/a").headers["set-cookie"] == "session=1"


def test_a_header_that_its_origin_withholds_is_not_kept(laid: Laid) -> None:
    laid.serve(laid.behavior(cache_policy_id=ALL_QUERY_STRINGS))
    control = 'max-age=60, no-cache="Set-Cookie"'
    laid.origin.answer("/a", b"a", headers={"Cache-Control": control, "Set-Cookie": "session=1"})
    assert laid.viewer.get("/a").headers["set-cookie"] == "session=1"
    again = laid.viewer.get("/a")
    assert (again.cache, "set-cookie" in again.headers) == ("Hit", False)


@pytest.mark.parametrize(
    ("headers", "status", "body", "content_range"),
    [
        ({"Range": "bytes=0-4"}, 206, b"01234", "bytes 0-4/10"),
        ({"Range": "bytes=-2"}, 206, b"89", "bytes 8-9/10"),
        ({"Range": "bytes=5-"}, 206, b"56789", "bytes 5-9/10"),
        ({"Range": "bytes=10-"}, 416, b"", "bytes */10"),
        ({"Range": "bytes=5-1"}, 200, b"0123456789", None),
        ({"Range": "lines=1-2"}, 200, b"0123456789", None),
        ({"Range": "bytes=0-1", "If-Range": '"v1"'}, 206, b"01", "bytes 0-1/10"),
        ({"Range": "bytes=0-1", "If-Range": '"v0"'}, 200, b"0123456789", None),
        ({"If-None-Match": '"v1"'}, 304, b"", None),
        ({"If-None-Match": '"v0"'}, 200, b"0123456789", None),
        ({"If-None-Match": '"v1"', "Range": "bytes=0-1"}, 304, b"", None),
        ({"If-Modified-Since": "Fri, 15 Jan 2027 08:00:00 GMT"}, 304, b"", None),
        ({"If-Modified-Since": "Fri, 15 Jan 2027 07:00:00 GMT"}, 200, b"0123456789", None),
    ],
)
def test_parts_and_confirmations_come_from_the_cache(
    laid: Laid, headers: dict[str, str], status: int, body: bytes, content_range: str | None
) -> None:
    laid.origin.answer("/a", b"0123456789", headers={**HOUR, "Last-Modified": "Fri, 15 Jan 2027 08:00:00 GMT"})
    laid.viewer.get("/a")
    reply = laid.viewer.get("/a", headers=headers)
    assert (reply.status, reply.body, reply.headers.get("content-range")) == (status, body, content_range)
    assert len(laid.origin.asked) == 1
    if status == 304:
        assert reply.headers["etag"] == '"v1"'
        assert "content-type" not in reply.headers
    if status != 416:
        assert reply.cache == "Hit"


def test_a_range_that_misses_is_the_origins_to_answer_and_is_not_kept(laid: Laid) -> None:
    laid.origin.answer("/a", b"23", status=206, headers={**HOUR, "Content-Range": "bytes 2-3/10"})
    reply = laid.viewer.get("/a", headers={"Range": "bytes=2-3"})
    assert (reply.status, reply.body, reply.headers["content-range"]) == (206, b"23", "bytes 2-3/10")
    assert laid.origin.asked[0].headers["range"] == "bytes=2-3"
    laid.origin.answer("/a", b"0123456789", headers=HOUR)
    assert laid.viewer.get("/a").body == b"0123456789"


def test_an_ill_formed_range_that_misses_gets_the_whole_object(laid: Laid) -> None:
    laid.origin.answer("/a", b"0123456789", headers=HOUR)
    reply = laid.viewer.get("/a", headers={"Range": "bytes=5-1"})
    assert (reply.status, reply.body) == (200, b"0123456789")
    assert "range" not in laid.origin.asked[0].headers


def test_a_large_object_from_the_cache_arrives_whole(laid: Laid) -> None:
    body = bytes(range(256)) * 12_000
    laid.origin.answer("/a", body, headers=HOUR)
    assert laid.viewer.get("/a").body == body
    again = laid.viewer.get("/a")
    assert (again.cache, again.body == body) == ("Hit", True)
    part = laid.viewer.get("/a", headers={"Range": "bytes=1000000-2999999"})
    assert part.body == body[1_000_000:3_000_000]
