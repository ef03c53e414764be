"""What was authorised is exactly what is fetched: paths that another reader would take for other paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyfront.core import encoding

if TYPE_CHECKING:
    from tests.edge.conftest import Laid

HOST = "d1.cloudfront.localhost"
LENIENT = [
    "/public/../private/x",
    "/public/%2e%2e/private/x",
    "/public/.%2E/private/x",
    "/public/./../private/x",
    "//private/x",
    "/public//../private/x",
    "/./private/x",
    "/%70rivate/x",
    "/private/./x",
    # origins that decode more than the RFC, or drop path parameters
    "/private%2fx",
    "/private%2Fx",
    "/private%252fx",
    "/%2fprivate/x",
    "/public/..%2fprivate/x",
    "/public/%252e%252e/private/x",
    "/public/..%5cprivate/x",
    "/public/%c0%ae%c0%ae/private/x",
    "/private;v=1/x",
    "/public/..;/private/x",
]


@pytest.fixture
def half(laid: Laid) -> Laid:
    """`/private/*` is protected; everything else is public."""
    laid.serve(laid.behavior("/private/*", trusted_key_groups=("g1",)), laid.behavior())
    return laid


@pytest.mark.parametrize("target", LENIENT)
def test_no_spelling_of_a_private_path_is_public(half: Laid, target: str) -> None:
    half.origin.answer(target, b"leaked")
    reply = half.viewer.get(target)
    assert (reply.status, b"<Code>MissingKey</Code>" in reply.body) == (403, True)
    assert half.origin.asked == []


@pytest.mark.parametrize("target", LENIENT)
def test_a_canned_policy_opens_the_very_bytes_that_were_signed(half: Laid, target: str) -> None:
    half.origin.answer(target, b"what was signed")
    reply = half.viewer.get(sign_as_it_is(half, target))
    assert (reply.status, reply.body) == (200, b"what was signed")
    assert [asked.target for asked in half.origin.asked] == [target]


@pytest.mark.parametrize("target", ["/private/../public/x", "/private/%2e%2e/public/x"])
def test_a_path_that_leads_out_of_the_private_part_is_public(half: Laid, target: str) -> None:
    """Developer Guide, "Path pattern": normalised, then matched; and the origin gets the raw path."""
    half.origin.answer(target, b"open")
    assert half.viewer.get(target).body == b"open"
    assert half.origin.asked[0].target == target


@pytest.mark.parametrize(
    "target",
    [
        "/user/42/../43/x",
        "/user/42/%2e%2e/43/x",
        "/user/42/..%2f43/x",
        "/user/42/..%2F43/x",
        "/user/42/%252e%252e/43/x",
        "/user/42/..%5c43/x",
        "/user/42/..;/43/x",
        "/user/42/%c0%ae%c0%ae%c0%af43/x",
        "/user/42/x/../../43/x",
    ],
)
def test_a_wildcard_does_not_open_where_its_path_may_lead(laid: Laid, target: str) -> None:
    laid.serve(laid.behavior(trusted_key_groups=("g1",)))
    laid.origin.answer(target, b"somebody else's")
    query = laid.custom(f"http://{HOST}/user/42/*")
    reply = laid.viewer.get(f"{target}?{query}")
    assert (reply.status, b"<Code>AccessDenied</Code>" in reply.body) == (403, True)
    assert laid.outcomes[-1].reason == "resource-mismatch"
    assert laid.origin.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "/user/42/a/../b",
        "/user/42/./b",
        "/user/42//b",
        "/user/42/a%20b",
        "/user/42/a%2fb",
        "/user/42/~b",
        "/user/42/%7Eb",
        "/user/42/a;v=1",
        "/user/42/caf%C3%A9",
        "/user/42/a%2f..%2fb",
    ],
)
def test_a_wildcard_opens_what_lies_under_it_however_it_is_written(laid: Laid, target: str) -> None:
    laid.serve(laid.behavior(trusted_key_groups=("g1",)))
    laid.origin.answer(target, b"mine")
    reply = laid.viewer.get(f"{target}?{laid.custom(f'http://{HOST}/user/42/*')}")
    assert (reply.status, reply.body) == (200, b"mine")
    assert laid.origin.asked[0].target == target


def test_a_policy_for_everything_opens_every_path(laid: Laid) -> None:
    laid.serve(laid.behavior(trusted_key_groups=("g1",)))
    laid.origin.answer("/a/../b", b"any")
    assert laid.viewer.get(f"/a/../b?{laid.custom('*')}").body == b"any"


def test_a_path_is_judged_by_the_keys_of_each_place_that_it_may_lead_to(laid: Laid) -> None:
    laid.serve(
        laid.behavior("/a/*", trusted_key_groups=("g1",)),
        laid.behavior("/b/*", trusted_key_groups=("none",)),
        laid.behavior(),
    )
    reply = laid.viewer.get(f"/a/..%2fb/x?{laid.custom('*')}")
    assert b"<Code>InvalidKey</Code>" in reply.body


@pytest.mark.parametrize("target", ["*", "http:", "private/x", "/a%00b", "/private/x%00.jpg"])
def test_a_target_that_is_no_path_is_a_bad_request(half: Laid, target: str) -> None:
    assert half.viewer.ask("OPTIONS" if target == "*" else "GET", target).status == 400
    assert half.origin.asked == []


def test_the_path_of_an_absolute_target_is_judged_and_fetched_at_the_host_that_the_host_header_names(
    half: Laid,
) -> None:
    half.origin.answer("/open", b"open")
    assert half.viewer.get("http://other.example/open").body == b"open"
    assert half.origin.asked[0].target == "/open"
    assert half.viewer.get("http://other.example/private/x").status == 403
    signed = half.signed("/private/x")
    half.origin.answer("/private/x", b"signed for this host")
    assert half.viewer.get(f"http://other.example{signed}").body == b"signed for this host"


@pytest.mark.parametrize(
    "request_head",
    [
        f"Host: {HOST}\r\nHost: {HOST}",
        f"Host: {HOST}\r\nHost: other.example",
        f"Host: other.example\r\nHost: {HOST}",
        f"Host: {HOST}, other.example",
        f"Host: {HOST}:80:80",
        f"Host: user@{HOST}",
        f"Host: {HOST}/",
        "Host:",
        "X-No: host",
    ],
)
def test_two_hosts_or_none_or_no_host_name_are_a_bad_request(half: Laid, request_head: str) -> None:
    reply = half.viewer.raw(f"GET /open HTTP/1.1\r\n{request_head}\r\n\r\n".encode())
    assert reply.status == 400
    assert half.origin.asked == []


def sign_as_it_is(laid: Laid, target: str) -> str:
    """A canned policy for a URL that no signer of ours would sign, since viewers resolve it."""
    expires = int(laid.clock()) + 60
    resource = f'{{"Resource":"http://{HOST}{target}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}'
    signature = encoding.encode(laid.key.sign(f'{{"Statement":[{resource}]}}'.encode()))
    return f"{target}?Expires={expires}&Signature={signature}&Key-Pair-Id=K1"
