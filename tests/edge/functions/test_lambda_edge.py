"""Lambda@Edge on the way of real requests. What Lambda itself would answer is a function of the test."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from tests.edge.conftest import HOST, Laid, Lay

from keyfront.edge.configuration import configure
from keyfront.edge.functions import lambda_events
from keyfront.edge.functions.failures import FunctionFailedError, ThrottledError
from keyfront.edge.functions.lambda_edge import LambdaFunctions, invoke_with
from keyfront.inventory import FunctionAssociation

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f:1"
Answer = Callable[[dict[str, Any]], Any]
Serve = Callable[..., Laid]


@pytest.fixture
def seen() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def serve(lay: Lay, seen: list[dict[str, Any]]) -> Serve:
    """Serve one behavior; `answers` has the function for each event type."""

    def make(answers: Mapping[str, Answer], *, include_body: bool = False, **changes: Any) -> Laid:
        def invoke(arn: str, event: bytes) -> tuple[bytes, str]:
            assert arn == ARN
            cf = json.loads(event)["Records"][0]["cf"]
            seen.append(cf)
            answer = answers[cf["config"]["eventType"]](cf)
            return (b"", str(answer)) if isinstance(answer, Exception) else (json.dumps(answer).encode(), "")

        functions = LambdaFunctions(invoke)
        laid = lay(lambdas=functions, around=functions.around)
        laid.origin.answer("/a", b"the file", headers={"Cache-Control": "max-age=60", "X-From": "origin"})
        associations = tuple(FunctionAssociation(kind, ARN, include_body) for kind in answers)
        behavior = laid.behavior(associations=associations, **changes)
        laid.edge.configuration = configure(replace(laid.inventory(laid.distribution(behavior)), functions={}))
        return laid

    return make


def with_header(name: str, value: str, part: str = "request") -> Answer:
    return lambda cf: {**cf[part], "headers": {**cf[part]["headers"], name: [{"key": name, "value": value}]}}


def test_a_viewer_request_function_rewrites_after_the_signature(serve: Serve, seen: list[dict[str, Any]]) -> None:
    laid = serve({"viewer-request": lambda cf: {**cf["request"], "uri": "/a"}}, trusted_key_groups=("g1",))

    assert laid.viewer.get("/b").status == 403
    assert seen == []
    reply = laid.viewer.get(laid.signed("/b"))
    assert (reply.body, laid.origin.asked[-1].target) == (b"the file", "/a")
    assert seen[0]["config"]["distributionId"] == "E1"
    assert seen[0]["config"]["requestId"] == reply.headers["x-amz-cf-id"]
    assert seen[0]["request"]["headers"]["host"] == [{"key": "Host", "value": HOST}]


def test_a_response_may_be_generated(serve: Serve) -> None:
    laid = serve(
        {
            "viewer-request": lambda cf: {
                "status": "401",
                "headers": {"www-authenticate": [{"key": "WWW-Authenticate", "value": "Basic"}]},
                "body": base64.b64encode(b"no").decode(),
                "bodyEncoding": "base64",
            }
        }
    )

    reply = laid.viewer.get("/a")

    assert (reply.status, reply.body, reply.headers["www-authenticate"]) == (401, b"no", "Basic")
    assert reply.headers["x-cache"] == "LambdaGeneratedResponse from cloudfront"
    assert laid.origin.asked == []


def test_origin_functions_run_only_on_misses(serve: Serve, seen: list[dict[str, Any]]) -> None:
    laid = serve(
        {
            "origin-request": with_header("x-to-origin", "1"),
            "origin-response": with_header("x-added", "1", "response"),
        }
    )

    replies = [laid.viewer.get("/a"), laid.viewer.get("/a")]

    assert [(reply.cache, reply.headers["x-added"], reply.body) for reply in replies] == [
        ("Miss", "1", b"the file"),
        ("Hit", "1", b"the file"),
    ]
    assert [cf["config"]["eventType"] for cf in seen] == ["origin-request", "origin-response"]
    assert laid.origin.asked[0].headers["x-to-origin"] == "1"
    assert seen[0]["request"]["origin"]["custom"]["port"] == laid.origin.port
    assert seen[1]["response"]["status"] == "200"


def test_an_origin_request_function_chooses_the_origin_or_answers_itself(serve: Serve) -> None:
    def elsewhere(cf: dict[str, Any]) -> Any:
        if cf["request"]["uri"] == "/made":
            return {"status": 200, "body": "made", "headers": {"cache-control": [{"value": "max-age=60"}]}}
        origin = cf["request"]["origin"]["custom"]
        own = {"x-own": [{"key": "X-Own", "value": "1"}]}
        origin = {**origin, "path": "/base", "customHeaders": own}
        return {**cf["request"], "uri": "/b", "querystring": "q=1", "origin": {"custom": origin}}

    laid = serve({"origin-request": elsewhere})
    laid.origin.answer("/base/b", b"elsewhere")

    assert laid.viewer.get("/a").body == b"elsewhere"
    asked = laid.origin.asked[-1]
    assert (asked.target, asked.headers["x-own"]) == ("/base/b?q=1", "1")
    assert [laid.viewer.get("/made").cache for _ in range(2)] == ["LambdaGeneratedResponse", "Hit"]


def test_an_origin_response_function_sees_errors_and_may_replace_them(serve: Serve) -> None:
    laid = serve({"origin-response": lambda cf: {**cf["response"], "status": "200", "body": "instead"}})

    reply = laid.viewer.get("/missing")

    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"instead", "7")


def test_a_viewer_response_function_adds_headers_to_hits(serve: Serve) -> None:
    laid = serve({"viewer-response": with_header("x-seen", "1", "response")})

    replies = [laid.viewer.get("/a"), laid.viewer.get("/a")]

    assert [(reply.cache, reply.headers["x-seen"]) for reply in replies] == [("Miss", "1"), ("Hit", "1")]
    assert "x-seen" not in laid.viewer.get("/missing").headers


def test_later_functions_see_what_a_viewer_request_function_wrote(serve: Serve, seen: list[dict[str, Any]]) -> None:
    laid = serve(
        {
            "viewer-request": with_header("x-mark", "1"),
            "viewer-response": lambda cf: {
                **cf["response"],
                "headers": {**cf["response"]["headers"], "x-seen": cf["request"]["headers"]["x-mark"]},
            },
        },
        cache_policy_id="4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        origin_request_policy_id="33f36d7e-f396-46d9-90e0-52428a34d9dc",  # with CloudFront's own headers
    )

    assert laid.viewer.get("/a").headers["x-seen"] == "1"
    asked = laid.origin.asked[-1].headers
    assert (asked["x-mark"], asked["cloudfront-viewer-http-version"]) == ("1", "1.1")


def test_bodies_are_seen_and_replaced(serve: Serve, seen: list[dict[str, Any]]) -> None:
    replaced = {"action": "replace", "encoding": "text", "data": "new"}
    laid = serve(
        {
            "viewer-request": lambda cf: {**cf["request"], "body": {**cf["request"]["body"], "data": "ignored"}},
            "origin-request": lambda cf: {**cf["request"], "body": replaced},
        },
        include_body=True,
        allowed_methods=("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"),
    )

    assert laid.viewer.ask("POST", "/a", body=b"x" * 50_000).status == 200
    first, second = seen[0]["request"]["body"], seen[1]["request"]["body"]
    assert (first["inputTruncated"], len(base64.b64decode(first["data"]))) == (True, 40 * 1024)
    assert (second["inputTruncated"], len(base64.b64decode(second["data"]))) == (False, 50_000)
    assert laid.origin.asked[-1].body == b"new"


@pytest.mark.parametrize("kind", ["viewer-request", "origin-request", "origin-response", "viewer-response"])
def test_a_function_that_fails_gets_cloudfronts_page(serve: Serve, kind: str) -> None:
    part = "response" if kind.endswith("response") else "request"
    answers: list[Any] = [
        ValueError("boom"),
        [],
        {"headers": {"a": "b"}, "status": "200", "uri": "/a"},
        {"headers": {"x-edge-a": [{"value": "b"}]}, "status": "200", "uri": "/a"},
    ]
    laid = serve({kind: lambda cf: answers.pop(0)}, cache_policy_id="4135ea2d-6df8-44a3-9df3-4b5a84be39ad")

    def reply(number: int) -> tuple[int, str]:
        # Errors are cached for some seconds.
        laid.origin.answer(f"/{number}", b"the file")
        got = laid.viewer.get(f"/{number}")
        assert b"the file" not in got.body
        return got.status, got.body.decode()

    statuses = [reply(number) for number in range(4)]

    assert [status for status, _ in statuses] == [503, 502, 502, 502], part
    assert "associated with the CloudFront distribution is invalid" in statuses[0][1]
    assert "The json output must be an object type." in statuses[1][1]
    assert "Each header entry in the headers object must be an array." in statuses[2][1]
    assert "The Lambda function result failed validation" in statuses[3][1]


KB = 1024
HEADER = {"x-large": [{"value": "x" * 2000}]}


@pytest.mark.parametrize(
    ("kind", "result", "told"),
    [
        ("viewer-request", {"status": 200, "body": "x" * 38 * KB, "headers": HEADER}, 200),
        ("viewer-request", {"status": 200, "body": "x" * 40 * KB, "headers": HEADER}, "exceeds the maximum size"),
        ("viewer-request", {"status": 200, "body": {"data": 1}}, "The body is not a string"),
        ("viewer-request", {"status": 204, "body": "x"}, "status 204 cannot have a body"),
        ("viewer-request", {"status": 204}, 204),
        ("origin-request", {"status": 200, "body": "x" * 1000 * KB}, 200),
        ("origin-request", {"status": 200, "body": "x" * 1024 * KB, "headers": HEADER}, "exceeds the maximum size"),
        ("origin-response", {"status": 200, "body": "x" * 1025 * KB}, "exceeds the maximum size"),
        ("viewer-response", {"status": "201"}, "status of a viewer response is read-only"),
    ],
)
def test_a_response_is_limited_by_size_and_event(
    serve: Serve, kind: str, result: dict[str, Any], told: int | str
) -> None:
    laid = serve({kind: lambda cf: {**cf.get("response", {}), **result}})

    reply = laid.viewer.get("/a")

    assert reply.status == (told if isinstance(told, int) else 502)
    if isinstance(told, str):
        assert told.encode() in reply.body
        assert reply.headers["x-cache"] == "LambdaValidationError from cloudfront"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("viewer-request", "host"),
        ("viewer-request", "cdn-loop"),
        ("viewer-request", "cloudfront-viewer-country"),
        ("origin-request", "accept-encoding"),
        ("origin-response", "transfer-encoding"),
        ("viewer-response", "content-length"),
        ("viewer-response", "warning"),
    ],
)
def test_a_header_that_a_function_may_not_write_is_refused(serve: Serve, kind: str, name: str) -> None:
    laid = serve({kind: with_header(name, "1", "response" if kind.endswith("response") else "request")})

    reply = laid.viewer.get("/a")

    assert reply.status == 502
    assert b"The function tried to add" in reply.body


def test_a_function_that_is_throttled_gets_its_own_page(lay: Lay) -> None:
    def invoke(arn: str, event: bytes) -> tuple[bytes, str]:
        raise ThrottledError("Rate exceeded")

    functions = LambdaFunctions(invoke)
    laid = lay(lambdas=functions, around=functions.around)
    behavior = laid.behavior(associations=(FunctionAssociation("viewer-request", ARN),))
    laid.edge.configuration = configure(replace(laid.inventory(laid.distribution(behavior)), functions={}))

    reply = laid.viewer.get("/a")

    assert (reply.status, reply.headers["x-cache"]) == (503, "LambdaLimitExceeded from cloudfront")
    assert b"was throttled" in reply.body


@pytest.mark.parametrize(("code", "throttled"), [("TooManyRequestsException", True), ("ServiceException", False)])
def test_lambdas_refusals_are_told_apart(code: str, throttled: bool) -> None:
    made = boto3.client("lambda", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    stub = Stubber(made)
    stub.add_client_error("invoke", code, http_status_code=429)
    with stub:
        if throttled:
            with pytest.raises(ThrottledError):
                invoke_with(lambda: made)(ARN, b"{}")
        else:
            assert code in invoke_with(lambda: made)(ARN, b"{}")[1]


def test_a_result_that_is_not_json_has_its_own_text() -> None:
    with pytest.raises(FunctionFailedError, match="is not parsable"):
        lambda_events.result_of(b"{")
    with pytest.raises(FunctionFailedError, match="must be an object type"):
        lambda_events.result_of(b"null")
