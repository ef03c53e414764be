"""What the origin gets to see of a viewer's request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from keyfront.inventory import ForwardedValues, Selection

if TYPE_CHECKING:
    from tests.edge.conftest import Laid

HOST = "d1.cloudfront.localhost"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
CORS_S3 = "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf"
VIEWER_HEADERS = {
    "Accept": "text/html",
    "Accept-Language": "de",
    "Authorization": "Bearer t",
    "Cookie": "b=2; a=1",
    "Origin": "https://shop.example",
    "Referer": "https://shop.example/",
    "User-Agent": "curl/8",
    "X-Own": "1",
    "X-Edge-Location": "spoofed",
    "X-Real-IP": "10.0.0.1",
    "X-Forwarded-For": "192.0.2.4",
    "X-Forwarded-Proto": "https",
    "CloudFront-Viewer-Country": "XX",
    "X-Amz-Cf-Id": "spoofed",
    "Via": "1.0 proxy",
    "Connection": "keep-alive, Upgrade",
    "Upgrade": "websocket",
    "TE": "trailers",
    "Proxy-Authorization": "Basic x",
    "If-None-Match": '"v0"',
}
ALWAYS = {"host", "user-agent", "via", "x-amz-cf-id", "x-forwarded-for", "if-none-match"}


def asked(laid: Laid, method: str = "GET", **behavior: Any) -> dict[str, str]:
    """The headers that the origin gets for a request with all of the above."""
    laid.serve(laid.behavior(allowed_methods=("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"), **behavior))
    laid.viewer.ask(method, "/a", headers=VIEWER_HEADERS, body=b"" if method == "POST" else None)
    return laid.origin.asked[-1].headers


@pytest.mark.parametrize(
    ("behavior", "beside"),
    [
        ({}, set()),
        ({"origin_request_policy_id": CORS_S3}, {"origin"}),
        (
            {"origin_request_policy_id": ALL_VIEWER_EXCEPT_HOST},
            {"accept", "accept-language", "authorization", "cookie", "origin", "referer", "x-own"},
        ),
        (
            {"cache_policy_id": "", "forwarded_values": ForwardedValues()},
            {"x-own", "origin"},
        ),
        (
            {
                "cache_policy_id": "",
                "forwarded_values": ForwardedValues(headers=Selection("some", frozenset({"referer"}))),
            },
            {"x-own", "origin", "referer"},
        ),
        (
            {"cache_policy_id": "", "forwarded_values": ForwardedValues(cookies=Selection("all"))},
            {"x-own", "origin", "cookie"},
        ),
        (
            {"cache_policy_id": "", "forwarded_values": ForwardedValues(headers=Selection("all"))},
            {"accept", "accept-language", "authorization", "origin", "referer", "x-own"},
        ),
    ],
)
def test_an_origin_gets_the_headers_that_the_behavior_names_and_no_others(
    laid: Laid, behavior: dict[str, Any], beside: set[str]
) -> None:
    assert asked(laid, **behavior).keys() - {"connection"} == ALWAYS | beside


def test_what_cloudfront_says_of_itself_is_true(laid: Laid) -> None:
    headers = asked(laid)
    assert headers["host"] == f"127.0.0.1:{laid.origin.port}"
    assert headers["user-agent"] == "Amazon CloudFront"
    assert headers["x-forwarded-for"] == "192.0.2.4, 127.0.0.1"
    assert headers["via"].startswith("1.0 proxy, 1.1 ")
    assert headers["via"].endswith(".cloudfront.net (CloudFront)")
    assert len(headers["x-amz-cf-id"]) == 56


def test_the_id_of_a_request_is_the_same_on_both_sides(laid: Laid) -> None:
    reply = laid.viewer.get("/a")
    assert laid.origin.asked[0].headers["x-amz-cf-id"] == reply.headers["x-amz-cf-id"]


def test_the_viewers_host_and_agent_are_sent_where_they_are_named(laid: Laid) -> None:
    headers = asked(laid, origin_request_policy_id=ALL_VIEWER)
    assert (headers["host"], headers["user-agent"]) == (HOST, "curl/8")


def test_authorization_reaches_the_origin_of_a_legacy_behavior_with_a_body_only(laid: Laid) -> None:
    legacy = {"cache_policy_id": "", "forwarded_values": ForwardedValues()}
    assert "authorization" in asked(laid, "POST", **legacy)
    assert "authorization" not in asked(laid, "GET", **legacy)
    assert "authorization" not in asked(laid, "HEAD", **legacy)


def test_cookies_are_sorted_and_chosen_by_name(laid: Laid) -> None:
    chosen = Selection("some", frozenset({"a", "pre*"}))
    laid.serve(laid.behavior(cache_policy_id="", forwarded_values=ForwardedValues(cookies=chosen)))
    laid.viewer.get("/a", headers={"Cookie": "pre2=y; z=1; pre1=x; a=1;; "})
    assert laid.origin.asked[0].headers["cookie"] == "a=1; pre1=x; pre2=y"


@pytest.mark.parametrize(
    ("behavior", "sent"),
    [
        ({}, "/a"),
        ({"origin_request_policy_id": ALL_VIEWER}, "/a?b=2&a=%20&b=1&&=x&c"),
        ({"cache_policy_id": "", "forwarded_values": ForwardedValues(query_string=True)}, "/a?b=2&a=%20&b=1&&=x&c"),
        (
            {
                "cache_policy_id": "",
                "forwarded_values": ForwardedValues(query_string=True, query_string_cache_keys=("a",)),
            },
            "/a?b=2&a=%20&b=1&&=x&c",
        ),
        ({"cache_policy_id": "08627262-05a9-4f76-9ded-b50ca2e3a84f"}, "/a"),
    ],
)
def test_query_strings_are_sent_as_the_behavior_says_to_the_byte(
    laid: Laid, behavior: dict[str, Any], sent: str
) -> None:
    laid.serve(laid.behavior(**behavior))
    laid.viewer.get("/a?b=2&a=%20&b=1&&=x&c")
    assert laid.origin.asked[0].target == sent


def test_a_policy_may_name_the_parameters_that_count(laid: Laid) -> None:
    laid.serve(laid.behavior(cache_policy_id="08627262-05a9-4f76-9ded-b50ca2e3a84f"))
    laid.viewer.get("/a?x=1&start=5&m=%2F&Start=6")
    assert laid.origin.asked[0].target == "/a?start=5&m=%2F"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_reaches_the_origin_and_says_what_it_is(laid: Laid, method: str) -> None:
    laid.serve(laid.behavior(allowed_methods=("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")))
    laid.origin.answer("/a", b"done", status=201)
    reply = laid.viewer.ask(method, "/a", body=b"x" * 300_000, headers={"Content-Type": "text/x"})
    assert (reply.status, reply.body) == (201, b"done")
    got = laid.origin.asked[0]
    assert (got.method, got.body, got.headers["content-length"]) == (method, b"x" * 300_000, "300000")
    assert got.headers["content-type"] == "text/x"
    assert "transfer-encoding" not in got.headers


def test_a_body_of_unknown_length_reaches_the_origin(laid: Laid) -> None:
    laid.serve(laid.behavior(allowed_methods=("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")))
    laid.origin.answer("/a", b"done")
    head = f"POST /a HTTP/1.1\r\nHost: {HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert laid.viewer.raw(head.encode() + b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "POST").body == b"done"
    assert laid.origin.asked[0].body == b"hello world"


def test_a_post_without_a_body_is_sent_without_one(laid: Laid) -> None:
    laid.serve(laid.behavior(allowed_methods=("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")))
    laid.viewer.ask("POST", "/a")
    assert (laid.origin.asked[0].method, laid.origin.asked[0].body) == ("POST", b"")
