"""Whom S3 lets in: what a bucket policy says, and to whom it says it."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.aws.policy_evaluation import Evaluation, anonymous, judge, signed
from keyfront.local.controlplane.identifiers import canonical_user_id

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from tests.local.aws.conftest import Headers, Running, Start

ACCOUNT = "123456789012"
DISTRIBUTION = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"
IDENTITY = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2"
OBJECT = "arn:aws:s3:::shop/book.epub"
CONTEXT = {"aws:securetransport": "true", "aws:sourceip": "127.0.0.1", "aws:referer": "http://localhost/page"}
CALLERS = {
    "anybody": anonymous(CONTEXT),
    "account": signed(ACCOUNT, None, CONTEXT),
    "distribution": signed(ACCOUNT, DISTRIBUTION, CONTEXT),
    "other distribution": signed(ACCOUNT, f"{DISTRIBUTION}X", CONTEXT),
    "identity": signed(ACCOUNT, IDENTITY, CONTEXT),
}
EVERYBODY = set(CALLERS)
FOR_DISTRIBUTION: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudfront.amazonaws.com"},
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::shop/*",
    "Condition": {"StringEquals": {"AWS:SourceArn": DISTRIBUTION}},
}


Statement = dict[str, Any]


def statement(effect: str = "Allow", principal: Any = "*", **more: Any) -> Statement:
    return {
        "Effect": effect,
        "Principal": principal,
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::shop/*",
        **more,
    }


def told(verdict: Evaluation, *statements: Statement) -> set[str]:
    policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return {name for name, caller in CALLERS.items() if judge(policy, caller, "s3:GetObject", OBJECT) is verdict}


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        ({"distribution"}, FOR_DISTRIBUTION),
        (
            {"distribution", "other distribution"},
            FOR_DISTRIBUTION | {"Condition": {"ArnLike": {"aws:SourceArn": DISTRIBUTION + "*"}}},
        ),
        ({"identity"}, statement(principal={"AWS": IDENTITY})),
        ({"identity"}, statement(principal={"CanonicalUser": canonical_user_id("E2")})),
        (set(), statement(principal={"CanonicalUser": canonical_user_id("E3")})),
        ({"identity", "account"}, statement(principal={"AWS": [IDENTITY, ACCOUNT]})),
        ({"account"}, statement(principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})),
        (EVERYBODY, statement()),
        (EVERYBODY, statement(principal={"AWS": "*"})),
        (EVERYBODY, statement(Action=["s3:PutObject", "s3:get*"])),
        (EVERYBODY, statement(Action="*", Resource="*")),
        (EVERYBODY, statement(Resource="arn:aws:s3:::shop/????.epub")),
        (EVERYBODY, statement(Condition={"Bool": {"aws:SecureTransport": True}})),
        (EVERYBODY, statement(Condition={"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"]}})),
        (EVERYBODY, statement(Condition={"StringLike": {"aws:Referer": "http://localhost/*"}})),
        (EVERYBODY, statement(Condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}})),
        (EVERYBODY, statement(Condition={"Null": {"aws:PrincipalOrgID": "true"}})),
        (set(), statement(principal={"AWS": "arn:aws:iam::123456789012:user/somebody"})),
        (set(), statement(principal={"CanonicalUser": "*"})),
        (set(), statement(Action="s3:PutObject")),
        (set(), statement(Resource="arn:aws:s3:::shop/other*")),
        (set(), statement(Resource="arn:aws:s3:::shop")),
        (set(), statement(Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})),
        (set(), statement(Condition={"DateGreaterThan": {"aws:CurrentTime": "2001-01-01T00:00:00Z"}})),
        (set(), statement(Condition={"IpAddress": {"aws:SourceIp": "nonsense"}})),
        (set(), {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}),
    ],
)
def test_a_permission_reaches_those_it_names(allowed: set[str], said: Statement) -> None:
    assert told(Evaluation.ALLOW, said) == allowed
    assert told(Evaluation.SILENT, said) == EVERYBODY - allowed


@pytest.mark.parametrize(
    ("denied", "said"),
    [
        (EVERYBODY, statement("Deny")),
        (EVERYBODY, statement("Deny", Condition={"DateGreaterThan": {"aws:CurrentTime": "2001-01-01T00:00:00Z"}})),
        (
            EVERYBODY - {"distribution"},
            statement("Deny", Condition={"StringNotEquals": {"aws:SourceArn": DISTRIBUTION}}),
        ),
        (set(), statement("Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})),
        (set(), statement("Deny", Condition={"NotIpAddress": {"aws:SourceIp": "127.0.0.1/32"}})),
        (
            {"anybody", "distribution", "other distribution"},
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": IDENTITY},
                "NotAction": "s3:PutObject",
                "NotResource": "arn:aws:s3:::other/*",
            },
        ),
    ],
)
def test_a_denial_counts_more_than_a_permission(denied: set[str], said: Statement) -> None:
    assert told(Evaluation.DENY, statement(), said) == denied
    assert told(Evaluation.ALLOW, statement(), said) == EVERYBODY - denied


@pytest.fixture
def private(s3: "S3Client") -> "S3Client":
    """A bucket with one object, and the policy that opens it to one distribution."""
    s3.put_object(Bucket="shop", Key="book.epub", Body=b"book")
    s3.put_bucket_policy(Bucket="shop", Policy=json.dumps({"Version": "2012-10-17", "Statement": [FOR_DISTRIBUTION]}))
    return s3


def test_the_usual_policy_for_a_distribution_opens_nothing_to_anybody_else(
    endpoint: "Running", private: "S3Client", signed_for: "Headers"
) -> None:
    assert endpoint.send("GET", "/shop/book.epub").status == 403
    assert endpoint.send("HEAD", "/shop/book.epub").status == 403
    assert endpoint.send("GET", "/shop/book.epub", headers={"X-Amz-Source-Arn": DISTRIBUTION}).status == 403
    assert endpoint.send("GET", "/shop/book.epub", headers=signed_for("s3")).body == b"book"
    for arn, status in [(DISTRIBUTION, 200), (f"{DISTRIBUTION}X", 403), (IDENTITY, 403)]:
        reply = endpoint.send("GET", "/shop/book.epub", headers=signed_for("s3", X_Amz_Source_Arn=arn))
        assert reply.status == status
    reply = endpoint.send("PUT", "/shop/book.epub", b"", headers=signed_for("s3", X_Amz_Source_Arn=DISTRIBUTION))
    assert reply.status == 403


def test_a_refusal_is_s3s_xml(endpoint: "Running", private: "S3Client") -> None:
    reply = endpoint.send("GET", "/shop/book.epub")
    assert (reply.status, reply.headers["content-type"]) == (403, "application/xml")
    assert reply.headers.get_all("server") == ["AmazonS3"]
    assert b"<Code>AccessDenied</Code><Message>Access Denied</Message>" in reply.body


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/"),
        ("GET", "/shop"),
        ("GET", "/shop?list-type=2"),
        ("GET", "/shop?policy"),
        ("GET", "/shop/none"),
        ("GET", "/shop/book.epub?acl"),
        ("GET", "/shop/book.epub?versionId=null"),
        ("PUT", "/new"),
        ("PUT", "/shop/new"),
        ("PUT", "/shop/book.epub"),
        ("DELETE", "/shop/book.epub"),
        ("DELETE", "/shop"),
        ("POST", "/shop?delete"),
        ("POST", "/shop/new?uploads"),
        ("GET", "/shop/book.epub?Signature=x&Expires=4000000000&Key-Pair-Id=K1"),
        ("GET", "/shop/book.epub?Policy=x&Signature=x&Key-Pair-Id=K1"),
        ("GET", "/shop/book.epub?x=Signature="),
        ("GET", "/shop/book.epub?mySignature=x"),
    ],
)
def test_who_does_not_sign_gets_nothing(endpoint: "Running", private: "S3Client", method: str, target: str) -> None:
    reply = endpoint.send(method, target)
    assert (reply.status, b"<Code>AccessDenied</Code>" in reply.body) == (403, True)
    assert private.get_object(Bucket="shop", Key="book.epub")["Body"].read() == b"book"


def test_an_object_may_be_public(endpoint: "Running", s3: "S3Client") -> None:
    s3.put_object(Bucket="shop", Key="cover.jpg", Body=b"cover", ACL="public-read")
    assert endpoint.send("GET", "/shop/cover.jpg").body == b"cover"
    assert endpoint.send("PUT", "/shop/cover.jpg", b"x").status == 403
    s3.put_public_access_block(Bucket="shop", PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert endpoint.send("GET", "/shop/cover.jpg").status == 403


def test_a_bucket_may_be_public(endpoint: "Running", s3: "S3Client") -> None:
    everybody = statement(
        Action=["s3:GetObject", "s3:ListBucket"], Resource=["arn:aws:s3:::shop", "arn:aws:s3:::shop/*"]
    )
    s3.put_object(Bucket="shop", Key="cover.jpg", Body=b"cover")
    s3.put_bucket_policy(Bucket="shop", Policy=json.dumps({"Statement": everybody}))
    assert endpoint.send("GET", "/shop/cover.jpg").body == b"cover"
    assert b"<Key>cover.jpg</Key>" in endpoint.send("GET", "/shop?list-type=2&prefix=c").body
    assert endpoint.send("GET", "/shop?policy").status == 403
    s3.put_public_access_block(Bucket="shop", PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert endpoint.send("GET", "/shop/cover.jpg").status == 403
    assert endpoint.send("GET", "/shop?list-type=2").status == 403


def test_a_policy_may_deny_those_who_sign(endpoint: "Running", private: "S3Client", signed_for: "Headers") -> None:
    denied = statement("Deny")
    private.put_bucket_policy(Bucket="shop", Policy=json.dumps({"Statement": [denied, FOR_DISTRIBUTION]}))
    assert endpoint.send("GET", "/shop/book.epub", headers=signed_for("s3")).status == 403
    assert endpoint.send("PUT", "/shop/book.epub", b"new", headers=signed_for("s3")).status == 200


def test_a_presigned_url_works_until_it_expires(
    endpoint: "Running", private: "S3Client", monkeypatch: pytest.MonkeyPatch
) -> None:
    url = private.generate_presigned_url("get_object", Params={"Bucket": "shop", "Key": "book.epub"}, ExpiresIn=60)
    target = url.removeprefix(endpoint.url)
    assert endpoint.send("GET", target).body == b"book"
    expired = target.replace("X-Amz-Date=20", "X-Amz-Date=19")
    assert b"<Message>Request has expired</Message>" in endpoint.send("GET", expired).body


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("AWSAccessKeyId=test&Signature=x&Expires=4000000000", 200, b"book"),
        ("AWSAccessKeyId=test&Signature=x&Expires=1000000000", 403, b"Request has expired"),
        ("AWSAccessKeyId=test&Signature=x&Expires=soon", 403, b"requires the Signature, Expires and AWSAccessKeyId"),
        ("Signature=x&Expires=4000000000", 403, b"requires the Signature, Expires and AWSAccessKeyId"),
        ("X-Amz-Signature=x", 400, b"AuthorizationQueryParametersError"),
    ],
)
def test_a_signature_in_the_query_must_be_whole(
    endpoint: "Running", private: "S3Client", query: str, status: int, says: bytes
) -> None:
    reply = endpoint.send("GET", f"/shop/book.epub?{query}")
    assert reply.status == status
    assert says in reply.body


def test_a_browser_uploads_with_a_signed_form(start_endpoint: "Start", s3: "S3Client") -> None:
    for_the_page = start_endpoint(origins=["http://localhost:3000"])
    form = s3.generate_presigned_post("shop", "upload.txt")
    parts = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in form["fields"].items()
    )
    parts += '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhello\r\n--b--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Origin": "http://localhost:3000"}
    assert for_the_page.send("POST", "/shop", parts.encode(), headers=headers).status in (200, 204)
    assert s3.get_object(Bucket="shop", Key="upload.txt")["Body"].read() == b"hello"


def test_a_bearer_token_is_no_signature(endpoint: "Running", private: "S3Client") -> None:
    reply = endpoint.send("GET", "/shop/book.epub", headers={"Authorization": "Bearer x"})
    assert (reply.status, b"Unsupported Authorization Type" in reply.body) == (400, True)


def test_the_account_has_one_canonical_id(s3: "S3Client") -> None:
    listed = s3.list_buckets()["Owner"]["ID"]
    assert listed == s3.get_bucket_acl(Bucket="shop")["Owner"]["ID"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_may_not_list_does_not_learn_that_an_object_is_missing(
    endpoint: "Running", private: "S3Client", signed_for: "Headers", method: str
) -> None:
    headers = signed_for("s3", X_Amz_Source_Arn=DISTRIBUTION)
    reply = endpoint.send(method, "/shop/none", headers=headers)
    assert (reply.status, b"<Code>AccessDenied</Code>" in reply.body) == (403, method == "GET")
    lists = FOR_DISTRIBUTION | {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::shop"}
    private.put_bucket_policy(Bucket="shop", Policy=json.dumps({"Statement": [FOR_DISTRIBUTION, lists]}))
    reply = endpoint.send(method, "/shop/none", headers=headers)
    assert (reply.status, b"<Code>NoSuchKey</Code>" in reply.body) == (404, method == "GET")
    assert endpoint.send(method, "/shop/none", headers=signed_for("s3")).status == 404


def test_an_object_of_a_public_bucket_is_missing_only_for_who_may_list(endpoint: "Running", s3: "S3Client") -> None:
    s3.put_bucket_policy(Bucket="shop", Policy=json.dumps({"Statement": statement()}))
    assert endpoint.send("GET", "/shop/none").status == 403
    lists = statement(Action="s3:ListBucket", Resource="arn:aws:s3:::shop")
    s3.put_bucket_policy(Bucket="shop", Policy=json.dumps({"Statement": [statement(), lists]}))
    assert endpoint.send("GET", "/shop/none").status == 404
