"""Who answers a request: CloudFront's control plane, keyfront's own pages, or moto."""

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from tests.local.aws.conftest import Headers, Reply, Running, Start


def answered_by(reply: "Reply") -> str | None:
    return reply.headers["x-answered-by"]


def test_boto3s_cloudfront_calls_reach_the_control_plane(endpoint: "Running") -> None:
    with pytest.raises(ClientError) as raised:
        endpoint.client("cloudfront").list_key_groups()
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 418
    assert endpoint.control_plane.requests == [("GET", "/2020-05-31/key-group")]


@pytest.mark.parametrize("scope", ["cloudfront", "CloudFront"])
def test_the_scope_of_the_signature_decides(endpoint: "Running", signed_for: "Headers", scope: str) -> None:
    assert answered_by(endpoint.send("GET", "/anything", headers=signed_for(scope))) == "control plane"


def test_a_sigv4a_scope_without_a_region_decides_too(endpoint: "Running") -> None:
    signature = "AWS4-ECDSA-P256-SHA256 Credential=test/20260101/cloudfront/aws4_request, Signature=00"
    assert answered_by(endpoint.send("GET", "/x", headers={"Authorization": signature})) == "control plane"


def test_a_presigned_scope_in_the_query_decides(endpoint: "Running") -> None:
    query = "X-Amz-Credential=test%2F20260101%2Fus-east-1%2Fcloudfront%2Faws4_request"
    assert answered_by(endpoint.send("GET", f"/?{query}")) == "control plane"


def test_an_unsigned_request_for_cloudfronts_path_reaches_the_control_plane(endpoint: "Running") -> None:
    assert answered_by(endpoint.send("GET", "/2020-05-31/distribution")) == "control plane"


def test_a_bucket_may_be_named_like_cloudfronts_path(endpoint: "Running", signed_for: "Headers") -> None:
    assert endpoint.send("PUT", "/2020-05-31", headers=signed_for("s3")).status == 200
    assert endpoint.send("PUT", "/2020-05-31/key", b"1", headers=signed_for("s3")).status == 200
    assert endpoint.send("GET", "/2020-05-31/key", headers=signed_for("s3")).body == b"1"
    assert endpoint.control_plane.requests == []


def test_keyfronts_own_pages_have_a_path(endpoint: "Running") -> None:
    assert answered_by(endpoint.send("GET", "/_keyfront/health")) == "own"
    assert endpoint.own.requests == [("GET", "/_keyfront/health")]


def test_a_key_in_a_virtual_hosted_bucket_may_be_named_like_our_pages(
    endpoint: "Running", s3: "S3Client", signed_for: "Headers"
) -> None:
    s3.put_object(Bucket="shop", Key="_keyfront/health", Body=b"1")
    reply = endpoint.send("GET", "/_keyfront/health", headers=signed_for("s3", Host="shop.s3.localhost"))
    assert reply.body == b"1"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/cloudfront_us-east-1/2020-05-31/distribution", {}),
        ("/2020-05-31/distribution", {"Authorization": "any test/20260101/us-east-1/cloudfront/aws4_request"}),
        ("/x", {"Authorization": "any test/20260101/us-east-1/cloudfront/aws4_request"}),
    ],
)
def test_motos_own_cloudfront_is_never_reached(endpoint: "Running", target: str, headers: dict[str, str]) -> None:
    reply = endpoint.send("GET", target, headers=headers)
    assert reply.status in (418, 501)
    assert b"DistributionList" not in reply.body


@pytest.mark.parametrize("path", ["/moto-api/", "/moto-api/data.json", "/%6doto-api/data.json", "/moto-api/config"])
def test_motos_controls_are_closed(endpoint: "Running", path: str) -> None:
    assert endpoint.send("GET", path).status == 404


def test_a_page_cannot_reset_moto(endpoint: "Running", s3: "S3Client") -> None:
    assert endpoint.send("POST", "/moto-api/reset").status == 404
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["shop"]


def test_motos_controls_can_be_opened(start_endpoint: "Start", endpoint: "Running") -> None:
    opened = start_endpoint(moto_api=True)
    assert opened.send("GET", "/moto-api/data.json").status == 200


def test_a_service_of_a_presigned_url_is_found(endpoint: "Running") -> None:
    url = endpoint.client("sts").generate_presigned_url("get_caller_identity")
    reply = endpoint.send("POST", url.removeprefix(endpoint.url))
    assert b"<Account>123456789012</Account>" in reply.body


def test_a_failure_inside_moto_is_an_aws_error(
    endpoint: "Running", signed_for: "Headers", caplog: pytest.LogCaptureFixture
) -> None:
    reply = endpoint.send("POST", "/", headers=signed_for("dynamodb", Content_Type="application/x-amz-json-1.0"))
    assert reply.status == 500
    assert b'"__type": "InternalError"' in reply.body
    assert "POST /: moto failed with KeyError" in caplog.text
    assert "Traceback" not in caplog.text
