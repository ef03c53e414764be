"""What a response headers policy adds to answers and takes out of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.edge.configuration import configure
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.header_rules import header_rules
from keyfront.inventory import AddedHeader, Cors, CustomErrorResponse, ResponseHeadersPolicy

if TYPE_CHECKING:
    from tests.edge.conftest import Laid

PREFLIGHT = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
CORS = Cors(("https://a.example",), ("GET", "PUT"), ("X-One", "X-Two"), ("X-Seen",), max_age=60)
SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
EVERY_METHOD = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")


def serve(laid: Laid, policy: ResponseHeadersPolicy, **changes: Any) -> None:
    behavior = laid.behavior(response_headers_policy_id=policy.id, allowed_methods=EVERY_METHOD, **changes)
    errors = (CustomErrorResponse(403, "/refused.html", 403),)
    inventory = laid.inventory(laid.distribution(laid.behavior("/refused.html"), behavior, custom_errors=errors))
    laid.edge.configuration = configure(replace(inventory, response_headers_policies={policy.id: policy}))


def policy(**settings: Any) -> ResponseHeadersPolicy:
    return ResponseHeadersPolicy("P", "mine", **settings)


def granted(headers: dict[str, str]) -> dict[str, str]:
    prefix = "access-control-"
    return {name.removeprefix(prefix): value for name, value in headers.items() if name.startswith(prefix)}


def test_headers_are_added_to_what_comes_from_the_origin_and_from_the_cache(laid: Laid) -> None:
    serve(laid, policy(added=(AddedHeader("X-Own", "1", override=False), AddedHeader("x-two", "2", override=True))))
    laid.origin.answer("/a", b"a", headers={"X-Two": "origin's"})
    for result in ("Miss", "Hit"):
        reply = laid.viewer.get("/a")
        assert (reply.cache, reply.headers["x-own"], reply.headers["x-two"]) == (result, "1", "2")


def test_an_origins_header_stays_where_the_policy_does_not_override_it(laid: Laid) -> None:
    serve(laid, policy(added=(AddedHeader("X-Frame-Options", "DENY", override=False),)))
    laid.origin.answer("/a", b"a", headers={"X-Frame-Options": "SAMEORIGIN"})
    assert [laid.viewer.get("/a").headers["x-frame-options"] for _ in range(2)] == ["SAMEORIGIN"] * 2


def test_headers_are_removed_but_for_those_that_cloudfront_needs(laid: Laid) -> None:
    removed = frozenset({"x-powered-by", "server", "via", "content-length"})
    serve(laid, policy(removed=removed, added=(AddedHeader("X-Powered-By", "care", override=False),)))
    laid.origin.answer("/a", b"a", headers={"X-Powered-By": "PHP", "Server": "nginx"})
    for _ in range(2):
        headers = laid.viewer.get("/a").headers
        assert (headers["x-powered-by"], headers["server"], headers["content-length"]) == ("care", "CloudFront", "1")
        assert "via" in headers


def test_what_is_kept_does_not_depend_on_the_policy_of_the_first_viewer(laid: Laid) -> None:
    serve(laid, policy(cors=CORS))
    laid.origin.answer("/a", b"a")
    assert granted(laid.viewer.get("/a", headers={"Origin": "https://a.example"}).headers)
    assert not granted(laid.viewer.get("/a").headers)


@pytest.mark.parametrize(
    ("changes", "method", "sent", "expected"),
    [
        ({}, "GET", {}, {}),
        ({}, "GET", {"Origin": "https://b.example"}, {}),
        ({}, "GET", {"Origin": "https://a.example.evil"}, {}),
        ({}, "GET", {"Origin": "https://a.example"}, {"allow-origin": "https://a.example", "expose-headers": "X-Seen"}),
        (
            {"origins": ("*",), "credentials": False, "exposed": ()},
            "GET",
            {"Origin": "https://b.example"},
            {"allow-origin": "*"},
        ),
        (
            {"origins": ("https://*.b.example",), "exposed": (), "credentials": True},
            "GET",
            {"Origin": "https://c.b.example"},
            {"allow-origin": "https://c.b.example", "allow-credentials": "true"},
        ),
        ({"origins": ("https://*.b.example",)}, "GET", {"Origin": "https://b.example"}, {}),
        ({"origins": ("https://*.b.example",)}, "GET", {"Origin": "https://evil/.b.example"}, {}),
        ({"origins": ("http://b.example:*",), "exposed": ()}, "GET", {"Origin": "http://b.example:81"}, "same"),
        ({"origins": ("b.example",), "exposed": ()}, "GET", {"Origin": "http://b.example"}, "same"),
        (
            {},
            "OPTIONS",
            PREFLIGHT,
            {
                "allow-origin": "https://a.example",
                "allow-methods": "GET, PUT",
                "allow-headers": "X-One, X-Two",
                "max-age": "60",
            },
        ),
        ({}, "OPTIONS", {"Origin": "https://b.example", "Access-Control-Request-Method": "PUT"}, {}),
    ],
)
def test_cors_headers_are_for_the_origins_that_are_allowed(
    laid: Laid, changes: dict[str, Any], method: str, sent: dict[str, str], expected: dict[str, str] | str
) -> None:
    serve(laid, policy(cors=replace(CORS, **changes)))
    laid.origin.answer("/a", b"a")
    wanted = {"allow-origin": sent["Origin"]} if isinstance(expected, str) else expected
    reply = laid.viewer.ask(method, "/a", headers=sent)
    assert granted(reply.headers) == wanted
    assert (reply.headers.get("vary") == "Origin") is (wanted.get("allow-origin", "*") != "*")


@pytest.mark.parametrize(("override", "expected"), [(True, "https://a.example"), (False, "https://origins.own")])
def test_an_origins_cors_headers_are_replaced_or_keep_the_policys_out(
    laid: Laid, override: bool, expected: str
) -> None:
    serve(laid, policy(cors=replace(CORS, override=override)))
    own = {"Access-Control-Allow-Origin": "https://origins.own", "Access-Control-Max-Age": "5"}
    laid.origin.answer("/a", b"a", headers=own)
    for _ in range(2):
        found = granted(laid.viewer.get("/a", headers={"Origin": "https://a.example"}).headers)
        assert found["allow-origin"] == expected
        assert ("max-age" in found) is not override


def test_a_managed_policy_works_without_the_account_that_lists_it(laid: Laid) -> None:
    laid.serve(laid.behavior(response_headers_policy_id=SECURITY_HEADERS))
    laid.origin.answer("/a", b"a")
    headers = laid.viewer.get("/a").headers
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert headers["x-xss-protection"] == "1; mode=block"


def test_an_unknown_policy_is_said_and_changes_nothing(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    laid.serve(laid.behavior(response_headers_policy_id="gone"))
    assert "response headers policy gone" in caplog.text
    laid.origin.answer("/a", b"a")
    assert laid.viewer.get("/a").status == 200


def test_a_header_that_http_cannot_carry_is_left_out_and_said(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    bad = [("X-Break", "a\r\nSet-Cookie: b=c"), ("X-Bell", "\x07"), ("two words", "a"), ("X-\u65e5", "a")]
    good = AddedHeader("X-Word", "\u65e5", override=False)
    cors = replace(CORS, headers=("X-One", "X\n", "X-\u65e5"), methods=("GET", "P\0"), exposed=("X-Seen", "\x7f"))
    serve(laid, policy(added=(*(AddedHeader(*each, override=True) for each in bad), good), cors=cors))
    laid.origin.answer("/a", b"a")
    reply = laid.viewer.ask("OPTIONS", "/a", headers=PREFLIGHT)
    assert reply.status == 200
    assert {"x-break", "x-bell", "two words", "set-cookie"}.isdisjoint(reply.headers)
    found = granted(reply.headers)
    assert (found["allow-headers"], found["allow-methods"]) == ("X-One", "GET")
    simple = laid.viewer.get("/a", headers={"Origin": "https://a.example"}).headers
    assert (granted(simple)["expose-headers"], simple["x-word"].encode("latin-1")) == ("X-Seen", "\u65e5".encode())
    assert caplog.text.count("is not sent, because HTTP cannot carry") == 7


def test_server_timing_says_where_an_answer_came_from(laid: Laid) -> None:
    serve(laid, policy(timing_percent=100.0))
    laid.origin.answer("/a", b"a", headers={"Server-Timing": "db;dur=1"})
    first, second = laid.viewer.get("/a"), laid.viewer.get("/a")
    assert "cdn-cache-miss" in first.headers["server-timing"]
    assert "cdn-upstream-fbl;dur=" in first.headers["server-timing"]
    assert first.headers["server-timing"].startswith("db;dur=1, ")
    assert "cdn-cache-hit" in second.headers["server-timing"]
    assert f'cdn-rid;desc="{second.headers["x-amz-cf-id"]}"' in second.headers["server-timing"]


def test_server_timing_is_for_those_who_ask_where_hardly_any_is_sampled(laid: Laid) -> None:
    serve(laid, policy(timing_percent=1e-12))
    laid.origin.answer("/a", b"a")
    assert "server-timing" not in laid.viewer.get("/a").headers
    assert "cdn-cache-hit" in laid.viewer.get("/a", headers={"Pragma": "Server-Timing"}).headers["server-timing"]
    laid.serve()
    assert "server-timing" not in laid.viewer.get("/a", headers={"Pragma": "server-timing"}).headers


def test_the_sites_own_page_for_a_refusal_has_them_and_the_edges_own_has_not(laid: Laid) -> None:
    own = policy(added=(AddedHeader("X-Own", "1", override=True),))
    laid.serve(laid.behavior(response_headers_policy_id=SECURITY_HEADERS, trusted_key_groups=("g1",)))
    assert "x-frame-options" not in laid.viewer.get("/a").headers
    serve(laid, own, trusted_key_groups=("g1",))
    laid.origin.answer("/refused.html", b"pay first")
    reply = laid.viewer.get("/a")
    assert (reply.status, reply.body, reply.headers["x-own"]) == (403, b"pay first", "1")


_texts = st.text(st.characters(min_codepoint=0, max_codepoint=0x2FFF), max_size=12)


@given(
    added=st.lists(st.builds(AddedHeader, _texts, _texts, st.booleans()), max_size=3),
    names=st.lists(_texts, max_size=3),
    method=st.sampled_from(["GET", "OPTIONS"]),
)
def test_whatever_a_policy_says_the_edge_sends_only_what_http_can_carry(
    added: list[AddedHeader], names: list[str], method: str
) -> None:
    cors = Cors(("*",), tuple(names), tuple(names), tuple(names))
    rules = header_rules(policy(added=tuple(added), cors=cors, removed=frozenset(names)))
    assert rules is not None
    headers = [(b"origin", b"https://a.example"), (b"access-control-request-method", b"PUT")]
    scope = {"method": method, "scheme": "http", "http_version": "1.1", "raw_path": b"/", "query_string": b""}
    sent = rules.applied([(b"content-type", b"a/b")], Request({**scope, "client": None, "headers": headers}))
    for name, value in sent:
        assert re.fullmatch(rb"[!#$%&'*+.^_`|~0-9a-z-]+", name)
        assert re.fullmatch(rb"[^\x00-\x08\x0a-\x1f\x7f]*", value)
