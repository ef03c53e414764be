"""A bucket's CORS rules, as S3 evaluates them: for preflight requests and for responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef
    from tests.local.aws.conftest import Headers, Running

SHOP = "https://shop.example"
EU = "https://eu.video.example"
RULES: list[CORSRuleTypeDef] = [
    {
        "AllowedOrigins": [SHOP, "https://*.video.example"],
        "AllowedMethods": ["GET", "HEAD"],
        "AllowedHeaders": ["range", "x-amz-*"],
        "ExposeHeaders": ["ETag", "Content-Range"],
        "MaxAgeSeconds": 300,
    },
    {"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD"]},
]
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"


@pytest.fixture
def bucket(s3: S3Client) -> str:
    s3.put_bucket_cors(Bucket="shop", CORSConfiguration={"CORSRules": RULES})
    s3.put_object(Bucket="shop", Key="a", Body=b"1")
    return "shop"


def edge(signed_for: Headers, **headers: str) -> dict[str, str]:
    """Headers of a request that an edge hands on to S3."""
    return signed_for("s3", X_Amz_Source_Service="cloudfront") | {k.replace("_", "-"): v for k, v in headers.items()}


@pytest.mark.parametrize(
    ("origin", "method", "asked", "seen"),
    [
        (SHOP, "GET", "Range", (200, SHOP, "GET, HEAD", "range")),
        (SHOP, "GET", "", (200, SHOP, "GET, HEAD", None)),
        (EU, "GET", "x-amz-date, range", (200, EU, "GET, HEAD", "x-amz-date, range")),
        ("https://other.example", "HEAD", "", (200, "*", "HEAD", None)),
        (SHOP, "GET", "authorization", (403, None, None, None)),
        (SHOP, "PUT", "", (403, None, None, None)),
        (f"{SHOP}.evil.example", "GET", "", (403, None, None, None)),
        ("https://shop-example", "GET", "", (403, None, None, None)),
        (SHOP, "PATCH", "", (400, None, None, None)),
        ("", "GET", "", (400, None, None, None)),
    ],
)  # fmt: skip
def test_a_preflight_request(
    endpoint: Running,
    bucket: str,
    signed_for: Headers,
    origin: str,
    method: str,
    asked: str,
    seen: tuple[int, str | None, str | None, str | None],
) -> None:
    wanted = {"Access_Control_Request_Method": method, "Access_Control_Request_Headers": asked}
    headers = edge(signed_for, **({"Origin": origin} if origin else {}), **wanted)
    reply = endpoint.send("OPTIONS", f"/{bucket}/a", headers=headers)
    names = ("origin", "methods", "headers")
    assert (reply.status, *(reply.headers[f"access-control-allow-{name}"] for name in names)) == seen
    assert reply.headers["vary"] == (VARY if reply.status == 200 else None)


@pytest.mark.parametrize(
    ("origin", "method", "allowed", "credentials"),
    [
        (SHOP, "GET", SHOP, "true"),
        ("https://other.example", "HEAD", "*", None),
        ("https://other.example", "GET", None, None),
        (f"{SHOP}.evil.example", "GET", None, None),
    ],
)
@pytest.mark.parametrize("key", ["a", "missing"])
def test_what_a_page_may_read_errors_too(
    endpoint: Running,
    bucket: str,
    signed_for: Headers,
    key: str,
    origin: str,
    method: str,
    allowed: str | None,
    credentials: str | None,
) -> None:
    reply = endpoint.send(method, f"/{bucket}/{key}", headers=edge(signed_for, Origin=origin))
    assert reply.status == (200 if key == "a" else 404)
    seen = reply.headers["access-control-allow-origin"], reply.headers["access-control-allow-credentials"]
    assert seen == (allowed, credentials)
    assert reply.headers["vary"] == (VARY if allowed else None)
    if allowed == SHOP:
        assert reply.headers["access-control-expose-headers"] == "ETag, Content-Range"
        assert reply.headers["access-control-max-age"] == "300"


def test_without_rules_or_an_origin_nothing_is_added(
    endpoint: Running, bucket: str, s3: S3Client, signed_for: Headers
) -> None:
    assert endpoint.send("GET", f"/{bucket}/a", headers=edge(signed_for)).headers["vary"] is None
    s3.delete_bucket_cors(Bucket=bucket)
    assert endpoint.send("GET", f"/{bucket}/a", headers=edge(signed_for, Origin=SHOP)).headers["vary"] is None
    preflight = edge(signed_for, Origin=SHOP, Access_Control_Request_Method="GET")
    reply = endpoint.send("OPTIONS", f"/{bucket}/a", headers=preflight)
    assert (reply.status, b"CORS is not enabled for this bucket" in reply.body) == (403, True)
