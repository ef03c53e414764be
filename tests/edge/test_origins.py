"""Origins: web servers and buckets, how they are reached and signed to, and what happens when they fail."""

from __future__ import annotations

import hashlib
import hmac
import re
import socket
import ssl
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import trustme
from botocore.credentials import Credentials

from keyfront.edge.configuration import configure
from keyfront.edge.origin.addresses import address
from keyfront.inventory import CustomErrorResponse, CustomOrigin, Inventory, Origin, OriginAccessControl, OriginGroup

if TYPE_CHECKING:
    from tests.edge.conftest import Asked, Laid, Lay

HTTPS = CustomOrigin(protocol_policy="https-only")
HOST = "d1.cloudfront.localhost"
ARN = "arn:aws:cloudfront::123456789012:distribution/E1"
BUCKET = Origin("web", "films.s3.eu-central-1.amazonaws.com")
FUNCTION = Origin("web", "u1.lambda-url.eu-central-1.on.aws", custom=HTTPS, access_control="OAC1")
FOR_FUNCTIONS = OriginAccessControl("OAC1", "f", "always", "lambda")
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
HOUR = {"Cache-Control": "max-age=3600"}
ALL_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")


@pytest.mark.parametrize(
    ("origin", "scheme", "endpoint", "url"),
    [
        (Origin("o", "b.s3.amazonaws.com"), "http", None, "https://b.s3.amazonaws.com us-east-1"),
        (Origin("o", "b.s3.eu-west-1.amazonaws.com"), "http", None, "https://b.s3.eu-west-1.amazonaws.com eu-west-1"),
        (Origin("o", "b.s3.amazonaws.com"), "http", "http://127.0.0.1:4566", "http://127.0.0.1:4566/b us-east-1"),
        (Origin("o", "a.b.s3-eu-west-1.amazonaws.com"), "http", "http://h:1", "http://h:1/a.b eu-west-1"),
        (Origin("o", "b.s3.us-gov-west-1.amazonaws.com"), "http", "http://h:1", "http://h:1/b us-gov-west-1"),
        (Origin("o", "b.s3.dualstack.eu-west-1.amazonaws.com"), "http", "http://h:1", "http://h:1/b eu-west-1"),
        (Origin("o", "b.s3.cn-north-1.amazonaws.com.cn"), "http", "http://h:1/", "http://h:1/b cn-north-1"),
        (Origin("o", "b.s3.amazonaws.com", path="/films"), "http", "http://h:1", "http://h:1/b/films us-east-1"),
        (Origin("o", "b.s3.amazonaws.com"), "http", "https://h", "https://h/b us-east-1"),
        (Origin("o", "shop.example", custom=CustomOrigin()), "http", "http://h:1", "http://shop.example "),
        (Origin("o", "shop.example", custom=CustomOrigin()), "https", None, "https://shop.example "),
        (Origin("o", "shop.example", custom=CustomOrigin(81, 444)), "http", None, "http://shop.example:81 "),
        (Origin("o", "shop.example", custom=CustomOrigin(81, 444)), "https", None, "https://shop.example:444 "),
        (Origin("o", "shop.example", custom=CustomOrigin(81, 444, "http-only")), "https", None,
         "http://shop.example:81 "),
        (Origin("o", "shop.example", custom=CustomOrigin(81, 443, "https-only")), "http", None,
         "https://shop.example "),
        (Origin("o", "b.s3-website.eu-west-1.amazonaws.com", custom=CustomOrigin()), "http", "http://h:1",
         "http://b.s3-website.eu-west-1.amazonaws.com "),
        (Origin("o", "a1.execute-api.eu-west-1.amazonaws.com", path="/prod", custom=HTTPS), "http", None,
         "https://a1.execute-api.eu-west-1.amazonaws.com/prod eu-west-1"),
        (Origin("o", "a1.execute-api.eu-west-1.amazonaws.com", path="/prod", custom=HTTPS), "http", "http://h:1",
         "http://a1.execute-api.eu-west-1.localhost/prod eu-west-1"),
        (Origin("o", "u1.lambda-url.us-east-1.on.aws", custom=HTTPS), "http", "http://h:1",
         "http://u1.lambda-url.us-east-1.localhost us-east-1"),
        (Origin("o", "u1.lambda-url.us-east-1.localhost", custom=HTTPS), "http", "http://h:1",
         "http://u1.lambda-url.us-east-1.localhost us-east-1"),
        (Origin("o", "on.aws", custom=HTTPS), "http", "http://h:1", "https://on.aws "),
    ],
)  # fmt: skip
def test_an_origin_is_reached_at_its_address(origin: Origin, scheme: str, endpoint: str | None, url: str) -> None:
    where = address(origin, scheme, endpoint)
    assert f"{where.base}{where.prefix} {where.region}" == url


def test_an_api_is_asked_at_the_endpoint(lay: Lay, origin: Any) -> None:
    laid = lay(endpoint_url=f"http://127.0.0.1:{origin.port}")
    laid.serve(origins=(Origin("web", "a1.execute-api.us-east-1.amazonaws.com", custom=HTTPS),))
    origin.answer("/items", b"items")
    assert laid.viewer.get("/items").body == b"items"
    assert origin.asked[0].headers["host"] == "a1.execute-api.us-east-1.localhost"


def test_the_origins_path_and_headers_are_added(laid: Laid) -> None:
    origin = laid.web(path="/v1", custom_headers=(("X-Secret", "shh"), ("X-Own", "origin")))
    laid.serve(origins=(origin,))
    laid.viewer.get("/a%2Fb/../c?x=1", headers={"X-Own": "viewer", "X-Secret": "guess"})
    asked = laid.origin.asked[0]
    assert asked.target == "/v1/a%2Fb/../c"
    assert (asked.headers["x-secret"], asked.headers["x-own"]) == ("shh", "origin")


def test_paths_of_the_configuration_are_encoded_once(laid: Laid) -> None:
    laid.serve(
        origins=(laid.web(path="/käse 1%20"),),
        default_root_object="my index.html",
        custom_errors=(CustomErrorResponse(404, "/nicht da/404.html", 404, 10),),
    )
    laid.viewer.get("/")
    assert [asked.target for asked in laid.origin.asked] == [
        "/k%C3%A4se%201%20/my%20index.html",
        "/k%C3%A4se%201%20/nicht%20da/404.html",
    ]


def test_an_origin_group_is_served_by_its_first_member(laid: Laid) -> None:
    group = OriginGroup("group", ("web", "spare"), (500,))
    laid.serve(laid.behavior(target_origin_id="group"), origin_groups=(group,))
    laid.origin.answer("/a", b"first")
    assert laid.viewer.get("/a").body == b"first"


def test_an_https_origin_is_trusted_through_its_authority_alone(lay: Lay, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve_tls, args=(listening, context), daemon=True)
        thread.start()
        custom = CustomOrigin(https_port=listening.getsockname()[1], protocol_policy="https-only")
        for authorities, status in ((tmp_path / "ca.pem", 200), (None, 502)):
            laid = lay(authorities=authorities)
            laid.serve(origins=(laid.web(custom=custom),))
            assert laid.viewer.get("/a").status == status
    thread.join()


def serve_tls(listening: socket.socket, context: ssl.SSLContext) -> None:
    """Two connections: one that gets an answer, and one whose peer does not trust us."""
    for _ in range(2):
        connection, _ = listening.accept()
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(65536)
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        except ssl.SSLError:
            connection.close()


# S3


@pytest.fixture
def bucket(lay: Lay, origin: Any) -> Laid:
    """An edge whose S3 endpoint is the web server, which records what it gets."""
    credentials = Credentials("AKIDEXAMPLE", "very/secret")
    laid = lay(endpoint_url=f"http://127.0.0.1:{origin.port}", credentials=lambda: credentials)
    origin.answer("/films/private/a%20b.mp4", b"film")
    return laid


def serve_bucket(laid: Laid, origin: Origin, control: OriginAccessControl | None = None, **behavior: Any) -> None:
    distribution = laid.distribution(laid.behavior(allowed_methods=ALL_METHODS, **behavior), origins=(origin,), arn=ARN)
    laid.edge.configuration = configure(
        Inventory((distribution,), access_controls={control.id: control} if control else {})
    )


def signed_as(asked: Asked, secret: str, service: str = "s3", region: str = "eu-central-1") -> bool:
    """Whether a request carries the AWS Signature Version 4 that `secret` makes for it, computed here anew."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, "
        r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
        asked.headers["authorization"],
    )
    assert found, asked.headers["authorization"]
    day, place, named, names, signature = found.groups()
    assert {"host", "x-amz-content-sha256", "x-amz-date"} <= set(names.split(";"))
    parts = urlsplit(asked.target)
    canonical = "\n".join(
        [
            asked.method,
            parts.path,
            "&".join(sorted(parts.query.split("&"))),
            *(f"{name}:{asked.headers[name].strip()}" for name in names.split(";")),
            "",
            names,
            asked.headers["x-amz-content-sha256"],
        ]
    )
    scope = f"{day}/{place}/{named}/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{asked.headers['x-amz-date']}\n{scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return (place, named) == (region, service) and hmac.compare_digest(key.hex(), signature)


def test_a_bucket_with_an_access_identity_gets_a_signed_request(bucket: Laid) -> None:
    serve_bucket(bucket, replace(BUCKET, access_identity="EIDENTITY"))
    assert bucket.viewer.get("/private/a%20b.mp4").body == b"film"
    asked = bucket.origin.asked[0]
    assert asked.target == "/films/private/a%20b.mp4"
    assert signed_as(asked, "very/secret")
    assert asked.headers["x-amz-content-sha256"] == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("target", ["/a~b", "/a%7Eb", "/a+b", "/a//b", "/a/../b", "/%C3%A9", "/a?b=2&a=1&c"])
def test_the_signature_covers_the_path_and_query_as_they_are_sent(bucket: Laid, target: str) -> None:
    serve_bucket(
        bucket,
        replace(BUCKET, access_identity="EIDENTITY"),
        cache_policy_id="4cc15a8a-d715-48a4-82b8-cc0b614638fe",
    )
    bucket.viewer.get(target)
    asked = bucket.origin.asked[0]
    assert asked.target == f"/films{target}"
    if "c" not in target.partition("?")[2]:
        assert signed_as(asked, "very/secret")
    else:
        # A parameter without `=` is signed as one with an empty value (S3 API Reference, "Create a canonical request").
        assert signed_as(replace(asked, target=asked.target + "="), "very/secret")


@pytest.mark.parametrize(
    ("behavior", "authorization", "signed"),
    [
        ("always", None, True),
        ("always", "Bearer viewer", True),
        ("no-override", None, True),
        ("no-override", "Bearer viewer", False),
        ("never", None, False),
        ("never", "Bearer viewer", False),
    ],
)
def test_an_access_control_says_whether_to_sign(
    bucket: Laid, behavior: Any, authorization: str | None, signed: bool
) -> None:
    control = OriginAccessControl("OAC1", "films", behavior, "s3")
    forwards_all = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    serve_bucket(bucket, replace(BUCKET, access_control="OAC1"), control, origin_request_policy_id=forwards_all)
    bucket.viewer.get("/private/a%20b.mp4", headers={"Authorization": authorization} if authorization else None)
    asked = bucket.origin.asked[0]
    if signed:
        assert signed_as(asked, "very/secret")
    else:
        assert asked.headers.get("authorization") == authorization
        assert "x-amz-date" not in asked.headers


@pytest.mark.parametrize(
    ("asked_of", "control", "why"),
    [
        (replace(BUCKET, access_control="OAC9"), None, "OAC9 does not exist"),
        (
            replace(BUCKET, access_control="OAC1"),
            OriginAccessControl("OAC1", "n", "always", "mediastore"),
            "OAC1 is for mediastore",
        ),
        (replace(BUCKET, access_control="OAC1"), FOR_FUNCTIONS, "OAC1 is for lambda"),
        (FUNCTION, OriginAccessControl("OAC1", "n", "always", "s3"), "OAC1 is for s3"),
    ],
)
def test_an_access_control_that_cannot_be_used_signs_nothing_and_says_so(
    bucket: Laid, asked_of: Origin, control: OriginAccessControl | None, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    serve_bucket(bucket, asked_of, control)
    bucket.viewer.get("/private/a%20b.mp4")
    assert "authorization" not in bucket.origin.asked[0].headers
    assert why in caplog.text


def test_a_public_bucket_is_asked_without_a_signature(bucket: Laid) -> None:
    serve_bucket(bucket, BUCKET)
    assert bucket.viewer.get("/private/a%20b.mp4").body == b"film"
    assert "authorization" not in bucket.origin.asked[0].headers


def test_an_upload_to_a_bucket_is_signed_without_its_body(bucket: Laid) -> None:
    serve_bucket(bucket, replace(BUCKET, access_identity="EIDENTITY"))
    bucket.origin.answer("/films/new", b"", status=200)
    assert bucket.viewer.ask("PUT", "/new", body=b"y" * 100_000).status == 200
    asked = bucket.origin.asked[0]
    assert (asked.body, asked.headers["x-amz-content-sha256"]) == (b"y" * 100_000, "UNSIGNED-PAYLOAD")
    assert signed_as(asked, "very/secret")


def test_a_viewer_cannot_add_to_what_is_asked_of_a_bucket(bucket: Laid) -> None:
    forwards_all = "216adef6-5c7f-47e4-b989-5492eafa07d3"
    serve_bucket(bucket, replace(BUCKET, access_identity="E"), origin_request_policy_id=forwards_all)
    own = {"X-Amz-Security-Token": "t", "X-Amz-Date": "20200101T000000Z", "X-Amz-Content-SHA256": "x", "X-Amz-Acl": "p"}
    bucket.viewer.get("/private/a%20b.mp4", headers=own)
    asked = bucket.origin.asked[0]
    assert signed_as(asked, "very/secret")
    assert not {"x-amz-security-token", "x-amz-acl"} & asked.headers.keys()
    assert asked.headers["host"] == f"127.0.0.1:{bucket.origin.port}"


def test_a_viewers_host_that_is_handed_on_is_told_to_the_endpoint(bucket: Laid) -> None:
    serve_bucket(bucket, replace(BUCKET, access_identity="E"), origin_request_policy_id=ALL_VIEWER)
    bucket.viewer.get("/private/a%20b.mp4", headers={"X-Amz-Source-Host": "forged", "X-Amz-Source-Arn": "forged"})
    asked = bucket.origin.asked[0]
    assert (asked.headers["host"], asked.headers["x-amz-source-host"]) == (f"127.0.0.1:{bucket.origin.port}", HOST)
    serve_bucket(bucket, replace(BUCKET, access_identity="E"))
    bucket.viewer.get("/other")
    assert "x-amz-source-host" not in bucket.origin.asked[1].headers


def test_a_browsers_request_reaches_a_laptops_bucket_as_the_edges(bucket: Laid) -> None:
    serve_bucket(bucket, replace(BUCKET, access_identity="E"), origin_request_policy_id=ALL_VIEWER)
    marks = {"Origin": "https://a.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}
    bucket.viewer.get("/private/a%20b.mp4", headers={**marks, "X-Amz-Source-Service": "forged"})
    asked = bucket.origin.asked[0]
    assert (asked.headers["origin"], asked.headers["x-amz-source-service"]) == ("https://a.example", "cloudfront")
    assert not {"sec-fetch-site", "sec-fetch-mode"} & asked.headers.keys()


def test_a_function_url_behind_an_access_control_gets_a_signed_request(bucket: Laid) -> None:
    serve_bucket(bucket, FUNCTION, FOR_FUNCTIONS, origin_request_policy_id="b689b0a8-53d0-40ab-baf2-68738e2966ac")
    bucket.viewer.get("/items", headers={"X-Amz-Source-Arn": "forged", "Authorization": "Bearer viewer"})
    asked = bucket.origin.asked[0]
    assert signed_as(asked, "very/secret", "lambda")
    assert asked.headers["x-amz-source-arn"] == ARN
    assert asked.headers["host"] == "u1.lambda-url.eu-central-1.localhost"


@pytest.mark.parametrize("told", [hashlib.sha256(b"body").hexdigest(), None])
def test_a_body_for_a_function_url_is_signed_with_the_hash_that_the_viewer_sends(
    bucket: Laid, told: str | None
) -> None:
    serve_bucket(bucket, FUNCTION, FOR_FUNCTIONS)
    bucket.viewer.ask("POST", "/items", body=b"body", headers={"X-Amz-Content-SHA256": told} if told else {})
    asked = bucket.origin.asked[0]
    assert asked.headers["x-amz-content-sha256"] == (told or "UNSIGNED-PAYLOAD")
    assert signed_as(asked, "very/secret", "lambda")


def test_what_s3_says_of_itself_does_not_reach_the_viewer(bucket: Laid) -> None:
    serve_bucket(bucket, BUCKET)
    bucket.origin.answer("/films/a", b"a", headers={"x-amz-request-id": "R", "x-amz-id-2": "I", "x-amz-meta-own": "1"})
    headers = bucket.viewer.get("/a").headers
    assert headers["x-amz-meta-own"] == "1"
    assert not {"x-amz-request-id", "x-amz-id-2"} & headers.keys()


# failures


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_an_origin_that_refuses_the_connection_gives_a_502_that_is_kept_for_ten_seconds(laid: Laid) -> None:
    custom = CustomOrigin(http_port=free_port(), protocol_policy="http-only")
    laid.serve(origins=(laid.web(custom=custom),))
    reply = laid.viewer.get("/a")
    assert (reply.status, reply.cache, reply.headers["content-type"]) == (502, "Error", "text/html")
    assert b"502 ERROR" in reply.body
    assert reply.headers["x-amz-cf-id"].encode() in reply.body
    laid.serve()
    laid.origin.answer("/a", b"a", headers=HOUR)
    assert laid.viewer.get("/a").status == 502
    laid.clock.ahead = 11
    assert laid.viewer.get("/a").body == b"a"


def test_an_origin_whose_name_is_unknown_gives_a_502(laid: Laid) -> None:
    laid.serve(origins=(laid.web(domain_name="no-such-host.invalid"),))
    assert laid.viewer.get("/a").status == 502


def test_a_behavior_without_its_origin_gives_a_502(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    laid.serve(laid.behavior(target_origin_id="gone"))
    assert laid.viewer.get("/a").status == 502
    assert "there is no origin gone" in caplog.text


def test_an_origin_that_stays_silent_gives_a_504_after_its_attempts(laid: Laid) -> None:
    silent = threading.Event()
    asked = []

    def hang(request: BaseHTTPRequestHandler) -> None:
        asked.append(request.command)
        silent.wait(20)
        request.close_connection = True

    laid.origin.handle("/a", hang)
    custom = CustomOrigin(http_port=laid.origin.port, protocol_policy="http-only", read_timeout=1)
    laid.serve(laid.behavior(allowed_methods=ALL_METHODS), origins=(laid.web(custom=custom, connection_attempts=2),))
    reply = laid.viewer.get("/a")
    assert (reply.status, reply.cache) == (504, "Error")
    assert asked == ["GET", "GET"]
    assert laid.viewer.ask("POST", "/a", body=b"x").status == 504
    assert asked == ["GET", "GET", "POST"], "what may have had an effect is not asked twice"
    silent.set()


def test_a_body_that_stalls_breaks_the_download_off(laid: Laid) -> None:
    silent = threading.Event()

    def stall(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(200)
        request.send_header("Content-Length", "100")
        request.end_headers()
        request.wfile.write(b"so far")
        request.wfile.flush()
        silent.wait(20)
        request.close_connection = True

    laid.origin.handle("/a", stall)
    custom = CustomOrigin(http_port=laid.origin.port, protocol_policy="http-only", read_timeout=1)
    laid.serve(origins=(laid.web(custom=custom),))
    reply = laid.viewer.get("/a")
    assert (reply.status, reply.body, reply.complete) == (200, b"so far", False)
    silent.set()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1 99 No\r\n\r\n"]
)
def test_an_origin_that_does_not_speak_http_gives_a_502(laid: Laid, answer: bytes) -> None:
    def nonsense(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(answer)
        request.close_connection = True

    laid.origin.handle("/a", nonsense)
    assert laid.viewer.get("/a").status == 502


def test_a_connection_that_the_origin_closed_meanwhile_is_made_anew(laid: Laid) -> None:
    def once(request: BaseHTTPRequestHandler) -> None:
        request.send_response_only(200)
        request.send_header("Content-Length", "2")
        request.end_headers()
        request.wfile.write(b"ok")
        request.close_connection = True  # without saying so

    laid.origin.handle("/a", once)
    laid.serve(
        laid.behavior(cache_policy_id="4135ea2d-6df8-44a3-9df3-4b5a84be39ad"),
        origins=(laid.web(connection_attempts=3),),
    )
    assert [laid.viewer.get("/a").status for _ in range(5)] == [200] * 5


# custom error responses


def test_errors_are_passed_on_and_kept_as_errors(laid: Laid) -> None:
    first = laid.viewer.get("/missing")
    assert (first.status, first.body, first.cache) == (404, b"not here\n", "Error")
    assert laid.viewer.get("/missing").cache == "Error"
    assert len(laid.origin.asked) == 1
    laid.clock.ahead = 11
    laid.viewer.get("/missing")
    assert len(laid.origin.asked) == 2


def test_a_custom_error_response_replaces_an_error_of_the_origin(laid: Laid) -> None:
    laid.origin.answer("/sorry.html", b"sorry", headers={**HOUR, "Content-Type": "text/html"})
    laid.serve(custom_errors=(CustomErrorResponse(404, "/sorry.html", 200, 60),))
    reply = laid.viewer.get("/missing")
    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b"sorry", "text/html")
    assert reply.cache == "Error"
    laid.clock.ahead = 59
    again = laid.viewer.get("/missing", headers={"Range": "bytes=0-1", "If-None-Match": "*"})
    assert (again.status, again.body, again.cache) == (200, b"sorry", "Error")
    assert [asked.target for asked in laid.origin.asked] == ["/missing", "/sorry.html"]
    laid.clock.ahead = 61
    laid.viewer.get("/missing")
    assert [asked.target for asked in laid.origin.asked] == ["/missing", "/sorry.html", "/missing"]


def test_a_custom_error_response_is_no_object_that_stands_in_for_another(laid: Laid) -> None:
    laid.origin.answer("/sorry.html", b"sorry", headers={**HOUR, "ETag": '"sorry"'})
    laid.serve(custom_errors=(CustomErrorResponse(404, "/sorry.html", 200, 60),))
    laid.viewer.get("/missing")
    laid.clock.ahead = 61
    laid.origin.answer("/missing", b"broken", status=503)
    assert laid.viewer.get("/missing").status == 503
    assert "if-none-match" not in laid.origin.asked[-1].headers


def test_a_custom_error_response_replaces_the_refusal_of_an_unsigned_request(laid: Laid) -> None:
    laid.origin.answer("/errors/403.html", b"please sign in", headers=HOUR)
    laid.serve(
        laid.behavior("/errors/*"),
        laid.behavior(trusted_key_groups=("g1",)),
        custom_errors=(CustomErrorResponse(403, "/errors/403.html", 403, 10),),
    )
    laid.origin.answer("/a", b"film", headers=HOUR)
    reply = laid.viewer.get("/a")
    assert (reply.status, reply.body, reply.cache) == (403, b"please sign in", "Error")
    assert laid.outcomes[-1].reason == "missing-key-pair-id"
    assert laid.viewer.ask("HEAD", "/a").body == b""
    assert laid.viewer.get(laid.signed("/a")).body == b"film"
    assert laid.viewer.get("/a").status == 403


def test_a_custom_error_page_that_is_missing_gives_its_own_status(laid: Laid) -> None:
    laid.origin.answer("/a", b"broken", status=500)
    laid.serve(custom_errors=(CustomErrorResponse(500, "/sorry.html", 200, 10),))
    assert laid.viewer.get("/a").status == 404


def test_without_a_page_only_the_time_changes(laid: Laid) -> None:
    laid.serve(custom_errors=(CustomErrorResponse(404, "", 404, 0),))
    assert [laid.viewer.get("/missing").status for _ in range(2)] == [404, 404]
    assert len(laid.origin.asked) == 2


def test_a_gateway_error_can_have_a_page_of_another_origin(laid: Laid) -> None:
    custom = CustomOrigin(http_port=free_port(), protocol_policy="http-only")
    laid.origin.answer("/errors/502.html", b"back soon", headers=HOUR)
    laid.serve(
        laid.behavior("/errors/*"),
        laid.behavior(target_origin_id="dead"),
        origins=(laid.web(), laid.web(id="dead", custom=custom)),
        custom_errors=(CustomErrorResponse(502, "/errors/502.html", 503, 10),),
    )
    reply = laid.viewer.get("/a")
    assert (reply.status, reply.body) == (503, b"back soon")
