"""No web page drives the endpoint."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef
    from tests.stack.endpoint.conftest import Headers, Running, Start


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:4566",
        "LOCALHOST:4566",
        "127.0.0.1:4566",
        "127.8.9.1",
        "[::1]:4566",
        "172.17.0.1:4566",
        "shop.localhost:4566",
        "shop.s3.localhost:4566",
        "localhost.localstack.cloud:4566",
        "shop.s3.localhost.localstack.cloud:4566",
        "shop.s3.eu-central-1.amazonaws.com",
    ],
)
def test_names_that_nobody_can_point_here_are_answered(endpoint: "Running", signed_for: "Headers", host: str) -> None:
    assert endpoint.send("GET", "/key-group", headers=signed_for("cloudfront", Host=host)).status == 418


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:4566",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evillocalhost",
        "evil-amazonaws.com",
        "evil.amazonaws.com.example",
        "evilocalhost.localstack.cloud",
    ],
)
@pytest.mark.parametrize("path", ["/", "/_keyfront/health", "/2020-05-31/key-group"])
def test_a_rebound_name_is_refused_everywhere(endpoint: "Running", host: str, path: str) -> None:
    reply = endpoint.send("GET", path, headers={"Host": host})
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (403, "AccessDenied")
    assert b"Use localhost or 127.0.0.1." in reply.body
    assert endpoint.control_plane.requests == endpoint.own.requests == []


def test_a_request_without_a_host_is_refused(endpoint: "Running") -> None:
    assert endpoint.send("GET", "/", headers={"Host": ""}).status == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://bucket.s3.amazonaws.com", "http://[::1"])
def test_a_page_of_another_site_cannot_call_a_service(endpoint: "Running", signed_for: "Headers", origin: str) -> None:
    endpoint.client("ssm").put_parameter(Name="/key", Value="PRIVATE", Type="SecureString")
    call = signed_for(
        "ssm", X_Amz_Target="AmazonSSM.GetParameter", Content_Type="application/x-amz-json-1.1", Origin=origin
    )
    reply = endpoint.send("POST", "/", b'{"Name": "/key", "WithDecryption": true}', headers=call)
    assert reply.status == 403
    assert b"PRIVATE" not in reply.body


@pytest.mark.parametrize("host", ["abc123.execute-api.localhost:4566", "abc123.lambda-url.us-east-1.localhost:4566"])
def test_the_public_address_of_an_api_is_no_way_to_a_service(
    endpoint: "Running", signed_for: "Headers", host: str
) -> None:
    endpoint.client("ssm").put_parameter(Name="/key", Value="PRIVATE", Type="SecureString")
    page = {"Host": host, "Origin": "https://evil.example"}
    wanted = {"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"}
    body = b'{"Name": "/key", "WithDecryption": true}'
    signed = signed_for("ssm", **{name.replace("-", "_"): value for name, value in (page | wanted).items()})
    credential = "?X-Amz-Credential=AKID%2F20261124%2Fus-east-1%2Fssm%2Faws4_request"
    for target, headers in (("/", signed), (f"/{credential}", page | wanted), ("/", page | wanted)):
        reply = endpoint.send("POST", target, body, headers=headers)
        assert reply.status in (403, 404)
        assert b"PRIVATE" not in reply.body
    for path in ("/2020-05-31/key-group", "/_keyfront/health", "/moto-api/data.json"):
        assert endpoint.send("GET", path, headers=page).status in (403, 404)
    assert endpoint.control_plane.requests == endpoint.own.requests == []


def test_a_preflight_of_another_site_is_refused(endpoint: "Running") -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    assert endpoint.send("OPTIONS", "/", headers=asked).status == 403


def test_an_image_on_a_page_of_another_site_cannot_call_a_service(endpoint: "Running") -> None:
    reply = endpoint.send("GET", "/?Action=ListUsers", headers={"Sec-Fetch-Site": "cross-site"})
    assert reply.status == 403


@pytest.mark.parametrize("headers", [{"Origin": "http://localhost:3000"}, {"Sec-Fetch-Site": "none"}])
def test_a_page_on_this_machine_and_the_address_bar_may_call(endpoint: "Running", headers: dict[str, str]) -> None:
    assert endpoint.send("GET", "/_keyfront/health", headers=headers).status == 418


def test_answers_are_not_opened_to_every_origin(endpoint: "Running", signed_for: "Headers") -> None:
    call = signed_for("ssm", X_Amz_Target="AmazonSSM.DescribeParameters", Origin="http://localhost:3000")
    reply = endpoint.send("POST", "/", b"{}", headers=call)
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] is None


def test_a_bucket_that_allows_an_origin_says_so(endpoint: "Running", s3: "S3Client") -> None:
    rule: CORSRuleTypeDef = {"AllowedOrigins": ["http://localhost:3000"], "AllowedMethods": ["GET"]}
    s3.put_bucket_cors(Bucket="shop", CORSConfiguration={"CORSRules": [rule]})
    s3.put_object(Bucket="shop", Key="key", Body=b"1")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "shop", "Key": "key"})
    reply = endpoint.send("GET", url.removeprefix(endpoint.url), headers={"Origin": "http://localhost:3000"})
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, "http://localhost:3000")


def test_the_user_can_name_more_hosts(start_endpoint: "Start") -> None:
    named = start_endpoint(hosts=["AWS.internal"])
    assert named.send("GET", "/_keyfront/health", headers={"Host": "aws.internal:4566"}).status == 418
