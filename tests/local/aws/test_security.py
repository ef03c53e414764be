"""No web page drives the endpoint."""

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef
    from tests.local.aws.conftest import Headers, Running, Start

OURS = "http://localhost:5173"
"""An origin that the tests' user names with --allow-origin."""


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:4566",
        "LOCALHOST:4566",
        "127.0.0.1:4566",
        "127.8.9.1",
        "[::1]:4566",
        "shop.localhost:4566",
        "shop.s3.localhost:4566",
    ],
)
def test_names_that_nobody_can_point_here_are_answered(endpoint: "Running", signed_for: "Headers", host: str) -> None:
    assert endpoint.send("GET", "/key-group", headers=signed_for("cloudfront", Host=host)).status == 418


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "0.0.0.0:4566",
        "0:4566",
        "127.1",
        "127.0.0.01",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
        "172.17.0.1:4566",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]:4566",
        "localhost.",
        "d111111abcdef8.cloudfront.localhost:4566",
        "localhost.localstack.cloud",
        "shop.s3.eu-central-1.amazonaws.com",
        "abc123.execute-api.us-east-1.amazonaws.com",
        "abc123.lambda-url.us-east-1.on.aws",
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
    assert b"Use 127.0.0.1." in reply.body
    assert endpoint.control_plane.requests == endpoint.own.requests == []


@pytest.mark.parametrize("host", ["", "localhost:evil", "localhost@evil.example", "localhost,localhost", "[::1", "::1"])
def test_a_request_without_a_valid_host_is_refused(endpoint: "Running", host: str) -> None:
    assert endpoint.send("GET", "/_keyfront/health", headers={"Host": host}).status == 403


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


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://d111111abcdef8.cloudfront.localhost:8080", "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Dest": "image"},
    ],
)
def test_a_browser_is_refused_whatever_it_says(
    endpoint: "Running", signed_for: "Headers", headers: dict[str, str]
) -> None:
    for more in ({}, signed_for("iam"), signed_for("s3")):
        for path in ("/_keyfront/health", "/2020-05-31/key-group", "/shop/key", "/?Action=ListUsers"):
            assert endpoint.send("GET", path, headers=headers | more).status == 403
    assert endpoint.control_plane.requests == endpoint.own.requests == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
@pytest.mark.parametrize(
    "signature",
    [
        "",
        "&X-Amz-Credential=AKIA/20200101/us-east-1/iam/aws4_request",
        "&X-Amz-Credential=AKIA/20200101/us-east-1/iam/aws4_request&X-Amz-Signature=00",
        (
            "&X-Amz-Credential=AKIA/20200101/us-east-1/s3/aws4_request&X-Amz-Signature=00"
            "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261124T000000Z&X-Amz-SignedHeaders=host"
            "&X-Amz-Expires=600000"
        ),
        "&Signature=00&Expires=99999999999&AWSAccessKeyId=AKIA",
    ],
)
@pytest.mark.parametrize("authorization", [{}, {"Authorization": "Basic dDp0"}, {"Authorization": ""}])
def test_a_link_changes_nothing(
    endpoint: "Running", method: str, signature: str, authorization: dict[str, str]
) -> None:
    target = f"/?Action=CreateUser&UserName=planted&Version=2010-05-08{signature}"
    assert endpoint.send(method, target, headers=authorization).status == 403
    assert endpoint.client("iam").list_users()["Users"] == []


def test_a_call_in_a_query_string_that_is_signed_in_its_headers_is_taken(
    endpoint: "Running", signed_for: "Headers"
) -> None:
    target = "/?Action=CreateUser&UserName=made&Version=2010-05-08"
    assert endpoint.send("GET", target, headers=signed_for("iam")).status == 200
    assert endpoint.client("iam").get_user(UserName="made")["User"]["UserName"] == "made"


def test_a_presigned_call_may_ask_who_is_calling(endpoint: "Running") -> None:
    sts = endpoint.client("sts")
    url = sts.generate_presigned_url("get_caller_identity", HttpMethod="GET")
    assert endpoint.send("GET", url.removeprefix(endpoint.url)).status == 200


def test_answers_are_not_opened_to_any_origin(endpoint: "Running", signed_for: "Headers") -> None:
    call = signed_for("ssm", X_Amz_Target="AmazonSSM.DescribeParameters")
    reply = endpoint.send("POST", "/", b"{}", headers=call)
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, None)


@pytest.fixture(scope="session")
def for_our_page(start_endpoint: "Start") -> "Running":
    return start_endpoint(origins=[OURS])


def test_a_page_of_a_named_origin_may_call_and_read(
    endpoint: "Running", for_our_page: "Running", signed_for: "Headers"
) -> None:
    endpoint.client("ssm").put_parameter(Name="/greeting", Value="hello", Type="String")
    asked = {"Origin": OURS, "Sec-Fetch-Site": "same-site"}
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-amz-target"}
    before = for_our_page.send("OPTIONS", "/", headers=asked | wanted)
    assert (before.status, before.headers["access-control-allow-origin"]) == (200, OURS)
    assert before.headers["access-control-allow-headers"] == "authorization,x-amz-target"
    assert before.headers["access-control-allow-methods"] == "POST"
    call = signed_for("ssm", X_Amz_Target="AmazonSSM.GetParameter", Content_Type="application/x-amz-json-1.1")
    reply = for_our_page.send("POST", "/", b'{"Name": "/greeting"}', headers=asked | call)
    assert json.loads(reply.body)["Parameter"]["Value"] == "hello"
    assert reply.headers.get_all("access-control-allow-origin") == [OURS]
    assert reply.headers["access-control-allow-credentials"] is None


@pytest.mark.parametrize(
    "origin", ["http://localhost:5174", "https://localhost:5173", "http://localhost:5173.evil.example", "null"]
)
def test_a_page_of_another_origin_may_not(for_our_page: "Running", signed_for: "Headers", origin: str) -> None:
    call = signed_for("ssm", X_Amz_Target="AmazonSSM.DescribeParameters", Origin=origin)
    reply = for_our_page.send("POST", "/", b"{}", headers=call)
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (403, None)


def test_an_edge_hands_on_a_browsers_request_to_a_bucket_and_its_cors_rules_decide(
    endpoint: "Running", for_our_page: "Running", s3: "S3Client", signed_for: "Headers"
) -> None:
    s3.put_object(Bucket="shop", Key="key", Body=b"1")
    rule: CORSRuleTypeDef = {"AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"]}
    s3.put_bucket_cors(Bucket="shop", CORSConfiguration={"CORSRules": [rule]})
    edge = signed_for("s3", X_Amz_Source_Service="cloudfront")
    for origin, seen in (("https://a.example", "https://a.example"), (OURS, None)):
        reply = for_our_page.send("GET", "/shop/key", headers=edge | {"Origin": origin})
        assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, seen)


@pytest.mark.parametrize(
    ("service", "target", "more"),
    [
        ("ssm", "/", {"X-Amz-Target": "AmazonSSM.DescribeParameters"}),
        ("iam", "/?Action=ListUsers&Version=2010-05-08", {}),
        ("cloudfront", "/2020-05-31/key-group", {}),
        ("s3", "/?Action=ListUsers&Version=2010-05-08", {}),
        ("s3", "/shop/key", {"Sec-Fetch-Site": "same-origin"}),
    ],
)
def test_the_edges_mark_opens_nothing_but_buckets(
    endpoint: "Running", signed_for: "Headers", service: str, target: str, more: dict[str, str]
) -> None:
    asked = signed_for(service) | {"X-Amz-Source-Service": "cloudfront", "Origin": "https://evil.example"} | more
    assert endpoint.send("GET", target, headers=asked).status == 403
    wanted = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-amz-source-service"}
    page = {"Origin": "https://evil.example", **wanted}
    assert endpoint.send("OPTIONS", target, headers=page).status == 403


def test_a_browser_reads_an_object_by_a_presigned_url_and_nothing_more(endpoint: "Running", s3: "S3Client") -> None:
    s3.put_object(Bucket="shop", Key="key", Body=b"1")
    browser = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    reading = s3.generate_presigned_url("get_object", Params={"Bucket": "shop", "Key": "key"})
    target = reading.removeprefix(endpoint.url)
    assert endpoint.send("GET", target, headers=browser).body == b"1"
    assert endpoint.send("HEAD", target, headers=browser).status == 200
    for method in ("PUT", "POST", "DELETE"):
        assert endpoint.send(method, target, b"2", headers=browser).status == 403
    writing = s3.generate_presigned_url("put_object", Params={"Bucket": "shop", "Key": "key"})
    assert endpoint.send("PUT", writing.removeprefix(endpoint.url), b"2", headers=browser).status == 403
    assert endpoint.send("GET", target.partition("?")[0], headers=browser).status == 403
    assert s3.get_object(Bucket="shop", Key="key")["Body"].read() == b"1"


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
